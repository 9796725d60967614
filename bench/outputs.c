/* outputs.c - which output of a model each task of a table is. */
#include "outputs.h"
#include "list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether outputs without names are taken as CheXpert's observations. */
static int in_chexpert_order(const model *m, const tx_dataset *d)
{
    return m->choice.classes == TX_OBSERVATIONS && d->observations == TX_OBSERVATIONS;
}

/* The output of that name, -1 if there is none. */
static int output_of(const model *m, const char *task)
{
    if (m->task)
        return model_output(m, task);
    for (int c = 0; c < m->choice.classes; c++)
        if (strcmp(tx_observation[c], task) == 0)
            return c;
    return -1;
}

/* A CSV of predictions has no file of weights, and columns in the place of outputs. */
static const char *output_word(const model *m)
{
    return m->files ? "output" : "column";
}

tx_status outputs_common(const model *m, const tx_dataset *d, char **tasks, tx_buffer *notes)
{
    char name[TX_TEXT], table[TX_TEXT];
    tx_buffer common = {0};
    list without = {.to = notes}, other = {.to = notes};
    snprintf(without.head, sizeof without.head, "tasks without %s:", m->files ? "an output" : "a column");
    snprintf(other.head, sizeof other.head, "%ss passed over:", output_word(m));
    *tasks = NULL;
    unsigned char *taken = tx_alloc((size_t)m->choice.classes, 1);
    for (int k = 0; taken && k < d->tasks; k++) {
        int c = model_output(m, d->task[k]);
        if (c >= 0 && m->threshold && isnan(m->threshold[c]))
            c = -1;
        if (c >= 0) {
            tx_buffer_append(&common, common.length ? "," : "");
            tx_buffer_append(&common, d->task[k]);
            taken[c] = 1;
        } else {
            list_add(&without, tx_escape(name, sizeof name, d->task[k]));
        }
    }
    list_end(&without);
    for (int c = 0; taken && c < m->choice.classes; c++)
        if (!taken[c] && *m->task[c])
            list_add(&other, tx_escape(name, sizeof name, m->task[c]));
    list_end(&other);
    tx_status status = !taken || common.status ? TX_ERR_MEMORY : TX_OK;
    if (status == TX_OK && !common.length)
        status =
            tx_fail(TX_ERR_ARGUMENT, "%s: none of its %ss is a task of %s (--tasks names them)",
                    tx_escape(name, sizeof name, m->name), output_word(m), tx_escape(table, sizeof table, d->file));
    if (status == TX_OK && !(*tasks = tx_strdup(common.data)))
        status = TX_ERR_MEMORY;
    tx_free(taken);
    tx_buffer_free(&common);
    return status;
}

tx_status outputs_match(const model *m, const tx_dataset *d, int **column)
{
    char name[TX_TEXT], task[TX_TEXT], near[TX_HINT];
    int named = m->task || in_chexpert_order(m, d);
    tx_escape(name, sizeof name, m->name);
    *column = NULL;
    if (!named && m->choice.classes != d->tasks)
        return tx_fail(TX_ERR_ARGUMENT,
                       "%s: %d outputs without names, expected one for each of the %d tasks (--tasks names them)", name,
                       m->choice.classes, d->tasks);
    *column = tx_alloc((size_t)d->tasks, sizeof **column);
    for (int k = 0; *column && k < d->tasks; k++) {
        int c = !named ? k : output_of(m, d->task[k]);
        if (c < 0)
            return tx_fail(TX_ERR_ARGUMENT, "%s: has no %s for the task '%s'%s", name, output_word(m),
                           tx_escape(task, sizeof task, d->task[k]), model_nearest_task(m, d->task[k], near));
        (*column)[k] = c;
    }
    return *column ? TX_OK : TX_ERR_MEMORY;
}

/* Outputs that are taken for a task of another name. */
static void say_renamed(const model *m, const tx_dataset *d, tx_buffer *lines)
{
    char item[2 * TX_TEXT + 8], output[TX_TEXT], task[TX_TEXT];
    list l = {.to = lines};
    snprintf(l.head, sizeof l.head, "%ss by other names:", output_word(m));
    for (int k = 0; k < d->tasks; k++) {
        int c = model_output(m, d->task[k]);
        if (c < 0 || strcmp(m->task[c], d->task[k]) == 0)
            continue;
        snprintf(item, sizeof item, "%s as %s", tx_escape(output, sizeof output, m->task[c]),
                 tx_escape(task, sizeof task, d->task[k]));
        list_add(&l, item);
    }
    list_end(&l);
}

void outputs_say(const model *m, const tx_dataset *d)
{
    char item[TX_TEXT + 16], task[TX_TEXT];
    int chexpert = in_chexpert_order(m, d);
    tx_buffer lines = {0};
    list l = {.to = &lines};
    snprintf(l.head, sizeof l.head,
             "outputs without names, taken in %s order:", chexpert ? "CheXpert's" : "the tasks'");
    for (int c = 0; !m->task && c < m->choice.classes; c++) {
        snprintf(item, sizeof item, "%d %s", c,
                 tx_escape(task, sizeof task, chexpert ? tx_observation[c] : d->task[c]));
        list_add(&l, item);
    }
    list_end(&l);
    if (m->task)
        say_renamed(m, d, &lines);
    if (lines.data)
        say_lines(lines.data);
    tx_buffer_free(&lines);
}
