/* verify_tensors.c - which element of a checkpoint or a state is not what a repetition has. */
#include "verify.h"

#include <stdio.h>
#include <string.h>

/* "[3,0,1,2]", where element i of a parameter stands in the file's order; nothing of one that is a number. */
static void place(const tx_param *p, size_t i, char out[96])
{
    size_t index[4], used = 0;
    for (int d = p->dims; d-- > 0; i /= (size_t)p->shape[d])
        index[d] = i % (size_t)p->shape[d];
    out[0] = 0;
    for (int d = 0; d < p->dims; d++)
        used += (size_t)snprintf(out + used, 96 - used, "%s%zu%s", d ? "," : "[", index[d], d + 1 < p->dims ? "" : "]");
}

static void differs(verify_element *out, const char *tensor, const char *index, const char *found, const char *expected)
{
    char name[TX_TEXT];
    out->differs = 1;
    snprintf(out->tensor, sizeof out->tensor, "%s", tensor);
    snprintf(out->index, sizeof out->index, "%s", index);
    snprintf(out->found, sizeof out->found, "%s", found);
    snprintf(out->expected, sizeof out->expected, "%s", expected);
    snprintf(out->text, sizeof out->text, "%s%s is %s, the repetition has %s", tx_escape(name, sizeof name, tensor),
             index, found, expected);
}

static void differs_otherwise(verify_element *out, const char *text)
{
    out->differs = 1;
    snprintf(out->text, sizeof out->text, "%s", text);
}

/* Two lists of float32 in the file's order. */
static void compare_floats(const char *name, const tx_param *p, const float *found, const float *expected,
                           verify_element *out)
{
    char index[96], hex[2][24], number[2][TX_NUMBER], title[TX_TEXT];
    uint32_t bits[2];
    for (size_t i = 0; i < p->count && !out->differs; i++) {
        memcpy(&bits[0], &found[i], sizeof bits[0]);
        memcpy(&bits[1], &expected[i], sizeof bits[1]);
        if (bits[0] == bits[1])
            continue;
        place(p, i, index);
        snprintf(hex[0], sizeof hex[0], "%08lx", (unsigned long)bits[0]);
        snprintf(hex[1], sizeof hex[1], "%08lx", (unsigned long)bits[1]);
        differs(out, name, index, hex[0], hex[1]);
        snprintf(out->text, sizeof out->text, "%s%s is %s (%s), the repetition has %s (%s)",
                 tx_escape(title, sizeof title, name), index, hex[0],
                 tx_number_print(number[0], TX_NUMBER, (double)found[i], 9), hex[1],
                 tx_number_print(number[1], TX_NUMBER, (double)expected[i], 9));
    }
}

static void compare_whole(const char *name, const char *index, uint64_t found, uint64_t expected, verify_element *out)
{
    char hex[2][24];
    snprintf(hex[0], sizeof hex[0], "%016llx", (unsigned long long)found);
    snprintf(hex[1], sizeof hex[1], "%016llx", (unsigned long long)expected);
    if (!out->differs && found != expected)
        differs(out, name, index, hex[0], hex[1]);
}

/* Room for two copies of the largest parameter. */
static float *room_for_two(const tx_graph *g, size_t *largest)
{
    *largest = 1;
    for (int i = 0; i < tx_graph_params(g); i++)
        if (tx_graph_param(g, i)->count > *largest)
            *largest = tx_graph_param(g, i)->count;
    return tx_alloc(2 * *largest, sizeof(float));
}

/* -------------------------------------------------------------------------------------------- checkpoints */
static tx_status compare_param(tx_safetensors *file, const tx_weights *w, const tx_param *p, float *room,
                               size_t largest, verify_element *out)
{
    char text[256];
    const tx_stored *t = tx_safetensors_find(file, p->name);
    int counter = p->role == TX_ROLE_COUNTER;
    if (!t || t->count != p->count || t->dtype != (counter ? TX_I64 : TX_F32)) {
        snprintf(text, sizeof text, t ? "%.200s is of another kind or size" : "has no tensor %.200s", p->name);
        differs_otherwise(out, text);
        return TX_OK;
    }
    if (counter) {
        int64_t found;
        tx_status status = tx_safetensors_integers(file, t, &found);
        if (status == TX_OK)
            compare_whole(p->name, "", (uint64_t)found, (uint64_t)w->counter[p->offset], out);
        return status;
    }
    tx_status status = tx_safetensors_floats(file, t, room);
    if (status == TX_OK)
        status = tx_param_export(p, tx_weights_param(w, p), room + largest);
    if (status == TX_OK)
        compare_floats(p->name, p, room, room + largest, out);
    return status;
}

