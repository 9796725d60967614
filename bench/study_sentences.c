/* study_sentences.c - what a study's figures can and cannot show, in sentences. */
#include "study_sentences.h"
#include "html.h"
#include "study_panels.h"

#include <math.h>
#include <string.h>

/* A difference that is left when all those of its question are looked at together. */
static const double significant = 0.05;

static const char *name_of(const study_model *m, char out[STUDY_NAME])
{
    return study_display_name(m->net, m->cut, out);
}

static void begin(tx_buffer *p, const char *head)
{
    tx_buffer_add(p, "<li><b>%s</b> ", head);
}

static void end(tx_buffer *p)
{
    tx_buffer_append(p, "</li>\n");
}

/* ---------------------------------------------------------------------------------------- pretraining */
/* How many differences of a list are above 0, below 0, and open, after the correction. */
typedef struct verdicts {
    size_t above, below, open;
} verdicts;

static verdicts judge(const study_difference *list, size_t count)
{
    verdicts v = {0, 0, 0};
    for (size_t i = 0; i < count; i++)
        if (!(list[i].adjusted < significant))
            v.open++;
        else if (list[i].value > 0)
            v.above++;
        else
            v.below++;
    return v;
}

static void say_pretraining(tx_buffer *p, const study_tests *t)
{
    char number[TX_NUMBER];
    const study_difference *mean = &t->mean_gain;
    verdicts v = judge(t->gain, t->gains);
    if (!t->gains || isnan(mean->value))
        return;
    begin(p, "Pretraining.");
    tx_buffer_add(p,
                  "Over the %zu network%s that %s trained both ways, pretraining changes the AUC by %s on average "
                  "(95%% interval ",
                  t->gains, html_many(t->gains), t->gains == 1 ? "was" : "were",
                  html_number(number, mean->value, 3, 1));
    html_interval(p, mean->low, mean->high, 3);
    tx_buffer_append(p, mean->low > 0    ? "): these networks are better with it."
                        : mean->high < 0 ? "): these networks are worse with it."
                                         : "): whether it helps is open.");
    tx_buffer_add(
        p,
        " One by one, after Holm's correction, %zu %s better with it, %zu %s worse, and for %zu the data do not tell.",
        v.above, v.above == 1 ? "is" : "are", v.below, v.below == 1 ? "is" : "are", v.open);
    end(p);
}

/* -------------------------------------------------------------------------------------------- ranking */
/* Models of the full pretrained networks: how wide their intervals are on average, and how far apart best and worst. */
static void spread(const study_table *all, double *width, double *range, size_t *count)
{
    double sum = 0, low = (double)INFINITY, high = -(double)INFINITY;
    *count = 0;
    for (size_t i = 0; i < all->models; i++) {
        const study_model *m = &all->model[i];
        if (!m->pretrained || m->cut || !(m->high >= m->low))
            continue;
        sum += m->high - m->low;
        low = m->auc < low ? m->auc : low;
        high = m->auc > high ? m->auc : high;
        ++*count;
    }
    *width = sum / (double)*count;
    *range = high - low;
}

static void say_ranking(tx_buffer *p, const study_results *r, const study_tests *t)
{
    char a[TX_NUMBER], b[TX_NUMBER], name[STUDY_NAME];
    double width, range;
    size_t count, ties = 0, alone = 0;
    spread(&r->table, &width, &range, &count);
    if (count < 2 || !t->leads)
        return;
    for (size_t i = 0; i < t->leads; i++) {
        ties += !(t->lead[i].adjusted < significant);
        alone += t->lead[i].low > 0;
    }
    begin(p, "Which network is best.");
    tx_buffer_add(p,
                  "The %zu pretrained networks lie within %s of each other, and the 95%% interval of one is %s wide on "
                  "average. ",
                  count, html_number(a, range, 3, 0), html_number(b, width, 3, 0));
    tx_buffer_append(p, name_of(t->lead[0].a, name));
    if (ties == t->leads)
        tx_buffer_append(
            p, " has the largest AUC, but none of the others differs significantly from it after Holm's correction: "
               "these are ties, not a ranking.");
    else if (ties)
        tx_buffer_add(p,
                      " has the largest AUC; %zu of the %zu others do not differ significantly from it after Holm's "
                      "correction: these are ties, and the order among them is no ranking.",
                      ties, t->leads);
    else
        tx_buffer_append(
            p, " has the largest AUC, and each of the others differs significantly from it after Holm's correction.");
    if (ties && alone)
        tx_buffer_add(p, " Taken alone, the intervals of %zu of its leads are above 0.", alone);
    end(p);
}

