/* study_disk.c - how much disk a study will take, and whether it is there: nobody shall learn that after hours. */
#define _XOPEN_SOURCE 700
#include "study.h"
#include "trainer.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* Numbers of a network's parameters: trained, and all. */
static tx_status count_numbers(const job *j, int outputs, double *trained, double *all)
{
    tx_network n;
    const tx_net_info *net = tx_net_find(j->net);
    tx_net_choice choice = {.net = net, .cut = j->cut, .classes = outputs, .size = net->smallest};
    tx_status status = tx_network_build(&n, &choice, 0, NULL);
    if (status)
        return status;
    *trained = (double)tx_graph_trained(n.graph);
    *all = *trained;
    for (int i = 0; i < tx_graph_params(n.graph); i++)
        *all += tx_graph_param(n.graph, i)->role == TX_ROLE_BUFFER ? (double)tx_graph_param(n.graph, i)->count : 0;
    tx_network_free(&n);
    return TX_OK;
}

/* The most checkpoints that a job comes to keep. */
static double kept_by(const trainer *t)
{
    double keep = (double)option_whole(t->o, "keep"), steps = (double)t->total, ends = steps / (double)t->per_epoch;
    double evaluations = 1 + ends + (double)trainer_examples(t, t->total) / (double)t->eval_every;
    return evaluations < keep ? evaluations : keep;
}

/* Bytes of tables: a line a step; of an image a path and two tables of digits a task, and its rows of metrics.csv. */
static double tables_of(const trainer *t)
{
    double images = 0, tasks = (double)t->choice.classes;
    for (int i = SPLIT_VALID; i < SPLITS; i++)
        images += t->split[i] ? (double)t->split[i]->images : 0;
    return 100 * (double)t->total + images * 2 * (60 + 20 * tasks) + kept_by(t) * 100 * tasks + 1e6;
}

static tx_status disk_need(const study *s, const trainer *t, double *bytes)
{
    double most = 0, tables = tables_of(t), kept = kept_by(t);
    *bytes = 0;
    for (size_t i = 0; i < s->each; i++) {
        double trained, all, left = 0;
        const job *j = &s->job[i];
        tx_status status = count_numbers(j, t->choice.classes, &trained, &all);
        if (status)
            return status;
        for (size_t k = i; k < s->jobs; k += s->each)
            left += s->job[k].state != JOB_COMPLETE;
        *bytes += left * (4 * all * kept + tables);
        /* The largest state is written beside the one before, and a checkpoint before the last on the list goes. */
        double passing = 2 * 4 * (all + 2 * trained) + 4 * all;
        most = left > 0 && passing > most ? passing : most;
        if (left > 0 && !j->cut && strcmp(j->init, "random") && !option_text(s->o, "pretrained"))
            *bytes += 4 * all; /* weights that are made */
    }
    *bytes += most;
    return TX_OK;
}

/* Of the disk that the folder is on, or will be: the nearest folder above that is there. */
static int free_bytes(const char *folder, double *bytes)
{
    struct statvfs v;
    char *path = tx_strdup(folder), *end;
    int known = path ? statvfs(path, &v) : -1;
    while (known && path && (end = strrchr(path, '/')) && end != path) {
        *end = 0;
        known = statvfs(path, &v);
    }
    if (known)
        known = statvfs(*folder == '/' ? "/" : ".", &v);
    tx_free(path);
    *bytes = known ? 0 : (double)v.f_bavail * (double)v.f_frsize;
    return known == 0;
}

/* "1.9 GB" */
static const char *amount(char out[TX_NUMBER + 8], double bytes)
{
    char number[TX_NUMBER];
    snprintf(out, TX_NUMBER + 8, "%s %s", tx_number_fixed(number, sizeof number, bytes / (bytes < 1e9 ? 1e6 : 1e9), 1),
             bytes < 1e9 ? "MB" : "GB");
    return out;
}

int study_disk(const study *s, const trainer *t)
{
    char needed[TX_NUMBER + 8], there[TX_NUMBER + 8], folder[TX_TEXT];
    double need, free;
    if (disk_need(s, t, &need))
        return complain_failed();
    if (!free_bytes(s->out, &free))
        return EXIT_DONE;
    tx_escape(folder, sizeof folder, s->out);
    amount(needed, need);
    amount(there, free);
    if (need > free)
        return complain(EXIT_FAILED, "%s: the jobs need about %s of disk, and %s are free", folder, needed, there);
    say("%s: %s of disk for the jobs, %s are free", folder, needed, there);
    return EXIT_DONE;
}