static void compare_metadata(const tx_safetensors *file, const settings *meta, verify_element *out)
{
    char key[TX_TEXT], has[TX_TEXT], wants[TX_TEXT], text[TX_TEXT * 3 + 64];
    for (size_t i = 0; meta && i < meta->count && !out->differs; i++) {
        const char *value = tx_safetensors_meta(file, meta->pair[i].key);
        if (value && strcmp(value, meta->pair[i].value) == 0)
            continue;
        snprintf(text, sizeof text, "its metadata say %s '%s', the repetition has '%s'",
                 tx_escape(key, sizeof key, meta->pair[i].key), tx_escape(has, sizeof has, value ? value : ""),
                 tx_escape(wants, sizeof wants, meta->pair[i].value));
        differs_otherwise(out, text);
    }
}

tx_status verify_checkpoint(const char *path, const tx_weights *weights, const settings *meta, verify_element *out)
{
    size_t largest;
    const tx_graph *g = weights->graph;
    memset(out, 0, sizeof *out);
    tx_safetensors *file = tx_safetensors_open(path);
    if (!file)
        return tx_error_status();
    float *room = room_for_two(g, &largest);
    tx_status status = room ? TX_OK : TX_ERR_MEMORY;
    for (int i = 0; status == TX_OK && !out->differs && i < tx_graph_params(g); i++)
        status = compare_param(file, weights, tx_graph_param(g, i), room, largest, out);
    if (status == TX_OK)
        compare_metadata(file, meta, out);
    tx_free(room);
    tx_safetensors_close(file);
    return status;
}

/* ------------------------------------------------------------------------------------------------- states */
/* An array of the file that is laid out as weights are: its first `count` elements, a parameter after the other. */
static tx_status compare_array(tx_safetensors *file, const char *name, const tx_graph *g, const float *expected,
                               size_t count, verify_element *out)
{
    char text[320];
    size_t largest;
    const tx_stored *t = tx_safetensors_find(file, name);
    if (!t || t->count != count || t->dtype != TX_F32) {
        snprintf(text, sizeof text, "has no %zu values of %s", count, name);
        differs_otherwise(out, text);
        return TX_OK;
    }
    float *room = room_for_two(g, &largest), *found = tx_alloc(count, sizeof *found);
    tx_status status = room && found ? tx_safetensors_floats(file, t, found) : TX_ERR_MEMORY;
    for (int i = 0; status == TX_OK && !out->differs && i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        if (p->role == TX_ROLE_COUNTER || p->offset + p->count > count)
            continue;
        snprintf(text, sizeof text, "%s of %.240s", name, p->name);
        tx_param_export(p, found + p->offset, room);
        tx_param_export(p, expected + p->offset, room + largest);
        compare_floats(text, p, room, room + largest, out);
    }
    tx_free(room);
    tx_free(found);
    return status;
}

static tx_status compare_integers(tx_safetensors *file, const char *name, const uint64_t *expected, size_t count,
                                  int where_known, verify_element *out)
{
    char text[320], index[48];
    const tx_stored *t = tx_safetensors_find(file, name);
    if (out->differs || count == 0)
        return TX_OK;
    if (!t || t->count != count) {
        snprintf(text, sizeof text, "has no %zu values of %s", count, name);
        differs_otherwise(out, text);
        return TX_OK;
    }
    uint64_t *found = tx_alloc(count, sizeof *found);
    tx_status status = found ? tx_safetensors_integers(file, t, (int64_t *)found) : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < count && !out->differs; i++) {
        snprintf(index, sizeof index, "[%zu]", i);
        if (!where_known || (found[i] && expected[i]))
            compare_whole(name, index, found[i], expected[i], out);
    }
    tx_free(found);
    return status;
}

tx_status verify_state(tx_safetensors *file, trainer *t, verify_element *out)
{
    const tx_weights *w = t->weights;
    memset(out, 0, sizeof *out);
    tx_status status = compare_array(file, "weights", w->graph, w->value, w->total, out);
    if (status == TX_OK)
        status = compare_integers(file, "counters", (const uint64_t *)w->counter, w->counters, 0, out);
    for (int i = 0; status == TX_OK && !out->differs && i < tx_optimizer_states(t->optimizer); i++)
        status = compare_array(file, tx_optimizer_state_name(t->optimizer, i), w->graph,
                               tx_optimizer_state(t->optimizer, i), w->trained, out);
    for (int i = 0; status == TX_OK && i < t->run.arrays; i++)
        status = compare_integers(file, t->run.array[i].name, t->run.array[i].value, t->run.array[i].count, 1, out);
    return status;
}
