/* data_notes.c - what is odd about tables of images, in words: lines of a plan, of a check, below a table. */
#include "data_notes.h"
#include "list.h"

#include <stdio.h>
#include <string.h>

const char *task_state_name(tx_task_state state)
{
    static const char *const names[] = {NULL, "empty throughout", "no label", "no negative", "no positive"};
    return names[state];
}

/* ------------------------------------------------------------------------------------------- of columns */
static void passed_columns(tx_buffer *to, const tx_dataset *d, const char *split, int index)
{
    list l = {.to = to};
    snprintf(l.head, sizeof l.head, "%s: %s:", split,
             index ? "an index, passed over" : "columns passed over (--tasks can name them)");
    for (size_t i = 0; i < d->passed_columns; i++) {
        const tx_passed_column *p = &d->passed[i];
        char item[TX_TEXT + 32], name[TX_TEXT];
        if (strchr(p->name, ','))
            snprintf(item, sizeof item, "'%s'", tx_escape(name, sizeof name, p->name));
        else if (p->name[0])
            tx_escape(item, TX_TEXT, p->name);
        else
            snprintf(item, sizeof item, "column %zu, which has no name", p->column);
        if (p->index == index)
            list_add(&l, item);
    }
    list_end(&l);
}

static void tasks_in_state(tx_buffer *to, const tx_dataset *d, const char *split, tx_task_state state)
{
    char item[TX_TEXT];
    list l = {.to = to};
    snprintf(l.head, sizeof l.head, "%s: %s:", split, task_state_name(state));
    for (int k = 0; k < d->tasks; k++)
        if (d->note[k].state == state)
            list_add(&l, tx_escape(item, sizeof item, d->task[k]));
    list_end(&l);
}

static void twins(tx_buffer *to, const tx_dataset *d, const char *split)
{
    char a[TX_TEXT], b[TX_TEXT], item[2 * TX_TEXT + 32];
    list l = {.to = to};
    snprintf(l.head, sizeof l.head, "%s: counted twice in a mean of both:", split);
    for (int k = 0; k < d->tasks; k++) {
        const tx_task_note *n = &d->note[k];
        if (n->twin < 0)
            continue;
        snprintf(item, sizeof item, "%s %s %s", tx_escape(a, sizeof a, d->task[k]),
                 n->opposite ? "is the opposite of" : "says the same as", tx_escape(b, sizeof b, d->task[n->twin]));
        list_add(&l, item);
    }
    list_end(&l);
}

/* ------------------------------------------------------------------------------------------- of images */
static void own_studies(tx_buffer *to, tx_dataset *const *d, const char *const *split, int n)
{
    list l = {to, "images in no folder patient../study.., so a study and a patient each:", 0};
    for (int i = 0; i < n; i++) {
        char item[64];
        if (!d[i] || d[i]->alone == 0)
            continue;
        if (d[i]->study_rows)
            strcpy(l.head, "studies in no folder patient.., so a patient each:");
        snprintf(item, sizeof item, "%zu of %.16s's %zu", d[i]->alone, split[i], d[i]->images);
        list_add(&l, item);
    }
    list_end(&l);
}

static void repeated_paths(tx_buffer *to, tx_dataset *const *d, const char *const *split, int a, int b)
{
    size_t count, first;
    char path[TX_TEXT];
    if (!d[a] || !d[b])
        return;
    tx_status status = tx_dataset_repeats(d[a], d[b], &count, &first);
    if (status)
        to->status = to->status ? to->status : status;
    else if (count && a == b)
        tx_buffer_add(to, "%s: %zu %s that stands before, first\n    %s\n", split[a], count,
                      d[a]->study_rows ? count == 1 ? "row has a Study" : "rows have a Study"
                      : count == 1     ? "image has a Path"
                                       : "images have a Path",
                      tx_escape(path, sizeof path, d[b]->path[first]));
    else if (count)
        tx_buffer_add(to, "%s and %s: %zu %s in both, first\n    %s\n", split[a], split[b], count,
                      count == 1 ? "Path stands" : "Paths stand", tx_escape(path, sizeof path, d[b]->path[first]));
}

/* Says where a split was read from, if not from SPLIT.csv in the data's folder. */
static void other_table(tx_buffer *to, const tx_dataset *d, const char *split)
{
    char escaped[TX_TEXT];
    size_t folder = strlen(d->folder), n = strlen(split);
    const char *name =
        strncmp(d->file, d->folder, folder) == 0 ? d->file + folder + strspn(d->file + folder, "/") : d->file;
    if (strncmp(name, split, n) || strcmp(name + n, ".csv"))
        tx_buffer_add(to, "%s: read from %s\n", split, tx_escape(escaped, sizeof escaped, name));
}

/* Where a table has no observation, the columns that were taken in their place. */
static void label_columns(tx_buffer *to, const tx_dataset *d, const char *split)
{
    char item[TX_TEXT];
    list l = {.to = to};
    snprintf(l.head, sizeof l.head, "%s: none of CheXpert's observations; tasks:", split);
    for (int k = 0; d->observations == 0 && k < d->tasks; k++)
        list_add(&l, tx_escape(item, sizeof item, d->task[k]));
    list_end(&l);
}

void data_notes_reading(tx_buffer *to, tx_dataset *const *d, const char *const *split, int n, int every)
{
    for (int i = 0; i < n; i++) {
        if (!d[i])
            continue;
        other_table(to, d[i], split[i]);
        if (i == 0 || every) {
            label_columns(to, d[i], split[i]);
            passed_columns(to, d[i], split[i], 1);
            passed_columns(to, d[i], split[i], 0);
        }
        if (d[i]->unknown_views)
            tx_buffer_add(to, "%s: %zu images of unknown view left out\n", split[i], d[i]->unknown_views);
    }
    own_studies(to, d, split, n);
    for (int b = 0; b < n; b++)
        for (int a = 0; a <= b; a++)
            repeated_paths(to, d, split, a, b);
}

void data_notes(tx_buffer *to, tx_dataset *const *d, const char *const *split, int n, int every)
{
    data_notes_reading(to, d, split, n, every);
    for (int i = 0; i < n; i++) {
        if (!d[i] || (i > 0 && !every))
            continue;
        for (int state = TX_TASK_EMPTY; state <= TX_TASK_NEGATIVE; state++)
            tasks_in_state(to, d[i], split[i], (tx_task_state)state);
        twins(to, d[i], split[i]);
    }
}
