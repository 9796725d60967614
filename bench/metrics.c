/* metrics.c - a run's metrics.csv, read back. */
#include "metrics.h"
#include "words.h"

#include <math.h>
#include <string.h>

double table_real(const char *text)
{
    double value;
    return tx_number_parse(text, &value) ? (double)NAN : value;
}

static tx_status add_metric(metrics *m, char **field)
{
    tx_status status = tx_grow((void **)&m->row, &m->room, m->rows + 1, sizeof *m->row);
    if (status)
        return status;
    metric *r = &m->row[m->rows];
    memset(r, 0, sizeof *r);
    if (parse_seed(field[0], &r->step))
        return tx_fail(TX_ERR_FORMAT, "metrics.csv: a step that is no number");
    r->test = strcmp(field[1], "test") == 0;
    r->task = tx_strdup(field[2]);
    r->positives = table_real(field[3]);
    r->negatives = table_real(field[4]);
    r->auc = table_real(field[5]);
    r->low = table_real(field[6]);
    r->high = table_real(field[7]);
    r->method = tx_strdup(field[8]);
    m->rows++;
    return r->task && r->method ? TX_OK : TX_ERR_MEMORY;
}

tx_status metrics_read(metrics *m, const char *folder)
{
    char **field;
    size_t fields;
    memset(m, 0, sizeof *m);
    char *path = tx_path_join(folder, "metrics.csv");
    tx_csv *csv = path ? tx_csv_open(path) : NULL;
    tx_free(path);
    if (!csv)
        return TX_ERR_FILE;
    tx_status status = TX_OK;
    int more = tx_csv_next(csv, &field, &fields);
    while (status == TX_OK && more == 1 && (more = tx_csv_next(csv, &field, &fields)) == 1)
        status = fields == 9 ? add_metric(m, field)
                             : tx_fail(TX_ERR_FORMAT, "metrics.csv: a row of %zu fields, expected 9", fields);
    if (status == TX_OK && more < 0)
        status = (tx_status)more;
    tx_csv_close(csv);
    return status;
}

const metric *metrics_find(const metrics *m, uint64_t step, int test, const char *task)
{
    for (size_t i = 0; i < m->rows; i++)
        if (m->row[i].step == step && m->row[i].test == test && strcmp(m->row[i].task, task) == 0)
            return &m->row[i];
    return NULL;
}

void metrics_free(metrics *m)
{
    for (size_t i = 0; i < m->rows; i++) {
        tx_free(m->row[i].task);
        tx_free(m->row[i].method);
    }
    tx_free(m->row);
    memset(m, 0, sizeof *m);
}
