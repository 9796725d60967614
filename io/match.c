/* match.c - which of a file's tensors is which parameter of a network: by its own name, by others that it may have, and the
 * last linear layer, where people give it another name, by its shape. */
#include "safetensors_private.h"

#include <stdio.h>
#include <string.h>

/* What wrappers put before the name of every tensor: they must all have it. */
static const char *const wrapper[] = {"module.", "model.", "backbone.", "_orig_mod."};

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

/* What wrappers, one within the other, have put before every name: n bytes of the text. */
typedef struct wrapping {
    const char *text;
    size_t n;
} wrapping;

/* Whether every tensor's name begins with so many bytes of the text, those aside that no network has. */
static int all_begin(const tx_tensor_file *file, const tx_checkpoint_names *names, const char *text, size_t n)
{
    for (size_t i = 0; i < tx_tensor_file_count(file); i++) {
        const char *name = tx_tensor_file_at(file, i)->name;
        if (strncmp(name, text, n) && !tx_checkpoint_passes_over(names, name))
            return 0;
    }
    return 1;
}

static wrapping prefix_of(const tx_tensor_file *file, const tx_checkpoint_names *names)
{
    size_t count = tx_tensor_file_count(file), first = 0;
    while (first < count && tx_checkpoint_passes_over(names, tx_tensor_file_at(file, first)->name))
        first++;
    wrapping p = {first < count ? tx_tensor_file_at(file, first)->name : "", 0};
    for (size_t w = 0; w < sizeof wrapper / sizeof wrapper[0]; w++) {
        size_t more = strlen(wrapper[w]);
        if (strncmp(p.text + p.n, wrapper[w], more))
            continue;
        if (!all_begin(file, names, p.text, p.n + more))
            break;
        p.n += more;
        w = (size_t)-1; /* from the first one again */
    }
    return p;
}

/* The tensor whose name is that behind the prefix. */
static tx_status find_behind(const tx_tensor_file *file, wrapping p, const char *name, const tx_stored **tensor)
{
    if (p.n == 0) {
        *tensor = tx_tensor_file_find(file, name);
        return TX_OK;
    }
    char *whole = tx_alloc(p.n + strlen(name) + 1, 1);
    if (!whole)
        return TX_ERR_MEMORY;
    memcpy(whole, p.text, p.n);
    memcpy(whole + p.n, name, strlen(name) + 1);
    *tensor = tx_tensor_file_find(file, whole);
    tx_free(whole);
    return TX_OK;
}

/* The tensor for a parameter, by the first of its other names that the file has, else by its own. */
static tx_status find(const tx_tensor_file *file, wrapping before, const tx_checkpoint_names *names, const char *name,
                      const tx_stored **tensor)
{
    *tensor = NULL;
    for (int k = 0; names && names->other && !*tensor; k++) {
        char *text = NULL;
        tx_status status = names->other(names->context, name, k, &text);
        if (status)
            return status;
        if (!text)
            break;
        status = find_behind(file, before, text, tensor);
        tx_free(text);
        if (status)
            return status;
    }
    return *tensor ? TX_OK : find_behind(file, before, name, tensor);
}

tx_status tx_checkpoint_find(const tx_tensor_file *file, const tx_checkpoint_names *names, const char *name,
                             const tx_stored **tensor)
{
    if (!file || !name || !tensor)
        return tx_fail_null("tx_checkpoint_find", !file ? "file" : !name ? "name" : "room for a tensor");
    return find(file, prefix_of(file, names), names, name, tensor);
}

