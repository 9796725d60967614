/* batchnorm.c - batch normalisation over N,H,W, a channel at a time.
 *
 * SHAPES   x, y, dx, dy (N,H,W,C)  weight w, bias b, mean mu, variance v, rstd (C)   M = N H W
 * FORWARD  mu = 1/M sum x;  v = 1/M sum (x - mu)^2;  rstd = 1/sqrt(v + eps);  xh = (x - mu) rstd;  y = w xh + b
 *          computed as  y = scale x + shift  with  scale = w rstd,  shift = b - mu scale.
 *          running = (1-m) running + m new, where the new variance is v M/(M-1), unbiased; y uses the biased v.
 *          In inference mu and v are the running ones.
 * BACKWARD given dy, let e = w dy.  db = sum dy;  dw = sum dy xh.  x acts on y directly, through v and through mu:
 *          dv  = sum e (x - mu) d(rstd)/dv = -1/2 rstd^3 sum e (x - mu)
 *          dmu = -rstd sum e + dv d(v)/dmu,  and  d(v)/dmu = -2/M sum (x - mu) = 0: that term vanishes
 *          dx  = e rstd + dv 2 (x - mu)/M + dmu/M = rstd (e - mean(e) - xh mean(e xh))
 *              = scale (dy - mean(dy) - (x - mu) slope)  with  slope = rstd^2 mean(dy (x - mu)).
 *          With an activation joined, dy is 0 where scale x + shift <= 0; that is recomputed, not stored.
 *          In inference the statistics are constants and dx = scale dy.
 * NUMERICS the statistics have no cancellation (core/channel.c), also where |mu| is large beside sqrt(v); scale and
 *          shift are computed in double and rounded once. One value a channel (M = 1): v = 0, y = b, and the running
 *          variance takes v itself.
 * MEMORY   saved: scale, shift, mean, rstd, from backward mean(dy) and slope (C floats each). Where all readers apply scale and shift themselves, y is
 *          never written. Whoever writes x takes its statistics. Work of backward: three floats a channel for TX_CHUNK
 *          pixels; it reads x and dy twice. The last line of dx may be left to whoever wrote x, and is never written then.
 * SOURCE   Ioffe & Szegedy, "Batch Normalization", arXiv:1502.03167, algorithm 1 and section 3.
 * TESTS    test/layers_batchnorm.c, test/golden/op_norm_pool.txt */
#include "layers_private.h"

#include <math.h>

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

