/* outputs.c - which output of a model each task of a table is. */
#include "outputs.h"
#include "list.h"

#include <stdio.h>
#include <string.h>

/* Whether outputs without names are taken as CheXpert's observations. */
static int in_chexpert_order(const model *m, const tx_dataset *d)
{
    return m->choice.classes == TX_OBSERVATIONS && d->observations == TX_OBSERVATIONS;
}

/* Output c's name, where the dataset's tasks do not stand for the outputs one by one. */
static const char *name_of(const model *m, int c)
{
    return m->task ? m->task[c] : tx_observation[c];
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
        int c = named ? 0 : k;
        while (named && c < m->choice.classes && strcmp(name_of(m, c), d->task[k]))
            c++;
        if (c == m->choice.classes)
            return tx_fail(TX_ERR_ARGUMENT, "%s: has no output for the task '%s'%s", name,
                           tx_escape(task, sizeof task, d->task[k]), model_nearest_task(m, d->task[k], near));
        (*column)[k] = c;
    }
    return *column ? TX_OK : TX_ERR_MEMORY;
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
    if (lines.data)
        say_lines(lines.data);
    tx_buffer_free(&lines);
}
