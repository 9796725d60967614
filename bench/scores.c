/* scores.c - from a split's images to predictions, and from predictions to figures.
 *
 * Probabilities of a network are floats, printed with the nine digits that give them back exactly; means of them and
 * what others predict are doubles with as many digits as those need: every figure can be computed again from
 * predictions-*.csv. */
#include "scores.h"
#include "xrv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- predictions */
tx_status predictions_new(predictions *p, size_t images, int outputs)
{
    size_t count;
    memset(p, 0, sizeof *p);
    if (tx_size_mul(images, (size_t)outputs, &count))
        return tx_fail(TX_ERR_MEMORY, "%zu images with %d outputs", images, outputs);
    p->images = images;
    p->outputs = outputs;
    p->logit = tx_alloc(count, sizeof *p->logit);
    p->present = tx_alloc(images, 1);
    if (p->logit && p->present)
        return TX_OK;
    predictions_free(p);
    return TX_ERR_MEMORY;
}

void predictions_free(predictions *p)
{
    tx_free(p->logit);
    tx_free(p->present);
    memset(p, 0, sizeof *p);
}

tx_status logits_check(const float *logits, size_t outputs, const char *path)
{
    char escaped[TX_TEXT];
    for (size_t k = 0; k < outputs; k++)
        if (!isfinite(logits[k]))
            return tx_fail(TX_ERR_ARGUMENT, "%s: output %zu of the network is %s, expected a number",
                           tx_escape(escaped, sizeof escaped, path), k, isnan(logits[k]) ? "nan" : "infinite");
    return TX_OK;
}

/* One batch: images index[0..n) of the loader. logits receives n x outputs. */
static tx_status run_batch(predictions *p, const inference *how, uint32_t *index, size_t n, float *logits)
{
    size_t count, outputs = (size_t)p->outputs;
    float *pixels = tx_session_input(how->session, how->net->image);
    tx_status status = tx_loader_batch(how->loader, 0, index, n, pixels, index, &count);
    if (status || count == 0)
        return status;
    status = tx_session_batch(how->session, (int)count);
    if (status == TX_OK)
        status = tx_forward(how->session);
    if (status == TX_OK)
        status = tx_session_value(how->session, how->net->logits, logits);
    for (size_t k = 0; status == TX_OK && k < count; k++) {
        status = logits_check(logits + k * outputs, outputs, how->data->path[index[k]]);
        memcpy(p->logit + index[k] * outputs, logits + k * outputs, outputs * sizeof *logits);
        p->present[index[k]] = 1;
        p->read++;
    }
    return status;
}

static tx_status fail_unread(const predictions *p, const inference *how)
{
    char escaped[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "none of the %zu images of %s can be read, the first: %s", p->images,
                   tx_escape(escaped, sizeof escaped, how->data->file), tx_loader_bad(how->loader, 0));
}

tx_status predictions_run(predictions *p, const inference *how)
{
    size_t batch = (size_t)how->batch;
    uint32_t *index = tx_alloc(batch, sizeof *index);
    float *logits = tx_alloc(batch * (size_t)p->outputs, sizeof *logits);
    tx_status status = index && logits ? TX_OK : TX_ERR_MEMORY;
    for (size_t from = 0; status == TX_OK && from < p->images && !(how->stop && *how->stop); from += batch) {
        size_t n = p->images - from < batch ? p->images - from : batch;
        for (size_t k = 0; k < n; k++)
            index[k] = (uint32_t)(from + k);
        status = run_batch(p, how, index, n, logits);
        if (status)
            break;
        if (p->read)
            work_begins();
        if (how->bar)
            tx_progress_update(how->bar, how->shown + from + n, NULL);
    }
    if (status == TX_OK && p->images && !p->read && !(how->stop && *how->stop))
        status = fail_unread(p, how);
    tx_free(index);
    tx_free(logits);
    return status;
}

void predictions_probabilities(const predictions *p, const tx_dataset *d, const int *column, const float *threshold,
                               double *probability)
{
    size_t tasks = (size_t)d->tasks, outputs = (size_t)p->outputs;
    for (size_t i = 0; i < p->images; i++)
        for (size_t k = 0; k < tasks; k++) {
            int c = column ? column[k] : (int)k;
            probability[i * tasks + k] = (double)xrv_probability(p->logit[i * outputs + (size_t)c], threshold, c);
        }
}

