/* figures.c - figures as people read them, and the notes that explain them. */
#include "figures.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ gathering */
static tx_status make_room(figure_set *f, size_t tasks)
{
    memset(f, 0, sizeof *f);
    f->task = tx_alloc(tasks, sizeof *f->task);
    return f->task ? TX_OK : TX_ERR_MEMORY;
}

tx_status figures_of_scores(figure_set *f, const scores *s)
{
    if (make_room(f, (size_t)s->tasks))
        return TX_ERR_MEMORY;
    for (; f->tasks < s->tasks; f->tasks++) {
        const task_score *t = &s->task[f->tasks];
        f->task[f->tasks] = (figure){t->task,
                                     (double)t->auc.positives,
                                     (double)t->auc.negatives,
                                     t->auc.auc,
                                     t->auc.low,
                                     t->auc.high,
                                     t->auc.method,
                                     t->blank,
                                     t->twin,
                                     t->opposite,
                                     t->undefined};
    }
    memcpy(f->mean, s->mean, sizeof f->mean);
    f->replicates = s->replicates;
    f->by_patient = s->by_patient;
    return TX_OK;
}

tx_status figures_of_metrics(figure_set *f, const metrics *m, uint64_t step, int test)
{
    if (make_room(f, m->rows))
        return TX_ERR_MEMORY;
    means_begin(f->mean);
    for (size_t i = 0; i < m->rows; i++) {
        const metric *r = &m->row[i];
        if (r->step != step || r->test != test || !isfinite(r->positives))
            continue;
        f->task[f->tasks++] = (figure){.task = r->task,
                                       .positives = r->positives,
                                       .negatives = r->negatives,
                                       .auc = r->auc,
                                       .low = r->low,
                                       .high = r->high,
                                       .method = r->method};
        means_add(f->mean, r->task, r->auc);
    }
    means_end(f->mean);
    return TX_OK;
}

void figures_free(figure_set *f)
{
    tx_free(f->task);
    memset(f, 0, sizeof *f);
}

/* ------------------------------------------------------------------------------------------- one by one */
int figure_few(const figure *f)
{
    return f->positives < FIGURE_FEW || f->negatives < FIGURE_FEW;
}

const char *figure_why(const figure *f)
{
    if (f->blank)
        return "all blank";
    if (!(f->positives > 0) && !(f->negatives > 0))
        return "no label";
    if (!(f->positives > 0) || !(f->negatives > 0))
        return f->positives > 0 ? "no negative" : "no positive";
    if (f->positives < 2 || f->negatives < 2)
        return f->positives < 2 ? "1 positive" : "1 negative";
    if (strcmp(f->method, "constant") == 0)
        return "constant";
    if (strcmp(f->method, "delong-clipped") == 0 || f->low == f->high)
        return "no variance";
    return isnan(f->low) ? f->method : NULL;
}

const char *figure_auc(const figure *f, char out[16])
{
    char number[TX_NUMBER];
    if (isnan(f->auc))
        snprintf(out, 16, "- ");
    else
        snprintf(out, 16, "%.8s%c", tx_number_fixed(number, sizeof number, f->auc, 3), figure_few(f) ? '*' : ' ');
    return out;
}

const char *mean_value(const mean_score *m, char out[16])
{
    return figure_auc(&(figure){.auc = m->value, .positives = FIGURE_FEW, .negatives = FIGURE_FEW}, out);
}

static const char *print_interval(double low, double high, char out[32])
{
    char from[TX_NUMBER], to[TX_NUMBER];
    snprintf(out, 32, "%.8s-%.8s", tx_number_fixed(from, sizeof from, low, 3), tx_number_fixed(to, sizeof to, high, 3));
    return out;
}

const char *mean_extent(const mean_score *m, char out[32])
{
    snprintf(out, 32, m->tasks == m->of ? "over all %d" : "over %d of %d", m->tasks, m->of);
    return out;
}

const char *figure_interval(const figure *f, char out[32])
{
    const char *why = figure_why(f);
    if (!why)
        return print_interval(f->low, f->high, out);
    snprintf(out, 32, "%.31s", why);
    return out;
}

const char *mean_interval(const mean_score *m, char out[32])
{
    if (!isnan(m->low))
        return print_interval(m->low, m->high, out);
    return mean_extent(m, out);
}

/* -------------------------------------------------------------------------------------------- notes */
/* What stands before the next item of a list. */
static const char *comma(int *count)
{
    return (*count)++ ? ", " : "";
}

