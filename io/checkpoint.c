/* checkpoint.c - a network's weights to a safetensors file and back, by name. */
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

tx_status tx_checkpoint_save(const char *path, const tx_weights *weights, const tx_pair *meta, size_t metas)
{
    if (!path || !weights || (!meta && metas > 0))
        return tx_fail_null("tx_checkpoint_save", !path ? "path" : !weights ? "weights" : "metadata");
    if (tx_weights_fit(weights->graph, weights))
        return TX_ERR_ARGUMENT;
    tx_safetensors_writer *w = tx_safetensors_create(path);
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put_meta(w, "format", TX_CHECKPOINT_FORMAT);
    for (size_t i = 0; i < metas; i++)
        tx_safetensors_put_meta(w, meta[i].key, meta[i].value);
    for (int i = 0; i < tx_graph_params(weights->graph); i++) {
        const tx_param *p = tx_graph_param(weights->graph, i);
        size_t shape[4];
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        tx_dtype dtype = p->role == TX_ROLE_COUNTER ? TX_I64 : TX_F32;
        tx_safetensors_put_later(w, p->name, dtype, p->dims, shape, fill_param, (void *)weights);
    }
    return tx_safetensors_finish(w);
}

/* ---------------------------------------------------------------------------------------- loading */

tx_status tx_checkpoint_find(const tx_tensor_file *file, const tx_checkpoint_names *names, const char *name,
                             const tx_stored **tensor)
{
    if (!file || !name || !tensor)
        return tx_fail_null("tx_checkpoint_find", !file ? "file" : !name ? "name" : "room for a tensor");
    *tensor = NULL;
    for (int k = 0; names && names->other && !*tensor; k++) {
        char *text = NULL;
        tx_status status = names->other(names->context, name, k, &text);
        if (status)
            return status;
        if (!text)
            break;
        *tensor = tx_tensor_file_find(file, text);
        tx_free(text);
    }
    if (!*tensor)
        *tensor = tx_tensor_file_find(file, name);
    return TX_OK;
}

/* The file's tensor for every parameter of the graph, NULL where it has none. The caller's; NULL without memory. */
static const tx_stored **find_all(const tx_tensor_file *file, const tx_graph *graph, const tx_checkpoint_names *names)
{
    const tx_stored **found = tx_alloc((size_t)tx_graph_params(graph), sizeof *found);
    for (int i = 0; found && i < tx_graph_params(graph); i++)
        if (tx_checkpoint_find(file, names, tx_graph_param(graph, i)->name, &found[i])) {
            tx_free(found);
            return NULL;
        }
    return found;
}

/* The first few names of one kind of disagreement. */
typedef struct listing {
    char text[160];
    size_t count;
} listing;

static void list(listing *l, const char *name, const char *detail)
{
    char shown[TX_TEXT];
    size_t used = strlen(l->text);
    if (l->count < 3)
        snprintf(l->text + used, sizeof l->text - used, "%s%.60s%s", l->count ? ", " : "",
                 tx_escape(shown, sizeof shown, name), detail);
    else if (l->count == 3)
        snprintf(l->text + used, sizeof l->text - used, ", ..");
    l->count++;
}

