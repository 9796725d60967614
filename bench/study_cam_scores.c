/* study_cam_scores.c - how well the maps of a study's models agree with boxes, over images outside train.
 *
 * A unit is an image and finding; what it has is the mean over a model's seeds. Groups are drawn, images or patients, so
 * that two findings of one image stay together. */
#include "study_cam_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const study_cam_figure[CAM_FIGURES] = {"hit rate", "IoU", "energy inside"};
const char *const study_cam_reason[CAM_REASONS] = {"negative everywhere", "negative or 0 everywhere", "0 everywhere"};

/* A unit; path and finding are a row's. */
typedef struct unit {
    const char *path, *finding;
    double area, value[CAM_FIGURES];
} unit;

/* Sorted by path, then finding. */
typedef struct units {
    unit *unit;
    size_t count;
} units;

static int by_name(const void *a, const void *b)
{
    const unit *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : strcmp(x->finding, y->finding);
}

static int counts(const study_cam_row *r)
{
    return strcmp(r->split, "train") && r->boxes && r->rows;
}

/* What one job has. */
static tx_status take(const study_cam *c, units *to)
{
    to->unit = tx_alloc(c->rows, sizeof *to->unit);
    to->count = 0;
    for (size_t i = 0; to->unit && i < c->rows; i++)
        if (counts(&c->row[i])) {
            const study_cam_row *r = &c->row[i];
            to->unit[to->count++] = (unit){r->path, r->finding, r->area, {r->hit, r->iou, r->energy}};
        }
    if (to->unit)
        qsort(to->unit, to->count, sizeof *to->unit, by_name);
    return to->unit ? TX_OK : TX_ERR_MEMORY;
}

/* Keeps of a what b has too, and adds to it the factor times what b has. */
static void join(units *a, const units *b, double factor)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->count; i++) {
        const unit *other = b->count ? bsearch(&a->unit[i], b->unit, b->count, sizeof *b->unit, by_name) : NULL;
        if (!other)
            continue;
        unit u = a->unit[i];
        for (int k = 0; k < CAM_FIGURES; k++)
            u.value[k] += factor * other->value[k];
        a->unit[kept++] = u;
    }
    a->count = kept;
}

/* The mean over the seeds. */
static tx_status mean_of(const study_cam *seed, size_t seeds, units *to)
{
    size_t known = 0;
    tx_status status = TX_OK;
    *to = (units){0};
    for (size_t s = 0; status == TX_OK && s < seeds; s++) {
        units more = {0};
        if (!seed[s].known)
            continue;
        status = take(&seed[s], known ? &more : to);
        if (status == TX_OK && known)
            join(to, &more, 1);
        known++;
        tx_free(more.unit);
    }
    for (size_t i = 0; known && i < to->count; i++)
        for (int k = 0; k < CAM_FIGURES; k++)
            to->unit[i].value[k] /= (double)known;
    return status;
}

/* -------------------------------------------------------------------------------------- groups */
/* The patient's part of a path. */
static size_t patient_of(const char *path, const char **begin)
{
    tx_path_groups of = tx_path_group(path, 0);
    *begin = path + of.patient;
    return of.patient_end - of.patient;
}

static int same_patient(const char *a, const char *b)
{
    const char *x, *y;
    size_t n = patient_of(a, &x), m = patient_of(b, &y);
    return n == m && memcmp(x, y, n) == 0;
}

/* Numbers groups as they first appear in the sorted units. Returns how many. */
static size_t number_groups(const units *u, int patients, uint32_t *group)
{
    size_t groups = 0;
    for (size_t i = 0; i < u->count; i++) {
        size_t j = 0;
        while (j < i && !(patients ? same_patient(u->unit[i].path, u->unit[j].path)
                                   : strcmp(u->unit[i].path, u->unit[j].path) == 0))
            j++;
        group[i] = j < i ? group[j] : (uint32_t)groups++;
    }
    return groups;
}

/* Columns of values, for the bootstrap. */
static void columns_of(const units *u, double *column)
{
    for (int k = 0; k < CAM_FIGURES; k++)
        for (size_t i = 0; i < u->count; i++)
            column[(size_t)k * u->count + i] = u->unit[i].value[k];
}

