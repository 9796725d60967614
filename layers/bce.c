/* bce.c - binary cross-entropy on logits, an independent yes or no a class, with missing labels masked.
 *
 * SHAPES   logits x, labels t in [0,1], mask m in {0,1}: (N,H,W,C)  pos_weight p (C)  y: element 0 of N
 * FORWARD  l(x,t) = - p t log s(x) - (1-t) log(1 - s(x)),  s(x) = 1/(1 + exp(-x))
 *                 = p t softplus(-x) + (1-t) softplus(x),  softplus(x) = max(x,0) + log1p(exp(-|x|))
 *          (which for p = 1 is max(x,0) - x t + log1p(exp(-|x|)));  y = sum(m l) / sum(m), or 0 if sum(m) is 0
 * BACKWARD softplus' = s and 1 - s(x) = s(-x), so dl/dx = (1-t) s(x) - p t s(-x), for p = 1 that is s(x) - t;
 *          dx = dy m dl/dx / sum(m), or 0 if sum(m) is 0. Labels and mask are data: no gradient.
 * NUMERICS double, in the order (n,h,w,c), rounded once at the end. No exponential overflows, no logarithm sees 0.
 *          Where the mask is 0, logit and label are not looked at (a missing label may be NaN).
 * MEMORY   nothing is kept.
 * SOURCE   Irvin et al., "CheXpert", arXiv:1901.07031, section 3 (masked labels).
 * TESTS    test/layers_losses.c, test/golden/op_loss.txt */
#include "layers_private.h"

#include <math.h>
#include <string.h>

typedef struct bce_args {
    int weighted;
    float pos_weight[TX_MAX_POS_WEIGHTS];
} bce_args;

static tx_status bce_shape(tx_node *node)
{
    const bce_args *a = node->args;
    const tx_node *x = node->input[0];
    for (int i = 1; i < node->inputs; i++) {
        const tx_node *other = node->input[i];
        if (other->h != x->h || other->w != x->w || other->c != x->c)
            return tx_fail(TX_ERR_ARGUMENT, "%s of %d x %d x %d (h,w,c) for logits of %d x %d x %d",
                           i == 1 ? "labels" : "mask", other->h, other->w, other->c, x->h, x->w, x->c);
    }
    for (int c = 0; c < x->c && a->weighted; c++)
        if (!(a->pos_weight[c] >= 0 && isfinite(a->pos_weight[c])))
            return tx_fail(TX_ERR_ARGUMENT, "pos_weight[%d] = %g, expected a number from 0 on", c,
                           (double)a->pos_weight[c]);
    node->h = node->w = node->c = 1;
    return TX_OK;
}

/* ---- one entry */

static double softplus(double x)
{
    return (x > 0 ? x : 0) + tx_log1p(tx_exp(-fabs(x)));
}

static double entry_loss(double x, double t, double p)
{
    return p * t * softplus(-x) + (1 - t) * softplus(x);
}

static double entry_gradient(double x, double t, double p)
{
    return (1 - t) * tx_logistic(x) - p * t * tx_logistic(-x);
}

float tx_bce_each(float logit, float label)
{
    return (float)entry_loss((double)logit, (double)label, 1);
}

static double pos_weight(const tx_node *node, size_t channel)
{
    const bce_args *a = node->args;
    return a->weighted ? (double)a->pos_weight[channel] : 1;
}

/* ---- the definition */

static size_t reference_logits(const tx_reference_step *s)
{
    const tx_node *x = s->node->input[0];
    return (size_t)s->n * (size_t)x->h * (size_t)x->w * (size_t)x->c;
}

static double reference_mask(const tx_reference_step *s, size_t i)
{
    return s->node->inputs > 2 ? s->x[2][i] : 1;
}

static double reference_count(const tx_reference_step *s)
{
    double count = 0;
    for (size_t i = 0; i < reference_logits(s); i++)
        count += reference_mask(s, i);
    return count;
}

static void bce_reference_forward(tx_reference_step *s)
{
    double sum = 0, count = reference_count(s);
    size_t channels = (size_t)s->node->input[0]->c;
    for (size_t i = 0; i < reference_logits(s); i++)
        if (reference_mask(s, i) != 0)
            sum += reference_mask(s, i) * entry_loss(s->x[0][i], s->x[1][i], pos_weight(s->node, i % channels));
    for (size_t i = 0; i < (size_t)s->n; i++)
        s->y[i] = 0;
    s->y[0] = count > 0 ? sum / count : 0;
}