/* "(2,3)" and the like. */
static const char *shape_text(char *out, size_t size, int dims, const size_t *shape)
{
    size_t used = 1;
    snprintf(out, size, "(");
    for (int d = 0; d < dims && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", d ? "," : "", shape[d]);
    if (used < size)
        snprintf(out + used, size - used, ")");
    return out;
}

int tx_checkpoint_same_shape(const tx_param *p, const tx_stored *t)
{
    if (!p || !t) {
        tx_fail_null("tx_checkpoint_same_shape", p ? "tensor" : "parameter");
        return 0;
    }
    int convolution = p->dims == 2 && t->dims == 4;
    int same = p->dims == t->dims || (convolution && t->shape[2] == 1 && t->shape[3] == 1);
    for (int d = 0; d < p->dims && same; d++)
        same = (size_t)p->shape[d] == t->shape[d];
    return same;
}

static int readable(const tx_param *p, const tx_stored *t)
{
    return p->role == TX_ROLE_COUNTER ? tx_dtype_is_integer(t->dtype) : tx_dtype_is_float(t->dtype);
}

/* The last linear layer: its weight is the last of two dimensions in state order; its bias may follow. Returns the
 * weight's position or -1; *bias becomes the bias's or -1. */
static int find_head(const tx_graph *graph, int *bias)
{
    int head = tx_graph_params(graph) - 1;
    while (head >= 0 && tx_graph_param(graph, head)->dims != 2)
        head--;
    *bias = -1;
    if (head < 0 || head + 1 == tx_graph_params(graph))
        return head;
    const tx_param *weight = tx_graph_param(graph, head), *next = tx_graph_param(graph, head + 1);
    const char *dot = strrchr(weight->name, '.');
    size_t prefix = dot ? (size_t)(dot - weight->name) + 1 : 0;
    if (next->dims == 1 && strncmp(next->name, weight->name, prefix) == 0 && strcmp(next->name + prefix, "bias") == 0)
        *bias = head + 1;
    return head;
}

/* Whether the file's last layer differs and is to stay out: the graph's positions of its weight and bias, or -1. */
static void choose_head(const tx_stored **found, const tx_graph *graph, int flags, int left_out[2],
                        tx_checkpoint_report *report)
{
    int bias, head = find_head(graph, &bias);
    left_out[0] = left_out[1] = -1;
    if (head < 0 || !(flags & TX_CHECKPOINT_NEW_HEAD))
        return;
    const tx_param *p = tx_graph_param(graph, head);
    const tx_stored *t = found[head];
    if (t && tx_checkpoint_same_shape(p, t))
        return;
    left_out[0] = head;
    left_out[1] = bias;
    report->replaced = p->name;
    report->outputs_in_file = t && t->dims > 0 ? t->shape[0] : 0;
}

/* "F32 (2,3), not (2,4)" */
static void describe_difference(char *out, size_t size, const tx_param *p, const tx_stored *t)
{
    char is[40], wanted[40];
    size_t shape[4];
    for (int d = 0; d < p->dims; d++)
        shape[d] = (size_t)p->shape[d];
    snprintf(out, size, " %s %s, not %s", tx_dtype_name(t->dtype), shape_text(is, sizeof is, t->dims, t->shape),
             shape_text(wanted, sizeof wanted, p->dims, shape));
}

int tx_checkpoint_passes_over(const tx_checkpoint_names *names, const char *name)
{
    if (!name) {
        tx_fail_null("tx_checkpoint_passes_over", "name");
        return 0;
    }
    if (names && names->ignored && strncmp(name, names->ignored, strlen(names->ignored)) == 0)
        return 1;
    for (const char *const *p = names ? names->beside : NULL; p && *p; p++)
        if (strcmp(*p, name) == 0)
            return 1;
    return 0;
}

/* Lists the file's tensors that are no parameter's. */
static tx_status list_extra(listing *extra, const tx_tensor_file *file, const tx_stored **found, int params,
                            const tx_checkpoint_names *names)
{
    size_t count = tx_tensor_file_count(file);
    const tx_stored *first = count ? tx_tensor_file_at(file, 0) : NULL;
    unsigned char *used = tx_alloc(count, 1);
    if (!used)
        return TX_ERR_MEMORY;
    for (int i = 0; i < params; i++)
        if (found[i])
            used[found[i] - first] = 1;
    for (size_t i = 0; i < count; i++)
        if (!used[i] && !tx_checkpoint_passes_over(names, tx_tensor_file_at(file, i)->name))
            list(extra, tx_tensor_file_at(file, i)->name, "");
    tx_free(used);
    return TX_OK;
}

/* Compares names, shapes and types; the error lists what disagrees. */
static tx_status compare(tx_tensor_file *file, const tx_graph *graph, const tx_stored **found, int flags,
                         const tx_checkpoint_names *names, const int left_out[2], tx_checkpoint_report *report)
{
    listing missing = {.count = 0}, other = {.count = 0}, extra = {.count = 0};
    for (int i = 0; i < tx_graph_params(graph); i++) {
        const tx_param *p = tx_graph_param(graph, i);
        const tx_stored *t = found[i];
        char detail[96];
        if (i == left_out[0] || i == left_out[1])
            continue;
        if (!t && p->role != TX_ROLE_COUNTER) {
            list(&missing, p->name, "");
        } else if (t && !(tx_checkpoint_same_shape(p, t) && readable(p, t))) {
            describe_difference(detail, sizeof detail, p, t);
            list(&other, t->name, detail);
        }
    }
    if (list_extra(&extra, file, found, tx_graph_params(graph), names))
        return TX_ERR_MEMORY;
    report->extra = extra.count;
    if (flags & TX_CHECKPOINT_EXTRA)
        extra.count = 0;
    if (missing.count + other.count + extra.count == 0)
        return TX_OK;
    char text[480];
    size_t used = 0;
    const struct {
        const char *what;
        const listing *l;
    } kind[] = {
        {"missing", &missing}, {"of another shape or type", &other}, {"that the network does not have", &extra}};
    for (int k = 0; k < 3; k++)
        if (kind[k].l->count && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu %s (%s)",
                                     used ? "; " : "tensors: ", kind[k].l->count, kind[k].what, kind[k].l->text);
    return tx_fail(TX_ERR_FORMAT, "%s: %s", tx_tensor_file_name(file), text);
}

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

static tx_status read_counter(tx_tensor_file *file, const tx_stored *t, int64_t *counter)
{
    char number[TX_NUMBER];
    tx_status status = tx_tensor_file_integers(file, t, counter);
    if (status || *counter >= 0)
        return status;
    snprintf(number, sizeof number, "%lld", (long long)*counter);
    return unsound(file, t, 0, number, "numbers from 0");
}

static tx_status read_params(tx_tensor_file *file, tx_weights *weights, const tx_stored **found, const int left_out[2])
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
        const tx_stored *t = found[i];
        if (i == left_out[0] || i == left_out[1])
            continue;
        if (!t) {
            weights->counter[p->offset] = 0;
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
    if (flags & ~(TX_CHECKPOINT_NEW_HEAD | TX_CHECKPOINT_EXTRA))
        return tx_fail(TX_ERR_ARGUMENT, "flags %d are not known", flags);
    tx_checkpoint_report ignored;
    int left_out[2];
    if (!report)
        report = &ignored;
    memset(report, 0, sizeof *report);
    const tx_stored **found = find_all(file, weights->graph, names);
    if (!found)
        return tx_error_status();
    choose_head(found, weights->graph, flags, left_out, report);
    tx_status status = compare(file, weights->graph, found, flags, names, left_out, report);
    if (status == TX_OK)
        status = read_params(file, weights, found, left_out);
    tx_free(found);
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
