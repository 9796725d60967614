/* eval_compare_print.c - the differences between models: as tables for people, as JSON, as comparisons.csv. */
#include "eval_compare.h"
#include "figures.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- for people */
/* "0.0123", "<0.0001", "-". */
static const char *p_value(double p, char out[16])
{
    char number[TX_NUMBER];
    if (isnan(p))
        return "-";
    if (p < 0.0001)
        return "<0.0001";
    snprintf(out, 16, "%.8s", tx_number_fixed(number, sizeof number, p, 4));
    return out;
}

/* "-0.012 to 0.034", or why there is none. */
static const char *extent_of_difference(const comparison *one, char out[32])
{
    char low[TX_NUMBER], high[TX_NUMBER];
    if (!isnan(one->low)) {
        snprintf(out, 32, "%.8s to %.8s", tx_number_fixed(low, sizeof low, one->low, 3),
                 tx_number_fixed(high, sizeof high, one->high, 3));
        return out;
    }
    if (strcmp(one->method, "undefined") != 0)
        return strcmp(one->method, "equal") == 0 ? "equal" : "no variance";
    const figure f = {.positives = (double)one->positives,
                      .negatives = (double)one->negatives,
                      .method = one->method,
                      .low = (double)NAN};
    return one->mean ? "-" : figure_why(&f);
}

static void print_head(const comparison *one, table *t)
{
    table_cell(t, "task");
    table_cell(t, "AUC %zu", one->a + 1);
    table_cell(t, "AUC %zu", one->b + 1);
    table_cell(t, "%zu - %zu ", one->a + 1, one->b + 1);
    table_cell(t, "interval");
    table_cell(t, "p");
    table_cell(t, "p, Holm");
    table_row(t);
}

static void print_row(const comparison *one, table *t)
{
    char room[32], number[TX_NUMBER];
    const figure few = {.positives = (double)one->positives, .negatives = (double)one->negatives};
    if (one->mean)
        table_cell(t, "%s of %d", one->what, one->tasks);
    else
        table_cell(t, "%s", one->what);
    table_number(t, one->auc_a, 3);
    table_number(t, one->auc_b, 3);
    if (isnan(one->difference))
        table_cell(t, "- ");
    else
        table_cell(t, "%s%c", tx_number_fixed(number, sizeof number, one->difference, 3),
                   !one->mean && figure_few(&few) ? '*' : ' ');
    table_cell(t, "%s", extent_of_difference(one, room));
    table_cell(t, "%s", p_value(one->p, room));
    table_cell(t, "%s", p_value(one->holm, room));
    table_row(t);
}

static int has_method(const comparisons *c, const char *method)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].method, method) == 0)
            return 1;
    return 0;
}

static size_t lost_replicates(const comparisons *c)
{
    size_t most = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].mean || c->bootstrap)
            most = c->list[i].undefined > most ? c->list[i].undefined : most;
    return most;
}

static void note_methods(const comparisons *c, const evaluation *v, tx_buffer *to)
{
    const char *of = v->by_study ? "studies" : "images", *drawn = c->by_patient ? "patients" : "studies";
    const size_t lost = lost_replicates(c);
    int differ = 0;
    for (size_t m = 1; m < v->models; m++)
        differ |= strcmp(v->entry[0].part[SCORED].data->task_names, v->entry[m].part[SCORED].data->task_names) != 0;
    if (v->models > COMPARE_ALL)
        tx_buffer_add(to, "Of more than %d models the first is compared with each other%s.\n", (int)COMPARE_ALL,
                      v->entries > v->models ? ", the ensemble with each" : "");
    if (differ)
        tx_buffer_append(to,
                         "Means of the models are each over its own tasks, differences of means over those of both.\n");
    if (c->fewer)
        tx_buffer_add(to, "Compared on the %zu %s that all models have scores of.\n", c->units, of);
    if (c->bootstrap)
        tx_buffer_add(to,
                      "Differences: 95%% percentile intervals and two-sided p of %zu paired replicates that draw %s.\n",
                      c->replicates, drawn);
    else
        tx_buffer_add(
            to,
            "Differences of tasks: 95%% intervals and two-sided p by DeLong's variance; of means: of %zu paired "
            "bootstrap replicates that draw %s.\n",
            c->replicates, drawn);
    if (lost)
        tx_buffer_add(to, "Replicates that lack a class are left out, at most %zu of %zu.\n", lost, c->replicates);
    tx_buffer_add(to, "p, Holm: corrected over tests of tasks (%zu), and apart from them over those of means (%zu).\n",
                  c->tests[0], c->tests[1]);
    if (has_method(c, "equal"))
        tx_buffer_append(to, "equal: the difference is 0 and does not vary, so there is no test.\n");
    if (has_method(c, "no-variance"))
        tx_buffer_append(to, "no variance: the difference is not 0, but does not vary, so there is no test.\n");
}

/* The end of a name, which tells files of one folder apart. */
static const char *end_of_name(const char *name, char out[TX_TEXT])
{
    enum { ROOM = 46 };
    size_t n = strlen(tx_escape(out, TX_TEXT, name));
    if (n <= ROOM)
        return out;
    size_t from = n - ROOM + 2;
    while (((unsigned char)out[from] & 0xc0) == 0x80)
        from++;
    memmove(out + 2, out + from, n - from + 1);
    memcpy(out, "..", 2);
    return out;
}

