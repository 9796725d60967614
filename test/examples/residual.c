/* residual.c - an operation of one's own, checked against its definition, then trained inside a residual network.
 *
 * layer_scale multiplies each channel by a learned factor, 0 at first:  block(x) = x + layer_scale(f(x)).  So a deep network
 * begins as the identity and needs no batch norm (Touvron et al., arXiv:2103.17239, section 2; Bachlechner et al.,
 * arXiv:2003.04887). For x of n images, h x w pixels and c channels, with a the factors:
 *
 *   forward    y[n,h,w,c] = a[c] x[n,h,w,c]
 *   backward   dx[n,h,w,c] = a[c] dy[n,h,w,c]      da[c] = sum over n,h,w of dy[n,h,w,c] x[n,h,w,c] */
#include "digits.h"
#include <stdio.h>
#include <thorax/layers_check.h>

/* The result's shape from the input's, and the parameter: NAME.weight, as many numbers as channels. */
static tx_status scale_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return tx_node_param(node, "weight", TX_ROLE_TRAINED, (tx_init){TX_INIT_ZERO, 0}, 1, &node->c);
}

static size_t pixels(const tx_node *node, int images)
{
    return (size_t)images * (size_t)node->h * (size_t)node->w;
}

/* ---- the definition, in double precision; gradients are added to what is there */

static void scale_reference_forward(tx_reference_step *s)
{
    size_t channels = (size_t)s->node->c;
    for (size_t i = 0; i < pixels(s->node, s->n) * channels; i++)
        s->y[i] = s->param[0][i % channels] * s->x[0][i];
}

static void scale_reference_backward(tx_reference_step *s)
{
    size_t channels = (size_t)s->node->c;
    for (size_t i = 0; i < pixels(s->node, s->n) * channels; i++) {
        s->dparam[0][i % channels] += s->dy[i] * s->x[0][i];
        if (s->dx[0]) /* NULL: nobody wants it */
            s->dx[0][i] += s->param[0][i % channels] * s->dy[i];
    }
}

/* ---- what runs: floats, pixels ld apart, on all threads
 * Which thread takes which task is not fixed, so no sum may be shared between tasks: one writes a pixel, or a channel. */

static void forward_pixel(void *context, size_t p, int worker)
{
    (void)worker;
    const tx_step *s = context;
    for (int c = 0; c < s->y.c; c++)
        s->y.data[p * s->y.ld + (size_t)c] = s->param[0][c] * s->x[0].data[p * s->x[0].ld + (size_t)c];
}

static tx_status scale_forward(tx_step *s)
{
    return tx_parallel_on(s->machine, pixels(s->node, s->n), forward_pixel, s);
}

/* dx may stand where dy does (TX_IN_PLACE below), so each dy is read before its dx is written. */
static void backward_channel(void *context, size_t c, int worker)
{
    (void)worker;
    const tx_step *s = context;
    const tx_gradient *dx = &s->dx[0];
    double sum = 0;
    for (size_t p = 0; p < pixels(s->node, s->n); p++) {
        float dy = s->dy.g.data[p * s->dy.g.ld + c];
        sum += (double)dy * (double)s->x[0].data[p * s->x[0].ld + c];
        if (dx->data) /* dx = add + a dy, rounded once with any compiler */
            dx->data[p * dx->ld + c] = tx_fmaf(s->param[0][c], dy, dx->add ? dx->add[p * dx->add_ld + c] : 0);
    }
    if (s->grad[0]) /* NULL: the parameter is frozen */
        s->grad[0][c] = (float)sum;
}

static tx_status scale_backward(tx_step *s)
{
    return tx_parallel_on(s->machine, (size_t)s->node->c, backward_channel, s);
}

/* What the planner may do with it: keep x for backward, and give dx the memory of dy. */
static const tx_op layer_scale = {
    .name = "layer_scale",
    .shape = scale_shape,
    .forward = scale_forward,
    .backward = scale_backward,
    .reference_forward = scale_reference_forward,
    .reference_backward = scale_reference_backward,
    .needs = TX_NEEDS_X,
    .traits = TX_IN_PLACE,
};

/* ---- a network of residual blocks */

static tx_node *conv(tx_graph *g, tx_node *x, const char *name, int out, int stride)
{
    return tx_conv2d(g, x, name, (tx_conv2d_args){.out = out, .kernel = 3, .stride = stride, .padding = 1});
}

static tx_node *block(tx_graph *g, tx_node *x, int number)
{
    char names[3][32];
    for (int k = 0; k < 3; k++)
        snprintf(names[k], sizeof names[k], "block%d.%s", number, k == 0 ? "conv1" : k == 1 ? "conv2" : "scale");
    tx_node *y = tx_relu(g, conv(g, x, names[0], 16, 1));
    y = conv(g, y, names[1], 16, 1);
    y = tx_graph_add(g, &layer_scale, names[2], &y, 1, NULL, 0);
    return tx_add(g, x, y);
}

static tx_node *network(tx_graph *g, tx_node *x)
{
    x = tx_relu(g, conv(g, x, "stem1", 8, 2));
    x = tx_relu(g, conv(g, x, "stem2", 16, 2));
    for (int i = 1; i <= 4; i++)
        x = block(g, x, i);
    return tx_conv2d(g, tx_relu(g, x), "fc", (tx_conv2d_args){.out = DIGITS, .kernel = 7});
}

/* The reference's gradient against differences, what runs against the reference: strided tensors, gradients that are added
 * to others or stand in place of what they came from, all instruction sets, several numbers of threads. */
static void check_operation(int channels, int height, int width, int images)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, channels, height, width);
    layer_check_all(tx_graph_add(g, &layer_scale, "scale", &x, 1, NULL, 0), (layer_options){.n = images},
                    "layer_scale");
    tx_graph_free(g);
}

int main(void)
{
    enum { BATCH = 32, STEPS = 150 };
    check_operation(17, 5, 3, 2);
    check_operation(1, 1, 1, 1);

    tx_graph *g = tx_graph_new();
    tx_node *picture = tx_input(g, 1, SIDE, SIDE), *target = tx_input(g, 1, 1, 1), *logits = network(g, picture);
    tx_node *loss = tx_cross_entropy(g, logits, target, (tx_cross_entropy_args){0});
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = BATCH, .mode = TX_TRAIN});
    tx_optimizer *adam = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM});
    tx_status status = tx_weights_init(w, 0);
    float now = 0, mean = 0;
    for (uint64_t step = 0; step < STEPS && status == TX_OK && s; step++) {
        for (int i = 0; i < BATCH; i++)
            tx_session_input(s, target)[i] =
                (float)draw_digit(tx_session_input(s, picture) + i * PIXELS, step * BATCH + (uint64_t)i);
        status = tx_train_step(s, loss, adam, 5e-3, &now);
        mean += step + 20 >= STEPS ? now / 20 : 0; /* of the last 20 steps, each on pictures that are new */
    }
    CHECK(s && status == TX_OK, "%s", tx_error_message());
    CHECK(mean < 0.3f, "the loss of new pictures is still %g", (double)mean);
    printf("residual: loss %.3f\n", (double)mean);
    tx_optimizer_free(adam);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return test_done("residual");
}