/* --------------------------------------------------------------------------------------- correlations */
static void say_rank(tx_buffer *p, const study_rank *k)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, "%s: rho %s (", k->what, html_number(number, k->rho.rho, 2, 1));
    html_interval(p, k->rho.low, k->rho.high, 2);
    tx_buffer_append(p, "; p ");
    html_p_value(p, k->rho.p);
    tx_buffer_append(p, k->rho.low > 0    ? "): more of the one goes with more of the other"
                        : k->rho.high < 0 ? "): more of the one goes with less of the other"
                                          : "): no correlation is shown");
    int alone = (k->rho.low > 0 || k->rho.high < 0) && !(k->adjusted < significant);
    tx_buffer_append(p, alone ? ", taken alone; not after Holm's correction. " : ". ");
}

static void say_ranks(tx_buffer *p, const study_tests *t)
{
    static const struct {
        const char *head;
        int from, to;
    } parts[] = {{"ImageNet and chest radiographs.", 0, 2}, {"Size.", 2, STUDY_RANKS}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int any = 0;
        for (int k = parts[i].from; k < parts[i].to; k++) {
            if (isnan(t->rank[k].rho.low))
                continue;
            if (!any++)
                begin(p, parts[i].head);
            say_rank(p, &t->rank[k]);
        }
        if (any)
            end(p);
    }
}

/* ----------------------------------------------------------------------------------------- truncation */
static void say_truncation(tx_buffer *p, const study_tests *t)
{
    char factor[TX_NUMBER], name[STUDY_NAME];
    verdicts v = judge(t->cost, t->costs);
    if (!t->cuts)
        return;
    begin(p, "Truncation.");
    tx_buffer_append(
        p, "The largest cut that is not significantly worse than its full network (the interval of the difference "
           "reaches 0) is ");
    for (size_t i = 0; i < t->cuts; i++) {
        tx_buffer_append(p, i ? ", " : "");
        int none = t->cut[i].cut == t->cut[i].full;
        tx_buffer_add(p, "%s%s", none ? "none of " : "", name_of(t->cut[i].cut, name));
        if (!none)
            tx_buffer_add(p, " (%s times fewer parameters)", html_number(factor, t->cut[i].factor, 1, 0));
    }
    tx_buffer_add(p, "; on average %s times fewer (the paper: 3.25). ", html_number(factor, t->compression, 2, 0));
    tx_buffer_add(
        p,
        "Not significantly worse is not equal: the intervals below say how much worse it may be. After Holm's "
        "correction %zu of %zu cut%s %s worse than the full network, %zu better, %zu open.",
        v.below, t->costs, html_many(t->costs), v.below == 1 ? "is" : "are", v.above, v.open);
    end(p);
}

/* Whether a task has both classes where models are scored. */
static int any_auc(const study_results *r)
{
    return r->tasks_of[r->headline] > 0;
}

/* Of how many jobs the models are the means. */
static void range_of_seeds(const study_results *r, int *least, int *most)
{
    *least = *most = 0;
    for (size_t i = 0; i < r->table.models; i++) {
        int seeds = r->table.model[i].seeds;
        *least = !*least || seeds < *least ? seeds : *least;
        *most = seeds > *most ? seeds : *most;
    }
}

static void say_what(tx_buffer *p, const study_results *r)
{
    const study_data *d = r->data;
    size_t of[2] = {0, 0}, cut = 0;
    int least, most;
    range_of_seeds(r, &least, &most);
    for (size_t i = 0; i < r->table.models; i++) {
        const study_model *m = &r->table.model[i];
        cut += m->cut != 0;
        of[m->pretrained] += m->cut == 0;
    }
    begin(p, "What was compared.");
    tx_buffer_add(
        p,
        "%zu network%s from random weights, %zu from pretrained ones and %zu truncated, %s, by the AUC on %s: %zu "
        "stud%s of %zu patient%s. The AUC that stands for a model is %s, the mean over %d task%s. Intervals are of "
        "%zu bootstrap resamples of these %s, the same for all models.",
        of[0], html_many(of[0]), of[1], cut,
        least > 1  ? "each the mean of several seeds"
        : most > 1 ? "some the mean of several seeds"
                   : "each trained once",
        r->table.split, d->units, d->units == 1 ? "y" : "ies", d->patients, html_many(d->patients), r->table.mean,
        r->tasks_of[r->headline], html_many((size_t)r->tasks_of[r->headline]), r->replicates,
        r->by_patient ? "patients" : "studies");
    if (!any_auc(r))
        tx_buffer_append(p, " No task has positive and negative studies there, so no model has an AUC.");
    end(p);
}