/* What the numbers in the tables below stand for. */
static tx_status print_models(const evaluation *v)
{
    char name[TX_TEXT];
    table t = {.align = "lrrr"};
    table_cell(&t, "models compared");
    for (int i = 0; i < 3; i++)
        table_cell(&t, "%s", v->entry[0].part[SCORED].scores.mean[i].name);
    table_row(&t);
    for (size_t m = 0; m < v->entries; m++) {
        table_cell(&t, "%zu: %s", m + 1, end_of_name(v->entry[m].name, name));
        for (int i = 0; i < 3; i++)
            table_number(&t, v->entry[m].part[SCORED].scores.mean[i].value, 3);
        table_row(&t);
    }
    return table_print(&t, stdout);
}

tx_status comparisons_print(const comparisons *c, const evaluation *v)
{
    tx_buffer notes = {0};
    tx_status status = print_models(v);
    for (size_t i = 0; status == TX_OK && i < c->count;) {
        table t = {.align = "lrrrlrr"};
        const comparison *first = &c->list[i];
        print_head(first, &t);
        for (; i < c->count && c->list[i].a == first->a && c->list[i].b == first->b; i++)
            print_row(&c->list[i], &t);
        status = table_print(&t, stdout);
    }
    note_methods(c, v, &notes);
    tx_status noted = notes_print(&notes, stdout);
    return status ? status : noted;
}

/* ----------------------------------------------------------------------------------------- for programs */
static void json_comparison(const comparison *one, const evaluation *v, json *j)
{
    json_open(j, NULL, '{');
    json_string(j, "a", v->entry[one->a].name);
    json_string(j, "b", v->entry[one->b].name);
    json_string(j, "task", one->what);
    if (one->mean) {
        json_whole(j, "tasks", one->tasks);
        json_whole(j, "of", one->of);
    } else {
        json_whole(j, "positives", (long long)one->positives);
        json_whole(j, "negatives", (long long)one->negatives);
    }
    const char *const key[] = {"auc_a", "auc_b", "difference", "low", "high", "se", "z", "p", "p_holm"};
    const double value[] = {one->auc_a, one->auc_b, one->difference, one->low, one->high,
                            one->se,    one->z,     one->p,          one->holm};
    for (int i = 0; i < 9; i++)
        json_real(j, key[i], value[i]);
    json_string(j, "method", one->method);
    json_whole(j, "undefined_replicates", (long long)one->undefined);
    json_close(j, '}');
}

void comparisons_json(const comparisons *c, const evaluation *v, json *j)
{
    json_open(j, "compared", '{');
    json_whole(j, "pairs", (long long)c->pairs);
    json_whole(j, v->by_study ? "studies" : "images", (long long)c->units);
    json_string(j, "tasks_by", c->bootstrap ? "bootstrap" : "delong");
    json_string(j, "means_by", "bootstrap");
    json_whole(j, "replicates", (long long)c->replicates);
    json_string(j, "group", c->by_patient ? "patient" : "study");
    json_whole(j, "holm_tests_of_tasks", (long long)c->tests[0]);
    json_whole(j, "holm_tests_of_means", (long long)c->tests[1]);
    json_close(j, '}');
    json_open(j, "comparisons", '[');
    for (size_t i = 0; i < c->count; i++)
        json_comparison(&c->list[i], v, j);
    json_close(j, ']');
}

static void add_row(const comparison *one, const comparisons *c, const evaluation *v, tx_buffer *p)
{
    char number[TX_NUMBER];
    const double value[] = {one->auc_a, one->auc_b, one->difference, one->low, one->high,
                            one->se,    one->z,     one->p,          one->holm};
    tx_buffer_csv(p, v->entry[one->a].name);
    tx_buffer_append(p, ",");
    tx_buffer_csv(p, v->entry[one->b].name);
    tx_buffer_append(p, ",");
    tx_buffer_csv(p, one->what);
    if (one->mean)
        tx_buffer_append(p, ",nan,nan");
    else
        tx_buffer_add(p, ",%zu,%zu", one->positives, one->negatives);
    for (int i = 0; i < 9; i++)
        tx_buffer_add(p, ",%s", tx_number_shortest(number, sizeof number, value[i]));
    tx_buffer_add(p, ",%s,%zu,", one->method, c->tests[one->mean != 0]);
    tx_buffer_csv(p, v->entry[0].folder);
    tx_buffer_add(p, ",%s,%s\n", v->split[SCORED], v->by_study ? "study" : "image");
}

tx_status comparisons_write(const comparisons *c, const evaluation *v, const char *folder)
{
    tx_buffer p = {0};
    tx_buffer_append(&p,
                     "model_a,model_b,task,positives,negatives,auc_a,auc_b,difference,low,high,se,z,p,p_holm,method,"
                     "tests,data,split,unit\n");
    for (size_t i = 0; i < c->count; i++)
        add_row(&c->list[i], c, v, &p);
    char *path = tx_path_join(folder, "comparisons.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}