static tx_status batchnorm_shape(tx_node *node)
{
    const tx_batchnorm_args *a = node->args;
    const tx_node *x = node->input[0];
    if (!(a->eps > 0 && isfinite(a->eps)) || !(a->momentum > 0 && a->momentum <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "eps %g, momentum %g, expected a number eps > 0, 0 < momentum <= 1", a->eps,
                       a->momentum);
    node->h = x->h;
    node->w = x->w;
    node->c = x->c;
    static const struct {
        const char *leaf;
        tx_role role;
        tx_init_kind init;
    } state[] = {{"weight", TX_ROLE_TRAINED, TX_INIT_ONE},
                 {"bias", TX_ROLE_TRAINED, TX_INIT_ZERO},
                 {"running_mean", TX_ROLE_BUFFER, TX_INIT_ZERO},
                 {"running_var", TX_ROLE_BUFFER, TX_INIT_ONE}};
    for (int k = 0; k < 4; k++) {
        tx_status status = tx_node_param(node, state[k].leaf, state[k].role, (tx_init){state[k].init, 0}, 1, &node->c);
        if (status)
            return status;
    }
    return tx_node_param(node, "num_batches_tracked", TX_ROLE_COUNTER, (tx_init){TX_INIT_ZERO, 0}, 0, NULL);
}

/* ---- the definition */

/* Mean and rstd of channel c: the batch's in training (returning the variance too), else the running ones. */
static double reference_statistics(const tx_reference_step *s, size_t c, double *mean, double *rstd)
{
    const tx_batchnorm_args *a = s->node->args;
    size_t channels = (size_t)s->node->c, m = (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w;
    double mu = s->param[RUNNING_MEAN][c], v = s->param[RUNNING_VAR][c];
    if (s->training) {
        mu = v = 0;
        for (size_t i = 0; i < m; i++)
            mu += s->x[0][i * channels + c] / (double)m;
        for (size_t i = 0; i < m; i++)
            v += (s->x[0][i * channels + c] - mu) * (s->x[0][i * channels + c] - mu) / (double)m;
    }
    *mean = mu;
    *rstd = 1 / sqrt(v + a->eps);
    return v;
}

/* y = w (x - mu) rstd + b */
static void batchnorm_reference_forward(tx_reference_step *s)
{
    const tx_batchnorm_args *a = s->node->args;
    size_t channels = (size_t)s->node->c, m = (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w;
    for (size_t c = 0; c < channels; c++) {
        double mean, rstd, v = reference_statistics(s, c, &mean, &rstd);
        for (size_t i = c; i < m * channels; i += channels)
            s->y[i] = s->param[WEIGHT][c] * (s->x[0][i] - mean) * rstd + s->param[BIAS][c];
        if (!s->training)
            continue;
        double unbiased = m > 1 ? v * (double)m / (double)(m - 1) : v;
        s->param[RUNNING_MEAN][c] += a->momentum * (mean - s->param[RUNNING_MEAN][c]);
        s->param[RUNNING_VAR][c] += a->momentum * (unbiased - s->param[RUNNING_VAR][c]);
    }
}

/* dx += w rstd (dy - mean(dy) - xh mean(dy xh)); in inference the statistics are constants: dx += w rstd dy */
static void batchnorm_reference_backward(tx_reference_step *s)
{
    size_t channels = (size_t)s->node->c, m = (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w;
    for (size_t c = 0; c < channels; c++) {
        double mean, rstd, sum = 0, sum_xh = 0;
        reference_statistics(s, c, &mean, &rstd);
        for (size_t i = c; i < m * channels; i += channels) {
            sum += s->dy[i];
            sum_xh += s->dy[i] * (s->x[0][i] - mean) * rstd;
        }
        s->dparam[WEIGHT][c] += sum_xh;
        s->dparam[BIAS][c] += sum;
        double mean_dy = s->training ? sum / (double)m : 0, mean_xh = s->training ? sum_xh / (double)m : 0;
        for (size_t i = c; i < m * channels && s->dx[0]; i += channels)
            s->dx[0][i] += s->param[WEIGHT][c] * rstd * (s->dy[i] - mean_dy - (s->x[0][i] - mean) * rstd * mean_xh);
    }
}

/* ---- what runs */

/* Arrays of C floats in saved. All but the last are known to the planner (TX_AFFINE). */
typedef struct coefficients {
    float *scale, *shift, *mean, *mean_g, *slope, *rstd;
} coefficients;

static coefficients saved_of(const tx_step *step)
{
    float *saved = step->saved;
    size_t c = (size_t)step->node->c;
    return (coefficients){saved, saved + c, saved + 2 * c, saved + 3 * c, saved + 4 * c, saved + 5 * c};
}

static void batchnorm_plan(const tx_step *step, tx_workspace *space)
{
    size_t c = (size_t)step->node->c;
    space->cheap = 1;
    space->saved = 6 * c * sizeof(float);
    if (!step->backward)
        return;
    space->work_backward = 2 * c * sizeof(double) + tx_channel_work(pixels_of(step), step->node->c);
    space->more_backward = 2.0 * step->node->h * step->node->w * step->node->c; /* x and dy: for the sums, for dx */
}

/* y = scale x + shift, the shift by the scale as rounded: at x = mean, y = bias */
static void affine(double weight, double bias, double mean, double rstd, float *scale, float *shift)
{
    *scale = (float)(weight * rstd);
    *shift = (float)(bias - mean * (double)*scale);
}

tx_status tx_batchnorm_affine(const tx_node *node, float *const *param, float *scale, float *shift)
{
    if (!node || !param || !scale || !shift)
        return tx_fail_null("tx_batchnorm_affine", node ? "parameters or room" : "node");
    if (node->op != &tx_op_batchnorm)
        return tx_fail(TX_ERR_ARGUMENT, "tx_batchnorm_affine: %s '%s' is no batch norm", node->op->name, node->name);
    for (int k = 0; k < 4; k++)
        if (!param[k])
            return tx_fail_null("tx_batchnorm_affine", "parameter");
    const tx_batchnorm_args *a = node->args;
    for (size_t c = 0; c < (size_t)node->c; c++)
        affine((double)param[WEIGHT][c], (double)param[BIAS][c], (double)param[RUNNING_MEAN][c],
               1 / sqrt((double)param[RUNNING_VAR][c] + a->eps), &scale[c], &shift[c]);
    return TX_OK;
}

static tx_status batchnorm_prepare(tx_step *step)
{
    coefficients k = saved_of(step);
    if (step->training)
        return TX_OK;
    const tx_batchnorm_args *a = step->node->args;
    tx_status status = tx_batchnorm_affine(step->node, step->param, k.scale, k.shift);
    if (status)
        return status;
    for (size_t c = 0; c < (size_t)step->node->c; c++) {
        k.mean[c] = step->param[RUNNING_MEAN][c];
        k.rstd[c] = (float)(1 / sqrt((double)step->param[RUNNING_VAR][c] + a->eps));
    }
    return TX_OK;
}

/* Batch statistics into the coefficients and the running statistics. */
static tx_status use_statistics(tx_step *step)
{
    const tx_batchnorm_args *a = step->node->args;
    coefficients k = saved_of(step);
    size_t channels = (size_t)step->node->c, m = pixels_of(step);
    const double *mean = step->x_moments.mean, *variance = step->x_moments.variance;
    double keep = 1 - a->momentum;
    if (!mean)
        return tx_fail(TX_ERR_ARGUMENT, "training without the batch statistics of its input");
    double unbiased = m > 1 ? (double)m / (double)(m - 1) : 1;
    float *running_mean = step->param[RUNNING_MEAN], *running_var = step->param[RUNNING_VAR];
    for (size_t c = 0; c < channels; c++) {
        double rstd = 1 / sqrt(variance[c] + a->eps);
        k.mean[c] = (float)mean[c];
        k.rstd[c] = (float)rstd;
        affine((double)step->param[WEIGHT][c], (double)step->param[BIAS][c], mean[c], rstd, &k.scale[c], &k.shift[c]);
        running_mean[c] = (float)(keep * (double)running_mean[c] + a->momentum * mean[c]);
        running_var[c] = (float)(keep * (double)running_var[c] + a->momentum * (variance[c] * unbiased));
    }
    *step->counter += 1;
    return TX_OK;
}

static tx_status batchnorm_forward(tx_step *step)
{
    tx_status status = step->training && !step->again ? use_statistics(step) : TX_OK;
    if (status || !step->y.data)
        return status; /* without y, readers apply scale, shift and act */
    tx_view x = step->x[0];
    coefficients k = saved_of(step);
    x.scale = k.scale;
    x.shift = k.shift;
    return tx_channel_sum(step->machine, &step->y, &x, 1, step->act);
}

static tx_status batchnorm_backward(tx_step *step)
{
    coefficients k = saved_of(step);
    size_t channels = (size_t)step->node->c;
    const double *sum_g = step->sum_g, *sum_gx = step->sum_gx;
    double *sums = step->work, m = (double)pixels_of(step);
    tx_view x = step->x[0];
    x.scale = k.scale;
    x.shift = k.shift;
    x.act = step->act;
    if (!sum_g) { /* whoever wrote dy has not taken them */
        tx_status status =
            tx_channel_bn_reduce(step->machine, &x, k.mean, &step->dy.g, sums, sums + channels, sums + 2 * channels);
        if (status)
            return status;
        sum_g = sums;
        sum_gx = sums + channels;
    }
    for (size_t c = 0; c < channels; c++) {
        double rstd = (double)k.rstd[c];
        if (step->grad[BIAS])
            step->grad[BIAS][c] = (float)sum_g[c];
        if (step->grad[WEIGHT])
            step->grad[WEIGHT][c] = (float)(sum_gx[c] * rstd);
        /* statistics that are no function of x let no gradient through */
        k.mean_g[c] = step->training ? (float)(sum_g[c] / m) : 0;
        k.slope[c] = step->training ? (float)(sum_gx[c] * (rstd * rstd) / m) : 0;
    }
    if (!step->dx[0].data)
        return TX_OK; /* nobody wants it, or it is applied by whoever reads it */
    return tx_channel_bn_apply(step->machine, &step->dx[0], &x, k.mean, &step->dy.g, k.mean_g, k.slope);
}

const tx_op tx_op_batchnorm = {
    .name = "batchnorm",
    .shape = batchnorm_shape,
    .plan = batchnorm_plan,
    .prepare = batchnorm_prepare,
    .forward = batchnorm_forward,
    .backward = batchnorm_backward,
    .reference_forward = batchnorm_reference_forward,
    .reference_backward = batchnorm_reference_backward,
    .kind = TX_AFFINE,
    .fuses = FUSES_ALL,
    .needs = TX_NEEDS_X,
    .traits = TX_IN_PLACE,
};

tx_node *tx_batchnorm(tx_graph *graph, tx_node *x, const char *name, tx_batchnorm_args args)
{
    if (args.eps == 0)
        args.eps = 1e-5;
    if (args.momentum == 0)
        args.momentum = 0.1;
    return tx_graph_add(graph, &tx_op_batchnorm, name, &x, 1, &args, sizeof args);
}