double predictions_loss(const predictions *p, const tx_dataset *d)
{
    double sum = 0;
    size_t tasks = (size_t)d->tasks, annotated = 0;
    for (size_t i = 0; i < p->images * tasks; i++)
        if (p->present[i / tasks] && d->label[i] >= 0) {
            sum += (double)tx_bce_each(p->logit[i], d->label[i]);
            annotated++;
        }
    return annotated ? sum / (double)annotated : (double)NAN;
}

/* What a network says is a float, and has the nine digits that give it back. */
static const char *probability_print(char out[TX_NUMBER], double p)
{
    return (double)(float)p == p ? tx_number_print(out, TX_NUMBER, p, 9) : tx_number_shortest(out, TX_NUMBER, p);
}

void predictions_text(tx_buffer *to, const tx_dataset *d, const double *probability, const unsigned char *present)
{
    char number[TX_NUMBER];
    tx_buffer_append(to, d->study_rows ? "Study" : "Path");
    for (int k = 0; k < d->tasks; k++) {
        tx_buffer_append(to, ",");
        tx_buffer_csv(to, d->task[k]);
    }
    tx_buffer_append(to, "\n");
    for (size_t i = 0; i < d->images; i++) {
        if (present && !present[i])
            continue;
        tx_buffer_csv(to, d->path[i]);
        for (int k = 0; k < d->tasks; k++) {
            tx_buffer_append(to, ",");
            tx_buffer_append(to, probability_print(number, probability[i * (size_t)d->tasks + (size_t)k]));
        }
        tx_buffer_append(to, "\n");
    }
}

tx_status predictions_write(const char *path, const tx_dataset *d, const double *probability,
                            const unsigned char *present)
{
    tx_buffer text = {0};
    predictions_text(&text, d, probability, present);
    tx_status status = text.status ? text.status : tx_buffer_write(&text, path);
    tx_buffer_free(&text);
    return status;
}

/* ---------------------------------------------------------------------------------------------- scores */
const char *const mean_tasks[6] = {"Atelectasis", "Cardiomegaly",     "Consolidation",
                                   "Edema",       "Pleural Effusion", "No Finding"};

/* group[unit] of each unit that has a present image: the number of d's study or patient among those that have one. */
static tx_status number_groups(unit_list *u, const tx_dataset *d, const unsigned char *present, int by_patient)
{
    const uint32_t *group = by_patient ? d->patient : d->study;
    uint32_t *number = tx_alloc(d->images, sizeof *number); /* 0: not seen, else one more */
    for (size_t i = 0; number && i < d->images; i++) {
        if (present && !present[i])
            continue;
        if (!number[group[i]])
            number[group[i]] = (uint32_t)++u->groups;
        u->group[u->by_study ? d->study[i] : i] = number[group[i]] - 1;
    }
    tx_free(number);
    return number ? TX_OK : TX_ERR_MEMORY;
}

tx_status units_open(unit_list *u, const tx_dataset *d, const unsigned char *present, int by_study, int by_patient)
{
    size_t units = by_study ? d->studies : d->images;
    *u = (unit_list){.score = tx_alloc(units, sizeof *u->score),
                     .label = tx_alloc(units, 1),
                     .group = tx_alloc(units, sizeof *u->group),
                     .units = units,
                     .by_study = by_study};
    return u->score && u->label && u->group ? number_groups(u, d, present, by_patient) : TX_ERR_MEMORY;
}

void units_close(unit_list *u)
{
    tx_free(u->score);
    tx_free(u->label);
    tx_free(u->group);
}

void units_gather(unit_list *u, const tx_dataset *d, int task, const double *probability, const unsigned char *present)
{
    size_t tasks = (size_t)d->tasks, k = (size_t)task;
    for (size_t i = 0; i < u->units; i++) {
        u->score[i] = -(double)INFINITY;
        u->label[i] = -1;
    }
    for (size_t i = 0; i < d->images; i++) {
        size_t unit = u->by_study ? d->study[i] : i;
        if (present && !present[i])
            continue;
        double score = probability[i * tasks + k];
        if (score > u->score[unit])
            u->score[unit] = score;
        if (d->label[i * tasks + k] > u->label[unit])
            u->label[unit] = d->label[i * tasks + k];
    }
}