void study_findings(tx_buffer *p, const study_results *r, const study_tests *t)
{
    tx_buffer_append(p, "<ul>\n");
    say_what(p, r);
    say_pretraining(p, t);
    say_ranking(p, r, t);
    say_ranks(p, t);
    say_truncation(p, t);
    tx_buffer_append(p, "</ul>\n");
}

/* --------------------------------------------------------------------------------------------- limits */
static void limit_split(tx_buffer *p, const study_results *r)
{
    if (r->data->scored == SPLIT_TEST)
        return;
    begin(p, "valid also chose the checkpoints.");
    tx_buffer_append(
        p, "The data have no test table. Each model's checkpoints were chosen on the images that it is scored on, so "
           "every figure here is too good, by more for models that were evaluated more often.");
    end(p);
}

static void limit_seeds(tx_buffer *p, const study_results *r)
{
    int least, most;
    range_of_seeds(r, &least, &most);
    begin(p, "What the intervals are of.");
    if (least <= 1)
        tx_buffer_add(p,
                      "%s trained once. An interval says what other studies would have done to a figure, not "
                      "what another seed would have: trained again, a model may leave it (--seeds N).",
                      most > 1 ? "Some models were" : "Each model was");
    else
        tx_buffer_add(
            p,
            "Figures are means over at least %d seeds. An interval says what other studies would have done to such a "
            "mean, not what other seeds would have.",
            least);
    end(p);
}

/* Names of tasks that `take` finds; how many there are. */
static size_t list_tasks(tx_buffer *p, const study_results *r, size_t entry, int (*take)(const study_figure *f))
{
    size_t n = 0;
    for (size_t k = 0; k < (size_t)r->data->tasks; k++) {
        const study_figure *f = study_figure_of(r, entry, k);
        if (!take(f))
            continue;
        tx_buffer_append(p, n++ ? ", " : "");
        tx_buffer_html(p, r->data->task[k]);
        if (f->positives && f->negatives)
            tx_buffer_add(p, " (%zu)", f->positives < f->negatives ? f->positives : f->negatives);
    }
    return n;
}

static int is_absent(const study_figure *f)
{
    return !f->positives || !f->negatives;
}

static int is_few(const study_figure *f)
{
    return !is_absent(f) && (f->positives < 30 || f->negatives < 30);
}

/* The mean that models are compared by is over some of them too. */
static void say_few_in_mean(tx_buffer *p, const study_results *r, size_t entry)
{
    size_t few = 0;
    for (size_t k = 0; k < (size_t)r->data->tasks; k++)
        few += mean_has(r->headline, r->data->task[k]) && is_few(study_figure_of(r, entry, k));
    if (few)
        tx_buffer_add(
            p,
            " %s is over %zu of these tasks, so intervals of it and of its differences are likely too narrow as well.",
            r->table.mean, few);
}

static void limit_positives(tx_buffer *p, const study_results *r)
{
    size_t at = study_first(r->data);
    tx_buffer names = {0};
    if (at == r->data->entries)
        return;
    if (list_tasks(&names, r, at, is_few) && names.data) {
        begin(p, "Few positives.");
        tx_buffer_add(
            p,
            "With fewer than 30 studies of a class a bootstrap interval is too narrow, and the figure says little: "
            "%s. In simulations with AUCs from 0.6 to 0.9, 95%% intervals held the true AUC in 92 to 96%% of samples "
            "with 30 or more of each class, in 86 to 96%% with 10 or 20 of one, in 69 to 94%% with 5.",
            names.data);
        say_few_in_mean(p, r, at);
        end(p);
    }
    tx_buffer_free(&names);
    if (list_tasks(&names, r, at, is_absent) && names.data) {
        begin(p, "Without an AUC.");
        tx_buffer_add(p, "On %s these have no positive or no negative study and are in no mean: %s.", r->table.split,
                      names.data);
        end(p);
    }
    tx_buffer_free(&names);
}

static void limit_twins(tx_buffer *p, const study_results *r)
{
    const tx_dataset *d = r->data->table[r->data->scored];
    int any = 0;
    for (int k = 0; k < d->tasks; k++) {
        int twin = d->note[k].twin;
        if (twin < 0)
            continue;
        if (!any++)
            begin(p, "Tasks that say the same.");
        tx_buffer_html(p, d->task[k]);
        tx_buffer_append(p, d->note[k].opposite ? " is the opposite of " : " is the same as ");
        tx_buffer_html(p, d->task[twin]);
        tx_buffer_append(p, " in every image: one figure, told twice. ");
    }
    if (any)
        end(p);
}

