/* checkpoint.c - a network's weights to a file, safetensors or .pth, and back, by name. */
#include "safetensors_private.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- saving */

/* The tensors of a checkpoint are put in state order, so the writer's count is the parameter's position. */
static tx_status fill_param(void *context, size_t tensor, void *out)
{
    const tx_weights *weights = context;
    const tx_param *p = tx_graph_param(weights->graph, (int)tensor);
    if (p->role == TX_ROLE_COUNTER)
        memcpy(out, &weights->counter[p->offset], sizeof *weights->counter);
    else
        tx_param_export(p, tx_weights_param(weights, p), out);
    return TX_OK;
}

/* The tensors as the file has them, their names owned. */
typedef struct stored_params {
    tx_stored *tensor;
    size_t count;
} stored_params;

static void stored_free(stored_params *s)
{
    for (size_t i = 0; i < s->count; i++)
        tx_free((char *)s->tensor[i].name);
    tx_free(s->tensor);
}

static tx_status stored_new(stored_params *s, const tx_graph *graph, const tx_checkpoint_form *form)
{
    size_t params = (size_t)tx_graph_params(graph);
    *s = (stored_params){tx_alloc(params, sizeof *s->tensor), 0};
    tx_status status = s->tensor ? TX_OK : TX_ERR_MEMORY;
    for (; status == TX_OK && s->count < params; s->count++) {
        const tx_param *p = tx_graph_param(graph, (int)s->count);
        tx_stored *t = &s->tensor[s->count];
        char *name = NULL;
        t->dtype = p->role == TX_ROLE_COUNTER ? TX_I64 : TX_F32;
        t->dims = p->dims;
        for (int d = 0; d < 4; d++)
            t->shape[d] = d < p->dims ? (size_t)p->shape[d] : 1;
        if (form->called)
            status = form->called(form->context, p->name, &name, &t->dims);
        else if (!(name = tx_strdup(p->name)))
            status = TX_ERR_MEMORY;
        t->name = name;
    }
    return status;
}

static tx_status write_safetensors(const char *path, const stored_params *s, const tx_weights *weights,
                                   const tx_pair *meta, size_t metas)
{
    tx_safetensors_writer *w = tx_safetensors_create(path);
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put_meta(w, "format", TX_CHECKPOINT_FORMAT);
    for (size_t i = 0; i < metas; i++)
        tx_safetensors_put_meta(w, meta[i].key, meta[i].value);
    for (size_t i = 0; i < s->count; i++)
        tx_safetensors_put_later(w, s->tensor[i].name, s->tensor[i].dtype, s->tensor[i].dims, s->tensor[i].shape,
                                 fill_param, (void *)weights);
    return tx_safetensors_finish(w);
}

tx_status tx_checkpoint_write(const char *path, const tx_weights *weights, const tx_pair *meta, size_t metas,
                              const tx_checkpoint_form *form)
{
    if (!path || !weights || (!meta && metas > 0) || !form)
        return tx_fail_null("tx_checkpoint_write", !path ? "path" : !weights ? "weights" : form ? "metadata" : "form");
    if (tx_weights_fit(weights->graph, weights))
        return TX_ERR_ARGUMENT;
    stored_params s;
    tx_status status = stored_new(&s, weights->graph, form);
    if (status == TX_OK && form->torch)
        status = tx_torch_write(path, s.tensor, s.count, fill_param, (void *)weights);
    else if (status == TX_OK)
        status = write_safetensors(path, &s, weights, meta, metas);
    stored_free(&s);
    return status;
}

tx_status tx_checkpoint_save(const char *path, const tx_weights *weights, const tx_pair *meta, size_t metas)
{
    static const tx_checkpoint_form own = {.torch = 0};
    return tx_checkpoint_write(path, weights, meta, metas, &own);
}

/* ---------------------------------------------------------------------------------------- loading */

/* "at [1,0,2,2] ", where element i of a tensor stands, or nothing for a tensor that is a number. */
static const char *place(char *out, size_t size, const tx_stored *t, size_t i)
{
    size_t index[TX_STORED_DIMS], used = 0;
    for (int d = t->dims; d-- > 0; i /= t->shape[d])
        index[d] = i % t->shape[d];
    out[0] = 0;
    for (int d = 0; d < t->dims && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu%s", d ? "," : "at [", index[d],
                                 d + 1 < t->dims ? "" : "] ");
    return out;
}

static tx_status unsound(const tx_tensor_file *file, const tx_stored *t, size_t i, const char *value,
                         const char *expected)
{
    char name[TX_TEXT], where[64 + 20 * TX_STORED_DIMS];
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s' holds %s %sbut %s are expected", tx_tensor_file_name(file),
                   tx_escape(name, sizeof name, t->name), value, place(where, sizeof where, t, i), expected);
}

static int is_variance(const char *name)
{
    static const char variance[] = "running_var";
    size_t n = strlen(name), m = sizeof variance - 1;
    return n >= m && strcmp(name + n - m, variance) == 0;
}

/* The first of n numbers that no training leaves behind, and that would spoil all that is computed from them (nan,
 * infinity, a negative variance), or n. */
static size_t first_unsound(const char *name, const float *value, size_t n)
{
    float least = is_variance(name) ? 0 : -FLT_MAX;
    size_t i = 0;
    while (i < n && value[i] >= least && value[i] <= FLT_MAX)
        i++;
    return i;
}