static void bce_reference_backward(tx_reference_step *s)
{
    double count = reference_count(s);
    size_t channels = (size_t)s->node->input[0]->c;
    for (size_t i = 0; i < reference_logits(s) && s->dx[0]; i++)
        if (reference_mask(s, i) != 0)
            s->dx[0][i] += s->dy[0] * reference_mask(s, i) / count *
                           entry_gradient(s->x[0][i], s->x[1][i], pos_weight(s->node, i % channels));
}

/* ---- what runs: some hundred entries, so plain loops */

static size_t logit_pixels(const tx_step *step)
{
    return (size_t)step->n * (size_t)step->x[0].h * (size_t)step->x[0].w;
}

/* Channel c of pixel p of input i; 1 where there is no mask. */
static double value(const tx_step *step, int i, size_t p, size_t c)
{
    return i < step->node->inputs ? (double)step->x[i].data[p * step->x[i].ld + c] : 1;
}

static double mask_sum(const tx_step *step)
{
    double count = 0;
    for (size_t p = 0; p < logit_pixels(step); p++)
        for (size_t c = 0; c < (size_t)step->x[0].c; c++)
            count += value(step, 2, p, c);
    return count;
}

static tx_status bce_forward(tx_step *step)
{
    double sum = 0, count = mask_sum(step);
    for (size_t p = 0; p < logit_pixels(step); p++)
        for (size_t c = 0; c < (size_t)step->x[0].c; c++)
            if (value(step, 2, p, c) != 0)
                sum += value(step, 2, p, c) *
                       entry_loss(value(step, 0, p, c), value(step, 1, p, c), pos_weight(step->node, c));
    for (size_t i = 0; i < (size_t)step->n; i++)
        step->y.data[i * step->y.ld] = 0;
    step->y.data[0] = count > 0 ? (float)(sum / count) : 0;
    return TX_OK;
}

/* dx = add: labels and mask take no part */
static void pass_by(const tx_step *step, int i)
{
    const tx_gradient *dx = &step->dx[i];
    for (size_t p = 0; p < logit_pixels(step) && dx->data; p++)
        for (size_t c = 0; c < (size_t)step->x[0].c; c++)
            dx->data[p * dx->ld + c] = dx->add ? dx->add[p * dx->add_ld + c] : 0;
}

static tx_status bce_backward(tx_step *step)
{
    double count = mask_sum(step), share = count > 0 ? (double)step->dy.g.data[0] / count : 0;
    const tx_gradient *dx = &step->dx[0];
    for (size_t p = 0; p < logit_pixels(step) && dx->data; p++)
        for (size_t c = 0; c < (size_t)step->x[0].c; c++) {
            double m = value(step, 2, p, c), g = 0;
            if (m != 0)
                g = share * m * entry_gradient(value(step, 0, p, c), value(step, 1, p, c), pos_weight(step->node, c));
            float add = dx->add ? dx->add[p * dx->add_ld + c] : 0;
            dx->data[p * dx->ld + c] = add + (float)g;
        }
    for (int i = 1; i < step->node->inputs; i++)
        pass_by(step, i);
    return TX_OK;
}

const tx_op tx_op_bce = {
    .name = "bce_with_logits",
    .shape = bce_shape,
    .forward = bce_forward,
    .backward = bce_backward,
    .reference_forward = bce_reference_forward,
    .reference_backward = bce_reference_backward,
    .needs = TX_NEEDS_X,
    .traits = TX_DATA_INPUTS,
};

tx_node *tx_bce_with_logits(tx_graph *graph, tx_node *logits, tx_node *labels, tx_node *mask, tx_bce_args args)
{
    bce_args a = {.weighted = args.pos_weight != NULL};
    tx_node *inputs[3] = {logits, labels, mask};
    if (args.pos_weight && logits && logits->c > TX_MAX_POS_WEIGHTS)
        return tx_graph_refuse(graph, "bce_with_logits: pos_weight for %d classes, at most %d", logits->c,
                               (int)TX_MAX_POS_WEIGHTS);
    if (args.pos_weight && logits)
        memcpy(a.pos_weight, args.pos_weight, (size_t)logits->c * sizeof(float));
    return tx_graph_add(graph, &tx_op_bce, "", inputs, mask ? 3 : 2, &a, sizeof a);
}
