/* cross_entropy.c - softmax cross-entropy: one class of several, with label smoothing.
 *
 * SHAPES   logits x (N,1,1,K)  target (N,1,1,1), a class number 0..K-1  y: element 0 of N
 * FORWARD  q = softmax(x);  the wanted distribution is t[k] = (1-s) [k = target] + s/K;  l = - sum t[k] log q[k]
 *          = lse - (1-s) x[target] - s/K sum x,  lse = log sum exp(x),  as sum t = 1;  y = mean of l over the images
 * BACKWARD dlse/dx[k] = q[k], so dl/dx[k] = q[k] - t[k];  dx = dy (q - t) / N
 * NUMERICS double; lse = max + log sum exp(x - max), so nothing overflows; sums in index order. Images whose target
 *          is no class number count neither in the sum nor in N; without any the loss is 0.
 * MEMORY   one double an image within the step.
 * SOURCE   Szegedy et al., "Rethinking the Inception Architecture", arXiv:1512.00567, section 7 (smoothing).
 * TESTS    test/layers_losses.c, test/golden/op_loss.txt */
#include "layers_private.h"

static tx_status cross_entropy_shape(tx_node *node)
{
    const tx_cross_entropy_args *a = node->args;
    const tx_node *x = node->input[0], *target = node->input[1];
    if (x->h != 1 || x->w != 1 || target->h != 1 || target->w != 1 || target->c != 1)
        return tx_fail(TX_ERR_ARGUMENT,
                       "logits of %d x %d x %d (h,w,c) and targets of %d x %d x %d, expected 1 x 1 x K and 1 x 1 x 1",
                       x->h, x->w, x->c, target->h, target->w, target->c);
    if (!(a->smoothing >= 0 && a->smoothing <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "smoothing %g, expected 0 to 1", a->smoothing);
    node->h = node->w = node->c = 1;
    return TX_OK;
}

/* The class that a target names, or -1. */
static int class_of(double target, int classes)
{
    return target >= 0 && target < classes && target == (int)target ? (int)target : -1;
}

/* ---- the definition */

static double reference_lse(const double *x, int classes)
{
    double max = x[0], sum = 0;
    for (int k = 1; k < classes; k++)
        max = x[k] > max ? x[k] : max;
    for (int k = 0; k < classes; k++)
        sum += tx_exp(x[k] - max);
    return max + tx_log(sum);
}

/* Wanted probability of class k. */
static double wanted(const tx_node *node, int k, int target)
{
    const tx_cross_entropy_args *a = node->args;
    return (k == target ? 1 - a->smoothing : 0) + a->smoothing / node->input[0]->c;
}

static int reference_count(const tx_reference_step *s)
{
    int count = 0;
    for (int n = 0; n < s->n; n++)
        count += class_of(s->x[1][n], s->node->input[0]->c) >= 0;
    return count;
}

static void cross_entropy_reference_forward(tx_reference_step *s)
{
    int classes = s->node->input[0]->c, count = reference_count(s);
    for (int n = 0; n < s->n; n++)
        s->y[n] = 0;
    for (int n = 0; n < s->n; n++) {
        const double *x = s->x[0] + (size_t)n * (size_t)classes;
        int target = class_of(s->x[1][n], classes);
        double lse = reference_lse(x, classes);
        for (int k = 0; k < classes && target >= 0; k++)
            s->y[0] -= wanted(s->node, k, target) * (x[k] - lse) / count;
    }
}

static void cross_entropy_reference_backward(tx_reference_step *s)
{
    int classes = s->node->input[0]->c, count = reference_count(s);
    for (int n = 0; n < s->n && s->dx[0]; n++) {
        const double *x = s->x[0] + (size_t)n * (size_t)classes;
        int target = class_of(s->x[1][n], classes);
        double lse = reference_lse(x, classes);
        for (int k = 0; k < classes && target >= 0; k++)
            s->dx[0][(size_t)n * (size_t)classes + (size_t)k] +=
                s->dy[0] * (tx_exp(x[k] - lse) - wanted(s->node, k, target)) / count;
    }
}

/* ---- what runs: an image a task */

static const float *logits_of(const tx_step *step, size_t n)
{
    return step->x[0].data + n * step->x[0].ld;
}

static int target_of(const tx_step *step, size_t n)
{
    return class_of((double)step->x[1].data[n * step->x[1].ld], step->x[0].c);
}

static double lse_of(const float *x, int classes)
{
    double max = (double)x[0], sum = 0;
    for (int k = 1; k < classes; k++)
        max = (double)x[k] > max ? (double)x[k] : max;
    for (int k = 0; k < classes; k++)
        sum += tx_exp((double)x[k] - max);
    return max + tx_log(sum);
}

static int images_that_count(const tx_step *step)
{
    int count = 0;
    for (size_t n = 0; n < (size_t)step->n; n++)
        count += target_of(step, n) >= 0;
    return count;
}

static void cross_entropy_plan(const tx_step *step, tx_workspace *space)
{
    space->work = (size_t)step->n * sizeof(double);
}

static void loss_task(void *context, size_t n, int worker)
{
    (void)worker;
    const tx_step *step = context;
    const tx_cross_entropy_args *a = step->node->args;
    int classes = step->x[0].c, target = target_of(step, n);
    const float *x = logits_of(step, n);
    double *loss = step->work, sum = 0;
    for (int k = 0; k < classes; k++)
        sum += (double)x[k];
    loss[n] = 0;
    if (target >= 0)
        loss[n] = lse_of(x, classes) - (1 - a->smoothing) * (double)x[target] - a->smoothing / classes * sum;
}

static tx_status cross_entropy_forward(tx_step *step)
{
    tx_status status = tx_parallel_on(step->machine, (size_t)step->n, loss_task, step);
    const double *loss = step->work;
    double sum = 0;
    int count = images_that_count(step);
    for (size_t n = 0; n < (size_t)step->n; n++) {
        sum += loss[n];
        step->y.data[n * step->y.ld] = 0;
    }
    step->y.data[0] = count ? (float)(sum / count) : 0;
    return status;
}

static void gradient_task(void *context, size_t n, int worker)
{
    (void)worker;
    const tx_step *step = context;
    const tx_gradient *dx = &step->dx[0];
    int classes = step->x[0].c, target = target_of(step, n);
    const float *x = logits_of(step, n);
    double lse = lse_of(x, classes), share = (double)step->dy.g.data[0] / images_that_count(step);
    for (int k = 0; k < classes; k++) {
        double g = target < 0 ? 0 : share * (tx_exp((double)x[k] - lse) - wanted(step->node, k, target));
        float add = dx->add ? dx->add[n * dx->add_ld + (size_t)k] : 0;
        dx->data[n * dx->ld + (size_t)k] = add + (float)g;
    }
}

static tx_status cross_entropy_backward(tx_step *step)
{
    tx_status status = TX_OK;
    if (step->dx[0].data)
        status = tx_parallel_on(step->machine, (size_t)step->n, gradient_task, step);
    const tx_gradient *target = &step->dx[1];
    for (size_t n = 0; n < (size_t)step->n && target->data; n++)
        target->data[n * target->ld] = target->add ? target->add[n * target->add_ld] : 0;
    return status;
}

const tx_op tx_op_cross_entropy = {
    .name = "cross_entropy",
    .shape = cross_entropy_shape,
    .plan = cross_entropy_plan,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
    .reference_forward = cross_entropy_reference_forward,
    .reference_backward = cross_entropy_reference_backward,
    .needs = TX_NEEDS_X,
    .traits = TX_DATA_INPUTS,
};

tx_node *tx_cross_entropy(tx_graph *graph, tx_node *logits, tx_node *target, tx_cross_entropy_args args)
{
    tx_node *inputs[2] = {logits, target};
    return tx_graph_add(graph, &tx_op_cross_entropy, "", inputs, 2, &args, sizeof args);
}