static void means_of(const units *u, double value[CAM_FIGURES])
{
    for (int k = 0; k < CAM_FIGURES; k++) {
        double sum = 0;
        for (size_t i = 0; i < u->count; i++)
            sum += u->unit[i].value[k];
        value[k] = u->count ? sum / (double)u->count : (double)NAN;
    }
}

static double area_of(const units *u)
{
    double sum = 0;
    for (size_t i = 0; i < u->count; i++)
        sum += u->unit[i].area;
    return u->count ? sum / (double)u->count : (double)NAN;
}

/* replicate[k * how->replicates + r]: the mean of figure k; the caller's. */
static tx_status resample(const units *u, const study_cam_resampling *how, size_t *images, size_t *patients,
                          double **replicate)
{
    const double *sample[CAM_FIGURES];
    double *column = tx_alloc(CAM_FIGURES * u->count, sizeof *column);
    uint32_t *image = tx_alloc(u->count, sizeof *image), *patient = tx_alloc(u->count, sizeof *patient);
    *replicate = tx_alloc(CAM_FIGURES * how->replicates, sizeof **replicate);
    tx_status status = column && image && patient && *replicate ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK) {
        columns_of(u, column);
        *images = number_groups(u, 0, image);
        *patients = number_groups(u, 1, patient);
        for (size_t k = 0; k < CAM_FIGURES; k++)
            sample[k] = column + k * u->count;
        status = tx_bootstrap_average(sample, CAM_FIGURES, how->by_patient ? patient : image, u->count,
                                      how->by_patient ? *patients : *images, how->replicates, how->seed, *replicate);
    }
    tx_free(column);
    tx_free(image);
    tx_free(patient);
    return status;
}

/* ------------------------------------------------------------------------------------- figures */
static void count_rows(const study_cam *c, study_cam_scores *out)
{
    out->unmade = 0;
    for (size_t i = 0; i < c->rows; i++) {
        const study_cam_row *r = &c->row[i];
        out->unmade += strcmp(r->split, "train") && !r->rows;
        if (!counts(r))
            continue;
        out->rows = r->rows;
        out->columns = r->columns;
        for (int k = 0; k < CAM_REASONS && r->empty; k++)
            out->empty[k] += strcmp(r->why, study_cam_reason[k]) == 0;
    }
}

tx_status study_cam_sum(const study_cam *seed, size_t seeds, const study_cam_resampling *how, study_cam_scores *out)
{
    units u;
    double *replicate = NULL;
    memset(out, 0, sizeof *out);
    tx_status status = mean_of(seed, seeds, &u);
    for (size_t s = 0; status == TX_OK && s < seeds; s++)
        if (seed[s].known)
            count_rows(&seed[s], out);
    out->maps = u.count;
    out->area = area_of(&u);
    means_of(&u, out->value);
    if (status == TX_OK)
        status = resample(&u, how, &out->images, &out->patients, &replicate);
    for (size_t k = 0; status == TX_OK && k < CAM_FIGURES; k++)
        status = tx_bootstrap_interval(replicate + k * how->replicates, how->replicates, &out->interval[k]);
    tx_free(replicate);
    tx_free(u.unit);
    return status;
}

tx_status study_cam_compare(const study_cam *a, size_t as, const study_cam *b, size_t bs,
                            const study_cam_resampling *how, study_cam_difference *out)
{
    units u, less;
    double *replicate = NULL;
    memset(out, 0, sizeof *out);
    tx_status status = mean_of(b, bs, &u), other = mean_of(a, as, &less);
    status = status ? status : other;
    if (status == TX_OK) {
        join(&u, &less, -1);
        out->maps = u.count;
        means_of(&u, out->value);
        status = resample(&u, how, &out->images, &out->patients, &replicate);
    }
    for (size_t k = 0; status == TX_OK && k < CAM_FIGURES; k++) {
        const double *of = replicate + k * how->replicates;
        status = tx_bootstrap_interval(of, how->replicates, &out->of[k].interval);
        out->of[k].p = tx_bootstrap_p(of, how->replicates);
    }
    tx_free(replicate);
    tx_free(u.unit);
    tx_free(less.unit);
    return status;
}