/* A maximum over views would hide what is no number. */
static tx_status check_probabilities(const tx_dataset *d, const double *probability, const unsigned char *present,
                                     int any)
{
    char path[TX_TEXT], task[TX_TEXT], number[TX_NUMBER];
    size_t tasks = (size_t)d->tasks;
    for (size_t i = 0; i < d->images * tasks; i++) {
        double p = probability[i];
        if ((present && !present[i / tasks]) || (p >= 0 && p <= 1) || (any && isfinite(p)))
            continue;
        return tx_fail(TX_ERR_ARGUMENT, "%s: its score of '%s' is %s, expected a %s",
                       tx_escape(path, sizeof path, d->path[i / tasks]),
                       tx_escape(task, sizeof task, d->task[i % tasks]), tx_number_print(number, sizeof number, p, 9),
                       any ? "number" : "probability");
    }
    return TX_OK;
}

static tx_status score_task(task_score *t, const unit_list *u)
{
    tx_status status = tx_auc_of(u->score, u->label, u->units, &t->auc);
    if (status == TX_OK)
        status = tx_best_threshold(u->score, u->label, u->units, &t->best);
    t->calibration = (double)NAN;
    if (status == TX_OK && t->probabilities)
        status = tx_calibration_error(u->score, u->label, u->units, &t->calibration);
    return status;
}

const char *const mean_name[3] = {"mean5", "mean6", "mean"};

int mean_has(int mean, const char *task)
{
    for (int i = 0; i < 5 + mean && mean < 2; i++)
        if (strcmp(task, mean_tasks[i]) == 0)
            return 1;
    return mean == 2;
}

void means_begin(mean_score mean[3])
{
    const double nan = (double)NAN;
    for (int i = 0; i < 3; i++)
        mean[i] = (mean_score){.name = mean_name[i], .of = i < 2 ? 5 + i : 0, .low = nan, .high = nan, .sd = nan};
}

void means_add(mean_score mean[3], const char *task, double auc)
{
    mean[2].of++;
    for (int i = 0; i < 3; i++)
        if (mean_has(i, task) && !isnan(auc)) {
            mean[i].value += auc;
            mean[i].tasks++;
        }
}

void means_end(mean_score mean[3])
{
    for (int i = 0; i < 3; i++)
        mean[i].value = mean[i].tasks ? mean[i].value / mean[i].tasks : (double)NAN;
}

void scores_means(scores *s)
{
    means_begin(s->mean);
    for (int k = 0; k < s->tasks; k++)
        means_add(s->mean, s->task[k].task, s->task[k].auc.auc);
    means_end(s->mean);
}

/* How many groups have a present image. */
static tx_status count_groups(const uint32_t *group, const unsigned char *present, size_t images, size_t *count)
{
    unsigned char *seen = tx_alloc(images, 1);
    *count = 0;
    for (size_t i = 0; seen && i < images; i++)
        if (!present || present[i]) {
            *count += !seen[group[i]];
            seen[group[i]] = 1;
        }
    tx_free(seen);
    return seen ? TX_OK : TX_ERR_MEMORY;
}

tx_status extent_of(extent *e, const tx_dataset *d, const unsigned char *present)
{
    e->images = 0;
    for (size_t i = 0; i < d->images; i++)
        e->images += !present || present[i];
    tx_status status = count_groups(d->study, present, d->images, &e->studies);
    return status == TX_OK ? count_groups(d->patient, present, d->images, &e->patients) : status;
}

/* Whether a task's scores of all present images are in [0,1]. */
static int are_probabilities(const tx_dataset *d, size_t task, const double *score, const unsigned char *present)
{
    for (size_t i = 0; i < d->images; i++) {
        double p = score[i * (size_t)d->tasks + task];
        if ((!present || present[i]) && !(p >= 0 && p <= 1))
            return 0;
    }
    return 1;
}

static tx_status make_scores(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                             int by_study, int any)
{
    unit_list u;
    memset(s, 0, sizeof *s);
    s->tasks = d->tasks;
    s->task = tx_alloc((size_t)d->tasks, sizeof *s->task);
    tx_status status = units_open(&u, d, present, by_study, 0);
    if (status == TX_OK)
        status = s->task ? check_probabilities(d, probability, present, any) : TX_ERR_MEMORY;
    for (int k = 0; status == TX_OK && k < d->tasks; k++) {
        units_gather(&u, d, k, probability, present);
        s->task[k].task = d->task[k];
        s->task[k].blank = d->note[k].state == TX_TASK_EMPTY;
        s->task[k].twin = d->note[k].twin >= 0 ? d->task[d->note[k].twin] : NULL;
        s->task[k].opposite = d->note[k].opposite;
        s->task[k].probabilities = !any || are_probabilities(d, (size_t)k, probability, present);
        status = score_task(&s->task[k], &u);
    }
    if (status == TX_OK)
        status = extent_of(&s->of, d, present);
    if (status == TX_OK)
        scores_means(s);
    units_close(&u);
    if (status)
        scores_free(s);
    return status;
}