/* Which of the gaps in these tables need a word. */
static void note_gaps(const figure_set *const *list, int count, tx_buffer *to)
{
    int few = 0, flat = 0, apart = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; list[i] && k < list[i]->tasks; k++) {
            const figure *f = &list[i]->task[k];
            const char *why = figure_why(f);
            few |= !isnan(f->auc) && figure_few(f);
            flat |= why && strcmp(why, "constant") == 0;
            apart |= why && strcmp(why, "no variance") == 0;
        }
    if (few)
        tx_buffer_add(to,
                      "* fewer than %d positives or negatives: the figure says little, and its interval may be "
                      "too narrow.\n",
                      (int)FIGURE_FEW);
    if (flat)
        tx_buffer_append(to, "constant: all scores are equal, the AUC says nothing.\n");
    if (apart)
        tx_buffer_append(to, "no variance: every positive is scored above every negative, or below, and the interval "
                             "has no width.\n");
}

/* How many replicates a task or mean lacks. */
static void note_lost(const char *name, size_t undefined, int *n, tx_buffer *to)
{
    if (undefined)
        tx_buffer_add(to, "%s%s %zu", *n ? ", " : "; lacking a class, so left out: ", name, undefined);
    *n += undefined > 0;
}

/* Where intervals come from; where the means have some, what these are over, which does not stand in the table then. */
static void note_intervals(const figure_set *const *list, const char *const *split, int count, tx_buffer *to)
{
    char room[32];
    tx_buffer_add(to, "Intervals: 95%%, %s.\n",
                  list[0]->replicates ? "percentiles of the bootstrap" : "by DeLong's variance on the logit scale");
    for (int i = 0; i < count; i++) {
        const figure_set *f = list[i];
        int n = 0;
        if (!f->replicates)
            continue;
        tx_buffer_add(to, "%s: %zu replicates that draw %s", split[i], f->replicates,
                      f->by_patient ? "patients" : "studies");
        for (int k = 0; k < f->tasks; k++)
            if (!figure_why(&f->task[k]))
                note_lost(f->task[k].task, f->task[k].undefined, &n, to);
        for (int k = 0; k < 3; k++)
            if (f->mean[k].tasks)
                note_lost(f->mean[k].name, f->mean[k].undefined, &n, to);
        tx_buffer_append(to, ".\n");
        for (int k = 0; k < 3; k++)
            tx_buffer_add(to, "%s%s %s%s", k ? "" : "Means: ", f->mean[k].name, mean_extent(&f->mean[k], room),
                          k < 2 ? ", " : ".\n");
    }
}

/* The names of a split's tasks without an AUC. */
static void note_undefined(const figure_set *f, const char *split, tx_buffer *to)
{
    int n = 0;
    for (int k = 0; k < f->tasks; k++)
        if (isnan(f->task[k].auc)) {
            if (n == 0)
                tx_buffer_add(to, "Without an AUC%s%s, so in no mean: ", split ? " on " : "", split ? split : "");
            tx_buffer_append(to, comma(&n));
            tx_buffer_append(to, f->task[k].task);
        }
    tx_buffer_append(to, n ? ".\n" : "");
}

static const figure *find(const figure_set *f, const char *task)
{
    for (int k = 0; k < f->tasks; k++)
        if (strcmp(f->task[k].task, task) == 0)
            return &f->task[k];
    return NULL;
}

/* What mean5 and mean6 are of, and what the tasks lack for them. */
static void note_means(const figure_set *f, tx_buffer *to)
{
    int n = 0;
    tx_buffer_append(to, "mean5: ");
    for (int i = 0; i < 5; i++) {
        tx_buffer_append(to, comma(&n));
        tx_buffer_append(to, mean_tasks[i]);
    }
    tx_buffer_add(to, "; mean6: and %s; mean: all tasks; each over those that have an AUC.\n", mean_tasks[5]);
    n = 0;
    for (int i = 0; i < 6; i++)
        if (!find(f, mean_tasks[i])) {
            tx_buffer_append(to, n ? "" : "Not among the tasks: ");
            tx_buffer_append(to, comma(&n));
            tx_buffer_append(to, mean_tasks[i]);
        }
    tx_buffer_append(to, n ? ".\n" : "");
}

/* The means that count both of two tasks; NULL if none does. */
static const char *means_of_both(const figure *a, const figure *b)
{
    static const char *const names[] = {NULL, "mean counts", "mean6 and mean count", "mean5, mean6 and mean count"};
    int n = 0;
    for (int i = 0; i < 3; i++)
        n += mean_has(i, a->task) && mean_has(i, b->task);
    return isnan(a->auc) || isnan(b->auc) ? NULL : names[n];
}