/* The file's tensor for every parameter of the graph, NULL where it has none. The caller's; NULL without memory. */
static const tx_stored **find_all(const tx_tensor_file *file, const tx_graph *graph, const tx_checkpoint_names *names)
{
    wrapping before = prefix_of(file, names);
    const tx_stored **found = tx_alloc((size_t)tx_graph_params(graph), sizeof *found);
    for (int i = 0; found && i < tx_graph_params(graph); i++)
        if (find(file, before, names, tx_graph_param(graph, i)->name, &found[i])) {
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
    if (p->role == TX_ROLE_COUNTER)
        return t->count == 1;
    int convolution = p->dims == 2 && t->dims == 4;
    int same = p->dims == t->dims || (convolution && t->shape[2] == 1 && t->shape[3] == 1);
    for (int d = 0; d < p->dims && same; d++)
        same = (size_t)p->shape[d] == t->shape[d];
    return same;
}

static int readable(const tx_param *p, const tx_stored *t)
{
    return tx_dtype_is_float(t->dtype) || (p->role == TX_ROLE_COUNTER && tx_dtype_is_integer(t->dtype));
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

/* Which of the file's tensors some parameter has found: a byte each, the caller's; NULL without memory. */
static unsigned char *mark_used(const tx_tensor_file *file, const tx_stored **found, int params)
{
    size_t count = tx_tensor_file_count(file);
    const tx_stored *first = count ? tx_tensor_file_at(file, 0) : NULL;
    unsigned char *used = tx_alloc(count, 1);
    for (int i = 0; used && i < params; i++)
        if (found[i])
            used[found[i] - first] = 1;
    return used;
}

/* The bias beside a weight, a number for each of its rows; NULL if the tensor is no such weight or has none. */
static const tx_stored *bias_of(const tx_tensor_file *file, const tx_stored *weight)
{
    static const char leaf[] = "weight";
    size_t n = strlen(weight->name), m = sizeof leaf - 1;
    if (n < m || strcmp(weight->name + n - m, leaf) || (n > m && weight->name[n - m - 1] != '.'))
        return NULL;
    for (size_t i = 0; i < tx_tensor_file_count(file); i++) {
        const tx_stored *t = tx_tensor_file_at(file, i);
        if (t->dims == 1 && t->shape[0] == weight->shape[0] && strncmp(t->name, weight->name, n - m) == 0 &&
            strcmp(t->name + n - m, "bias") == 0)
            return t;
    }
    return NULL;
}

/* A last layer of another name: the one tensor that no parameter has found, is read by as many features and has a bias. */
static tx_status find_renamed(const tx_tensor_file *file, const tx_graph *graph, const tx_stored **found,
                              tx_checkpoint_report *report)
{
    int bias, head = find_head(graph, &bias);
    if (head < 0 || bias < 0 || found[head] || found[bias])
        return TX_OK;
    unsigned char *used = mark_used(file, found, tx_graph_params(graph));
    if (!used)
        return TX_ERR_MEMORY;
    size_t fit = 0;
    const tx_stored *weight = NULL;
    for (size_t i = 0; i < tx_tensor_file_count(file); i++) {
        const tx_stored *t = tx_tensor_file_at(file, i);
        if (used[i] || t->dims != 2 || t->shape[1] != (size_t)tx_graph_param(graph, head)->shape[1] ||
            !bias_of(file, t))
            continue;
        weight = t;
        fit++;
    }
    tx_free(used);
    if (fit != 1)
        return TX_OK;
    found[head] = weight;
    found[bias] = bias_of(file, weight);
    report->renamed = tx_graph_param(graph, head)->name;
    return TX_OK;
}

/* Whether the file's last layer differs and is to stay out: the graph's positions of its weight and bias, or -1. */
static void choose_head(const tx_stored **found, const tx_graph *graph, int flags, int left_out[2],
                        tx_checkpoint_report *report)
{
    int bias, head = find_head(graph, &bias);
    left_out[0] = left_out[1] = -1;
    if (head < 0)
        return;
    const tx_param *p = tx_graph_param(graph, head);
    const tx_stored *t = found[head];
    report->outputs_in_file = t && t->dims > 0 ? t->shape[0] : 0;
    report->features_in_file = t && t->dims > 1 ? t->shape[1] : 0;
    if (!(flags & TX_CHECKPOINT_NEW_HEAD) || (t && tx_checkpoint_same_shape(p, t)))
        return;
    left_out[0] = head;
    left_out[1] = bias;
    report->replaced = p->name;
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

/* Lists the file's tensors that are no parameter's. */
static tx_status list_extra(listing *extra, const tx_tensor_file *file, const tx_stored **found, int params,
                            const tx_checkpoint_names *names)
{
    size_t before = prefix_of(file, names).n;
    unsigned char *used = mark_used(file, found, params);
    if (!used)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < tx_tensor_file_count(file); i++) {
        const char *name = tx_tensor_file_at(file, i)->name;
        if (!used[i] && !tx_checkpoint_passes_over(names, name) && !tx_checkpoint_passes_over(names, name + before))
            list(extra, name, "");
    }
    tx_free(used);
    return TX_OK;
}

/* "tensors: 1 missing (fc.bias); 2 that the network does not have (a, b)"; "" where none are listed. */
static void describe(char *out, size_t size, const listing *missing, const listing *other, const listing *extra)
{
    const struct {
        const char *what;
        const listing *l;
    } kind[] = {{"missing", missing}, {"of another shape or type", other}, {"that the network does not have", extra}};
    size_t used = 0;
    out[0] = 0;
    for (int k = 0; k < 3; k++)
        if (kind[k].l->count && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%zu %s (%s)",
                                     used ? "; " : "tensors: ", kind[k].l->count, kind[k].what, kind[k].l->text);
}

/* Compares names, shapes and types; the error lists what disagrees. */
static tx_status compare(const tx_tensor_file *file, const tx_graph *graph, const tx_checkpoint_names *names, int flags,
                         const tx_checkpoint_match *m, tx_checkpoint_report *report)
{
    listing missing = {.count = 0}, other = {.count = 0}, extra = {.count = 0};
    int partial = (flags & TX_CHECKPOINT_PARTIAL) != 0, same = report->renamed ? -2 : 0; /* by name */
    for (int i = 0; i < tx_graph_params(graph); i++) {
        const tx_param *p = tx_graph_param(graph, i);
        const tx_stored *t = m->found[i];
        char detail[96];
        if (i == m->left_out[0] || i == m->left_out[1])
            continue;
        if (!t && p->role != TX_ROLE_COUNTER) {
            list(&missing, p->name, "");
        } else if (t && !(tx_checkpoint_same_shape(p, t) && readable(p, t))) {
            describe_difference(detail, sizeof detail, p, t);
            list(&other, t->name, detail);
        } else {
            same += t != NULL;
        }
    }
    if (list_extra(&extra, file, m->found, tx_graph_params(graph), names))
        return TX_ERR_MEMORY;
    report->extra = extra.count;
    if ((flags & TX_CHECKPOINT_EXTRA) && !partial)
        extra.count = 0;
    describe(report->unmatched, sizeof report->unmatched, &missing, &other, &extra);
    int bad = partial ? other.count > 0 || same <= 0 : missing.count + other.count + extra.count > 0;
    return bad ? tx_fail(TX_ERR_FORMAT, "%s: %s", tx_tensor_file_name(file), report->unmatched) : TX_OK;
}

tx_status tx_checkpoint_match_new(tx_checkpoint_match *m, const tx_tensor_file *file, const tx_graph *graph,
                                  const tx_checkpoint_names *names, int flags, tx_checkpoint_report *report)
{
    memset(report, 0, sizeof *report);
    m->found = find_all(file, graph, names);
    if (!m->found)
        return tx_error_status();
    tx_status status = find_renamed(file, graph, m->found, report);
    if (status == TX_OK) {
        choose_head(m->found, graph, flags, m->left_out, report);
        status = compare(file, graph, names, flags, m, report);
    }
    if (status)
        tx_free(m->found);
    return status;
}

tx_status tx_checkpoint_compare(const tx_tensor_file *file, const tx_graph *graph, int flags,
                                const tx_checkpoint_names *names, tx_checkpoint_report *report)
{
    tx_checkpoint_match m;
    if (!file || !graph || !report)
        return tx_fail_null("tx_checkpoint_compare", !file ? "file" : graph ? "room for the report" : "graph");
    tx_status status = tx_checkpoint_match_new(&m, file, graph, names, flags, report);
    if (status == TX_OK)
        tx_free(m.found);
    return status;
}