tx_status scores_make(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                      int by_study)
{
    return make_scores(s, d, probability, present, by_study, 0);
}

tx_status scores_rank(scores *s, const tx_dataset *d, const double *score, const unsigned char *present, int by_study)
{
    return make_scores(s, d, score, present, by_study, 1);
}

tx_status scores_threshold(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                           int by_study, const scores *from)
{
    unit_list u;
    tx_status status = units_open(&u, d, present, by_study, 0);
    for (int k = 0; status == TX_OK && k < s->tasks; k++) {
        units_gather(&u, d, k, probability, present);
        status = tx_threshold_at(u.score, u.label, u.units, from->task[k].best.threshold, &s->task[k].best);
    }
    units_close(&u);
    return status;
}

void scores_free(scores *s)
{
    tx_free(s->task);
    memset(s, 0, sizeof *s);
}

void scores_rows(const scores *s, uint64_t step, const char *split, tx_buffer *to)
{
    char auc[TX_NUMBER], low[TX_NUMBER], high[TX_NUMBER];
    for (int k = 0; k < s->tasks; k++) {
        const tx_auc_result *r = &s->task[k].auc;
        tx_buffer_add(to, "%llu,%s,", (unsigned long long)step, split);
        tx_buffer_csv(to, s->task[k].task);
        tx_buffer_add(to, ",%zu,%zu,%s,%s,%s,%s\n", r->positives, r->negatives,
                      tx_number_shortest(auc, sizeof auc, r->auc), tx_number_shortest(low, sizeof low, r->low),
                      tx_number_shortest(high, sizeof high, r->high), r->method);
    }
    for (int i = 0; i < 3; i++) {
        const mean_score *m = &s->mean[i];
        tx_buffer_add(to, "%llu,%s,%s,nan,nan,%s,%s,%s,mean-of-%d\n", (unsigned long long)step, split, m->name,
                      tx_number_shortest(auc, sizeof auc, m->value), tx_number_shortest(low, sizeof low, m->low),
                      tx_number_shortest(high, sizeof high, m->high), m->tasks);
    }
}

void means_json(const mean_score mean[3], json *to)
{
    for (int i = 0; i < 3; i++)
        json_real(to, mean[i].name, mean[i].value);
    json_open(to, "means", '[');
    for (int i = 0; i < 3; i++) {
        json_open(to, NULL, '{');
        json_string(to, "name", mean[i].name);
        json_real(to, "value", mean[i].value);
        json_real(to, "low", mean[i].low);
        json_real(to, "high", mean[i].high);
        json_whole(to, "tasks", mean[i].tasks);
        json_whole(to, "of", mean[i].of);
        json_close(to, '}');
    }
    json_close(to, ']');
}

void scores_json(const scores *s, json *to)
{
    if (s->replicates) {
        json_whole(to, "replicates", (long long)s->replicates);
        json_string(to, "group", s->by_patient ? "patient" : "study");
    }
    json_open(to, "tasks", '[');
    for (int k = 0; k < s->tasks; k++) {
        const task_score *t = &s->task[k];
        json_open(to, NULL, '{');
        json_string(to, "task", t->task);
        json_whole(to, "positives", (long long)t->auc.positives);
        json_whole(to, "negatives", (long long)t->auc.negatives);
        json_real(to, "auc", t->auc.auc);
        json_real(to, "low", t->auc.low);
        json_real(to, "high", t->auc.high);
        json_string(to, "method", t->auc.method);
        if (s->replicates)
            json_whole(to, "undefined_replicates", (long long)t->undefined);
        json_real(to, "threshold", t->best.threshold);
        json_real(to, "sensitivity", t->best.sensitivity);
        json_real(to, "specificity", t->best.specificity);
        json_real(to, "calibration_error", t->calibration);
        json_close(to, '}');
    }
    json_close(to, ']');
    means_json(s->mean, to);
    json_open(to, "undefined", '[');
    for (int k = 0; k < s->tasks; k++)
        if (isnan(s->task[k].auc.auc))
            json_string(to, NULL, s->task[k].task);
    json_close(to, ']');
}

double scores_select(const scores *s, double loss, const char **by)
{
    for (int i = 1; i < 3; i++)
        if (s->mean[i].tasks) {
            *by = s->mean[i].name;
            return s->mean[i].value;
        }
    *by = "loss";
    return -loss;
}