/* The means that count a set's task k and the one that it repeats. */
static const char *counted_twice(const figure_set *f, int k)
{
    const figure *a = &f->task[k], *b = a->twin ? find(f, a->twin) : NULL;
    return b ? means_of_both(a, b) : NULL;
}

static int same_twin(const figure *a, const figure *b)
{
    return a->twin && b->twin && strcmp(a->twin, b->twin) == 0 && a->opposite == b->opposite;
}

/* What is counted twice, by name, and in which of the splits. */
static void note_twins(const figure_set *const *list, const char *const *split, int count, tx_buffer *to)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < list[i]->tasks; k++) {
            const figure *a = &list[i]->task[k];
            const char *means = counted_twice(list[i], k);
            int both = count == 2 && same_twin(a, &list[1 - i]->task[k]) && counted_twice(list[1 - i], k) == means;
            if (!means || (both && i == 1))
                continue;
            tx_buffer_append(to, a->task);
            tx_buffer_append(to, a->opposite ? " is the opposite of " : " says the same as ");
            tx_buffer_append(to, a->twin);
            tx_buffer_add(to, " in every image of %s%s%s: %s both.\n", split[i], both ? " and " : "",
                          both ? split[1] : "", means);
        }
}

/* Whether the same tasks have no AUC in all sets. */
static int alike(const figure_set *const *list, int count)
{
    for (int i = 1; i < count; i++)
        for (int k = 0; k < list[0]->tasks; k++)
            if (k >= list[i]->tasks || isnan(list[i]->task[k].auc) != isnan(list[0]->task[k].auc))
                return 0;
    return 1;
}

void figures_notes(const figure_set *const *list, const char *const *split, int count, tx_buffer *to)
{
    note_gaps(list, count, to);
    note_intervals(list, split, count, to);
    note_means(list[0], to);
    if (alike(list, count))
        note_undefined(list[0], NULL, to);
    for (int i = 0; i < count && !alike(list, count); i++)
        note_undefined(list[i], split[i], to);
    note_twins(list, split, count, to);
}

tx_status notes_print(tx_buffer *notes, FILE *out)
{
    for (char *line = notes->data; notes->status == TX_OK && line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        print_wrapped(out, line);
        line = end ? end + 1 : NULL;
    }
    tx_status status = notes->status;
    tx_buffer_free(notes);
    return status;
}

/* ------------------------------------------------------------------------------------------- a table */
static void head(table *t, const char *const *split, int count)
{
    table_cell(t, "%s", "");
    for (int i = 0; i < count; i++) {
        table_cell(t, "%s", "");
        table_cell(t, "%s", "");
        table_cell(t, "%s", split[i]);
        table_cell(t, "%s", "");
    }
    table_row(t);
    table_cell(t, "task");
    for (int i = 0; i < count; i++) {
        table_cell(t, "pos");
        table_cell(t, "neg");
        table_cell(t, "AUC ");
        table_cell(t, "interval");
    }
    table_row(t);
}

tx_status figures_print(const figure_set *const *list, const char *const *split, int count, FILE *out)
{
    char room[32];
    table t = {.align = count == 1 ? "lrrrl" : "lrrrlrrrl"};
    tx_buffer notes = {0};
    head(&t, split, count);
    for (int k = 0; k < list[0]->tasks; k++) {
        table_cell(&t, "%s", list[0]->task[k].task);
        for (int i = 0; i < count; i++) {
            const figure *f = &list[i]->task[k];
            table_cell(&t, "%.0f", f->positives);
            table_cell(&t, "%.0f", f->negatives);
            table_cell(&t, "%s", figure_auc(f, room));
            table_cell(&t, "%s", figure_interval(f, room));
        }
        table_row(&t);
    }
    for (int m = 0; m < 3; m++) {
        table_cell(&t, "%s", list[0]->mean[m].name);
        for (int i = 0; i < count; i++) {
            table_cell(&t, "%s", "");
            table_cell(&t, "%s", "");
            table_cell(&t, "%s", mean_value(&list[i]->mean[m], room));
            table_cell(&t, "%s", mean_interval(&list[i]->mean[m], room));
        }
        table_row(&t);
    }
    figures_notes(list, split, count, &notes);
    tx_status status = table_print(&t, out);
    tx_status noted = notes_print(&notes, out);
    return status ? status : noted;
}
