/* train_report.c - what a training says at its end: its page, its figures on the screen. */
#include "environment.h"
#include "json.h"
#include "report.h"
#include "trainer.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

static tx_status print_figures(const scores *valid, const scores *test)
{
    static const char *const split[] = {"valid", "test"};
    figure_set f[2] = {{0}};
    const figure_set *const list[] = {&f[0], &f[1]};
    tx_status status = figures_of_scores(&f[0], valid);
    if (status == TX_OK && test)
        status = figures_of_scores(&f[1], test);
    if (status == TX_OK)
        status = figures_print(list, split, test ? 2 : 1, stdout);
    figures_free(&f[0]);
    figures_free(&f[1]);
    return status;
}

/* Which checkpoint the figures are of, and whom they are of. */
static tx_status print_choice(const trainer *t, const run_checkpoint *best, const scores *valid, const scores *test)
{
    char folder[TX_TEXT];
    const scores *const list[] = {valid, test};
    tx_buffer p = {0};
    tx_buffer_add(&p, "%s: the checkpoint after step %llu, chosen on valid by %s\n",
                  tx_escape(folder, sizeof folder, t->run.folder), (unsigned long long)best->step, best->by);
    tx_buffer_add(&p, "data: %s\n", tx_escape(folder, sizeof folder, t->data));
    for (int i = 0; i < 2; i++)
        if (list[i])
            tx_buffer_add(&p, "%s: %zu studies (their images' maximum), %zu images, %zu patients\n",
                          split_name[SPLIT_VALID + i], list[i]->of.studies, list[i]->of.images, list[i]->of.patients);
    return notes_print(&p, stdout);
}

static void json_split(json *j, const char *name, const scores *s)
{
    if (!s)
        return;
    json_open(j, name, '{');
    json_whole(j, "images", (long long)s->of.images);
    json_whole(j, "studies", (long long)s->of.studies);
    json_whole(j, "patients", (long long)s->of.patients);
    scores_json(s, j);
    json_close(j, '}');
}

static void print_json(const trainer *t, const run_checkpoint *best, const scores *valid, const scores *test)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "run", t->run.folder);
    json_string(&j, "data", t->data);
    json_string(&j, "unit", "study");
    json_whole(&j, "step", (long long)best->step);
    json_string(&j, "selection", best->by);
    json_real(&j, "score", best->score);
    json_split(&j, "valid", valid);
    json_split(&j, "test", test);
    json_close(&j, '}');
    json_end();
}

/* "resnet18 from random weights, 14 tasks; 332 steps of 16 of the 664 training images, at 128 x 128 pixels; seed 0." */
static tx_status describe(const trainer *t, tx_buffer *p)
{
    char net[64];
    tx_buffer_add(p, "%s from ", tx_net_choice_name(&t->choice, net));
    if (t->init) {
        tx_buffer_append(p, "the weights of ");
        tx_buffer_append(p, last_part(t->init));
    } else {
        tx_buffer_append(p, "random weights");
    }
    tx_buffer_add(p, ", %d task%s; %llu step%s of %s%zu of the %zu training images%s, at %d x %d pixels; seed %llu.",
                  t->choice.classes, t->choice.classes == 1 ? "" : "s", (unsigned long long)t->total,
                  t->total == 1 ? "" : "s", t->images % t->batch ? "at most " : "", t->batch, t->images,
                  t->overfit ? ", over and over" : "", t->choice.size, t->choice.size, (unsigned long long)t->seed);
    return p->status;
}

/* Whether the tables are those of the sample. */
static int is_sample(const trainer *t)
{
    char *sample = sample_folder(), *path = sample ? absolute_path(sample) : NULL;
    int same = path && strcmp(path, t->data) == 0;
    tx_free(sample);
    tx_free(path);
    return same;
}

tx_status trainer_report(const trainer *t)
{
    splits s;
    run_checkpoint *best;
    size_t kept;
    tx_buffer about = {0};
    tx_status status = run_checkpoints(t->run.folder, &best, &kept);
    if (status)
        return status;
    status = splits_take(&s, t->split, t->run.folder, is_sample(t));
    if (status == TX_OK)
        status = splits_write(&s, t->run.folder);
    splits_free(&s);
    if (status == TX_OK)
        status = describe(t, &about);
    if (status == TX_OK)
        status = report_run(t->run.folder, best, about.data);
    tx_buffer_free(&about);
    run_checkpoints_free(best, kept);
    return status;
}

tx_status trainer_print(const trainer *t, const scores *valid, const scores *test)
{
    run_checkpoint *best;
    size_t kept;
    tx_status status = run_checkpoints(t->run.folder, &best, &kept);
    if (status)
        return status;
    if (option_on(t->o, "json")) {
        print_json(t, best, valid, test);
    } else {
        status = print_choice(t, best, valid, test);
        if (status == TX_OK)
            status = print_figures(valid, test);
    }
    run_checkpoints_free(best, kept);
    return status;
}