static const char *expected_in(const char *name)
{
    return is_variance(name) ? "finite numbers from 0" : "finite numbers";
}

static tx_status check_values(const tx_tensor_file *file, const tx_stored *t, const float *value)
{
    char number[TX_NUMBER + 16];
    size_t i = first_unsound(t->name, value, t->count);
    if (i == t->count)
        return TX_OK;
    tx_number_print(number, TX_NUMBER, (double)value[i], 9);
    if (t->dtype == TX_F64 && isinf(value[i]))
        strcat(number, " as float32");
    return unsound(file, t, i, number, expected_in(t->name));
}

tx_status tx_checkpoint_check(const tx_weights *weights, const char *what)
{
    if (!weights)
        return tx_fail_null("tx_checkpoint_check", "weights");
    if (tx_weights_fit(weights->graph, weights))
        return TX_ERR_ARGUMENT;
    char text[TX_TEXT], number[TX_NUMBER];
    for (int i = 0; i < tx_graph_params(weights->graph); i++) {
        const tx_param *p = tx_graph_param(weights->graph, i);
        const float *value = p->role == TX_ROLE_COUNTER ? NULL : tx_weights_param(weights, p);
        size_t k = value ? first_unsound(p->name, value, p->count) : p->count;
        if (k < p->count)
            return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s' holds %s but %s are expected",
                           tx_escape(text, sizeof text, what), p->name,
                           tx_number_print(number, sizeof number, (double)value[k], 9), expected_in(p->name));
    }
    return TX_OK;
}

/* A counter of whatever type. */
static tx_status read_counter(tx_tensor_file *file, const tx_stored *t, int64_t *counter)
{
    char number[TX_NUMBER];
    float value = 0;
    int whole = !tx_dtype_is_float(t->dtype);
    tx_status status = whole ? tx_tensor_file_integers(file, t, counter) : tx_tensor_file_floats(file, t, &value);
    if (status)
        return status;
    int sound = whole ? *counter >= 0 : value >= 0 && value < 9.2e18F;
    if (!whole && sound)
        *counter = (int64_t)value;
    if (sound)
        return TX_OK;
    if (whole)
        snprintf(number, sizeof number, "%lld", (long long)*counter);
    else
        tx_number_print(number, sizeof number, (double)value, 9);
    return unsound(file, t, 0, number, "numbers from 0");
}

static tx_status read_params(tx_tensor_file *file, tx_weights *weights, const tx_checkpoint_match *m)
{
    const tx_graph *graph = weights->graph;
    size_t largest = 0;
    for (int i = 0; i < tx_graph_params(graph); i++)
        if (tx_graph_param(graph, i)->count > largest)
            largest = tx_graph_param(graph, i)->count;
    float *values = tx_alloc(largest, sizeof *values);
    tx_status status = values ? TX_OK : TX_ERR_MEMORY;
    for (int i = 0; i < tx_graph_params(graph) && status == TX_OK; i++) {
        const tx_param *p = tx_graph_param(graph, i);
        const tx_stored *t = m->found[i];
        if (i == m->left_out[0] || i == m->left_out[1])
            continue;
        if (!t && p->role == TX_ROLE_COUNTER) {
            weights->counter[p->offset] = 0;
        } else if (!t) {
            continue; /* TX_CHECKPOINT_PARTIAL */
        } else if (p->role == TX_ROLE_COUNTER) {
            status = read_counter(file, t, &weights->counter[p->offset]);
        } else {
            status = tx_tensor_file_floats(file, t, values);
            if (status == TX_OK)
                status = check_values(file, t, values);
            if (status == TX_OK)
                tx_param_import(p, values, tx_weights_param(weights, p));
        }
    }
    tx_free(values);
    tx_weights_changed(weights);
    return status;
}

tx_status tx_checkpoint_read(tx_tensor_file *file, tx_weights *weights, int flags, const tx_checkpoint_names *names,
                             tx_checkpoint_report *report)
{
    if (!file || !weights)
        return tx_fail_null("tx_checkpoint_read", file ? "weights" : "file");
    if (tx_weights_fit(weights->graph, weights))
        return TX_ERR_ARGUMENT;
    if (flags & ~(TX_CHECKPOINT_NEW_HEAD | TX_CHECKPOINT_EXTRA | TX_CHECKPOINT_PARTIAL))
        return tx_fail(TX_ERR_ARGUMENT, "flags %d are not known", flags);
    tx_checkpoint_report ignored;
    tx_checkpoint_match match;
    tx_status status = tx_checkpoint_match_new(&match, file, weights->graph, names, flags, report ? report : &ignored);
    if (status)
        return status;
    status = read_params(file, weights, &match);
    tx_free(match.found);
    return status;
}

tx_status tx_checkpoint_load(const char *path, tx_weights *weights, int flags, tx_checkpoint_report *report)
{
    if (!weights)
        return tx_fail_null("tx_checkpoint_load", "weights");
    tx_tensor_file *file = tx_tensor_file_open(path);
    if (!file)
        return TX_ERR_FILE;
    tx_status status = tx_checkpoint_read(file, weights, flags, NULL, report);
    tx_tensor_file_close(file);
    return status;
}