/* Models of which the whole interval is on one side of 0.5. */
static void limit_chance(tx_buffer *p, const study_results *r)
{
    size_t above = 0, below = 0, all = 0;
    for (size_t i = 0; i < r->table.models; i++) {
        all += isnan(r->table.model[i].auc) ? 0 : 1;
        above += r->table.model[i].low > 0.5;
        below += r->table.model[i].high < 0.5;
    }
    if (!all)
        return;
    begin(p, "Chance.");
    tx_buffer_add(p, "%zu of %zu model%s %s better than chance (the whole interval is above 0.5)", above, all,
                  html_many(all), above == 1 || all == 1 ? "is" : "are");
    if (below)
        tx_buffer_add(p, ", and %zu worse", below);
    tx_buffer_append(p, ".");
    end(p);
}

static void limit_sources(tx_buffer *p, const study_results *r)
{
    size_t made = 0, all = 0;
    for (size_t i = 0; i < r->data->entries; i++) {
        const study_entry *e = &r->data->entry[i];
        const char *source = e->state == ENTRY_COMPLETE && e->pretrained ? settings_get(&e->note, "source") : NULL;
        const char *what = source ? settings_get(&e->note, "source.what") : NULL;
        all += source != NULL;
        made += source && (strcmp(source, "made") == 0 || (what && strncmp(what, "fractals", 8) == 0));
    }
    if (!all)
        return;
    begin(p, "What pretrained means here.");
    if (made)
        tx_buffer_add(
            p,
            "The weights of %zu of %zu pretrained jobs were made from pictures of fractals, not from ImageNet: they "
            "never saw a photograph, so ImageNet top-1 is here a property of the architecture alone, and nothing is "
            "said about pretraining on ImageNet. ",
            made, all);
    if (made < all)
        tx_buffer_add(
            p,
            "The weights of %zu of %zu pretrained jobs were read from files that were given (they stand under "
            "Jobs). ImageNet top-1 is that of the weights that were published with each network: it holds for "
            "these files only if they are the same.",
            all - made, all);
    end(p);
}

static void limit_tests(tx_buffer *p, const study_results *r, const study_tests *t)
{
    char number[TX_NUMBER];
    size_t ranks = 0;
    for (int k = 0; k < STUDY_RANKS; k++)
        ranks += isnan(t->rank[k].rho.p) ? 0 : 1;
    if (!any_auc(r) || (!t->gains && !t->costs && !t->leads && !ranks))
        return;
    begin(p, "Correction.");
    tx_buffer_add(
        p,
        "p values of differences and correlations are two-sided and corrected by Holm's method within each question: "
        "%zu with random "
        "weights, %zu with the full network, %zu with the best network, %zu correlations. %zu resamples give no p "
        "below %s.",
        t->gains, t->costs, t->leads, ranks, r->replicates, html_number(number, study_least_p(r), 4, 0));
    if (study_least_p(r) * (double)t->gains >= significant || study_least_p(r) * (double)t->costs >= significant)
        tx_buffer_append(p,
                         " That is too few for any single comparison to be significant after the correction: use more "
                         "--replicates.");
    end(p);
}

static void limit_jobs(tx_buffer *p, const study_results *r)
{
    size_t missing = r->data->entries - r->data->complete;
    if (!missing)
        return;
    begin(p, "Not all jobs are here.");
    tx_buffer_add(p,
                  "%zu of %zu are missing, failed or do not fit; figures over several networks are over those that are "
                  "there. Which and why stands under Jobs.",
                  missing, r->data->entries);
    end(p);
}

/* Replicates in which the mean has no value: a class was not drawn. */
static void limit_replicates(tx_buffer *p, const study_results *r)
{
    size_t at = study_first(r->data), row = (size_t)r->data->tasks + (size_t)r->headline;
    if (!any_auc(r) || at == r->data->entries || !study_figure_of(r, at, row)->undefined)
        return;
    begin(p, "Undefined resamples.");
    tx_buffer_add(p,
                  "In %zu of %zu resamples a task of %s had no positive or no negative study; they are left out of its "
                  "intervals.",
                  study_figure_of(r, at, row)->undefined, r->replicates, r->table.mean);
    end(p);
}

void study_limits(tx_buffer *p, const study_results *r, const study_tests *t)
{
    tx_buffer_append(p, "<ul>\n");
    limit_jobs(p, r);
    limit_split(p, r);
    limit_seeds(p, r);
    limit_sources(p, r);
    limit_positives(p, r);
    limit_twins(p, r);
    limit_replicates(p, r);
    limit_chance(p, r);
    limit_tests(p, r, t);
    tx_buffer_append(p, "</ul>\n");
}
