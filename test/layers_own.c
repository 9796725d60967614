/* layers_own.c - layer_check notices what an operation of one's own does wrong: y = act(a[c] x) passes as it should be, and
 * with each fault of a list some check fails. */
#include "layers_check.h"

static tx_status own_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return tx_node_param(node, "weight", TX_ROLE_TRAINED, (tx_init){TX_INIT_ONE, 0}, 1, &node->c);
}

static int planned; /* images of the last plan */

static void own_plan(const tx_step *s, tx_workspace *space)
{
    planned = s->n;
    space->saved = (size_t)s->n * sizeof(float);
    space->work_backward = sizeof(float);
}

static void own_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < layer_count(s->n, s->node); i++)
        s->y[i] = s->param[0][i % (size_t)s->node->c] * s->x[0][i];
}

static void own_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < layer_count(s->n, s->node); i++) {
        size_t c = i % (size_t)s->node->c;
        s->dparam[0][c] += s->dy[i] * s->x[0][i];
        if (s->dx[0])
            s->dx[0][i] += s->param[0][c] * s->dy[i];
    }
}

static size_t pixels_of(const tx_step *s)
{
    return (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w;
}

/* Channel c of pixel p of x through its view. */
static float seen(const tx_step *s, size_t p, size_t c)
{
    const tx_view *x = &s->x[0];
    float v = x->data[p * x->ld + c];
    if (x->scale)
        v = (float)layer_act(x->act, (double)tx_fmaf(x->scale[c], v, x->shift[c]));
    return x->gate ? v * x->gate[p / ((size_t)x->h * (size_t)x->w) * x->gate_ld + c] : v;
}

static tx_status own_forward(tx_step *s)
{
    for (size_t p = 0; p < pixels_of(s); p++)
        for (size_t c = 0; c < (size_t)s->y.c; c++)
            s->y.data[p * s->y.ld + c] = (float)layer_act(s->act, (double)(s->param[0][c] * seen(s, p, c)));
    return TX_OK;
}

/* dy behind the activation. */
static float passed(const tx_step *s, size_t p, size_t c)
{
    double slope = layer_act_slope(s->act, (double)(s->param[0][c] * seen(s, p, c)));
    return s->dy.g.data[p * s->dy.g.ld + c] * (float)slope;
}

static void write_grad(tx_step *s)
{
    for (size_t c = 0; c < (size_t)s->dy.g.c && s->grad[0]; c++) {
        double sum = 0;
        for (size_t p = 0; p < pixels_of(s); p++)
            sum += (double)passed(s, p, c) * (double)seen(s, p, c);
        s->grad[0][c] = (float)sum;
    }
}

static void write_dx(tx_step *s, float factor)
{
    const tx_gradient *dx = &s->dx[0];
    for (size_t p = 0; p < pixels_of(s) && dx->data; p++)
        for (size_t c = 0; c < (size_t)s->dy.g.c; c++)
            dx->data[p * dx->ld + c] =
                tx_fmaf(factor * s->param[0][c], passed(s, p, c), dx->add ? dx->add[p * dx->add_ld + c] : 0);
}

static tx_status own_backward(tx_step *s)
{
    write_grad(s);
    write_dx(s, 1);
    return TX_OK;
}

static const tx_op own = {
    .name = "own",
    .shape = own_shape,
    .plan = own_plan,
    .forward = own_forward,
    .backward = own_backward,
    .reference_forward = own_reference_forward,
    .reference_backward = own_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE,
    .fuses = 1 << TX_ACT_RELU | 1 << TX_ACT_RELU6 | 1 << TX_ACT_SILU | 1 << TX_ACT_SIGMOID | 1 << TX_ACT_HARDSWISH |
             1 << TX_ACT_HARDSIGMOID,
    .needs = TX_NEEDS_X,
    .traits = TX_IN_PLACE,
};

/* ---- faults of forward */

static tx_status forward_value(tx_step *s)
{
    own_forward(s);
    s->y.data[1] += 0.001f;
    return TX_OK;
}

static tx_status forward_dense(tx_step *s)
{
    tx_step dense = *s;
    dense.y.ld = (size_t)s->y.c;
    return own_forward(&dense);
}

static tx_status forward_x_dense(tx_step *s)
{
    tx_view x = s->x[0];
    tx_step dense = *s;
    x.ld = (size_t)x.c;
    dense.x = &x;
    return own_forward(&dense);
}

static tx_status forward_beside(tx_step *s)
{
    own_forward(s);
    s->y.data[pixels_of(s) * s->y.ld - s->y.ld + (size_t)s->y.c] = 0;
    return TX_OK;
}

/* What stands behind x is copied behind y. */
static tx_status forward_behind(tx_step *s)
{
    size_t end = pixels_of(s);
    memcpy(s->y.data + end * s->y.ld, s->x[0].data + end * s->x[0].ld, sizeof(float));
    return own_forward(s);
}

static tx_status forward_saved(tx_step *s)
{
    ((float *)s->saved)[planned] = 0;
    return own_forward(s);
}

static tx_status forward_planned(tx_step *s)
{
    tx_step large = *s;
    large.n = planned;
    return own_forward(&large);
}

static tx_status forward_isa(tx_step *s)
{
    own_forward(s);
    s->y.data[0] += strcmp(tx_isa_name(), "portable") == 0 ? 3e-7f : 0;
    return TX_OK;
}

/* The step as somebody sees it who overlooks something. */
typedef enum overlooked { SCALE, ACT, GATE, FUSED } overlooked;

static tx_status overlook(tx_status (*run)(tx_step *s), const tx_step *s, overlooked what)
{
    tx_view x = s->x[0];
    tx_step other = *s;
    other.x = &x;
    x.scale = what == SCALE ? NULL : x.scale;
    x.act = what == ACT ? TX_ACT_NONE : x.act;
    x.gate = what == GATE ? NULL : x.gate;
    other.act = what == FUSED ? TX_ACT_NONE : s->act;
    return run(&other);
}

static tx_status forward_no_scale(tx_step *s)
{
    return overlook(own_forward, s, SCALE);
}

static tx_status forward_no_act(tx_step *s)
{
    return overlook(own_forward, s, ACT);
}

static tx_status forward_no_gate(tx_step *s)
{
    return overlook(own_forward, s, GATE);
}

static tx_status forward_not_fused(tx_step *s)
{
    return overlook(own_forward, s, FUSED);
}

/* ---- of backward */

static tx_status backward_sign(tx_step *s)
{
    own_backward(s);
    for (int c = 0; c < s->dy.g.c && s->grad[0]; c++)
        s->grad[0][c] = -s->grad[0][c];
    return TX_OK;
}

static tx_status backward_no_gate(tx_step *s)
{
    return overlook(own_backward, s, GATE);
}

static tx_status backward_not_fused(tx_step *s)
{
    return overlook(own_backward, s, FUSED);
}

static tx_status backward_no_add(tx_step *s)
{
    tx_step alone = *s;
    tx_gradient dx = s->dx[0];
    dx.add = NULL;
    alone.dx = &dx;
    return own_backward(&alone);
}

static tx_status backward_adds_grad(tx_step *s)
{
    float before = s->grad[0] ? s->grad[0][0] : 0;
    own_backward(s);
    if (s->grad[0])
        s->grad[0][0] += before;
    return TX_OK;
}

static tx_status backward_needs_dx(tx_step *s)
{
    return s->dx[0].data ? own_backward(s) : TX_OK;
}

static tx_status backward_needs_grad(tx_step *s)
{
    return s->grad[0] ? own_backward(s) : TX_OK;
}

static tx_status backward_late(tx_step *s)
{
    write_dx(s, 1);
    write_grad(s);
    return TX_OK;
}

static tx_status backward_work(tx_step *s)
{
    ((float *)s->work)[1] = 0;
    return own_backward(s);
}

static tx_status backward_threads(tx_step *s)
{
    own_backward(s);
    if (s->grad[0])
        s->grad[0][0] *= 1 + 3e-7f * (float)s->machine->threads;
    return TX_OK;
}

static tx_status backward_fails(tx_step *s)
{
    own_backward(s);
    return tx_fail(TX_ERR_ARGUMENT, "a status that is no TX_OK");
}

/* x = y / a, and the table does not say that y is read */
static tx_status backward_y(tx_step *s)
{
    tx_view x = s->x[0];
    tx_step by_y = *s;
    float one[3] = {1 / s->param[0][0], 1 / s->param[0][1], 1 / s->param[0][2]};
    write_dx(s, 1);
    x = (tx_view){.data = s->y.data, .n = x.n, .h = x.h, .w = x.w, .c = x.c, .ld = s->y.ld};
    by_y.x = &x;
    write_grad(&by_y);
    for (int c = 0; c < 3 && s->grad[0]; c++)
        s->grad[0][c] *= one[c];
    return TX_OK;
}

static tx_status backward_twice(tx_step *s)
{
    write_grad(s);
    write_dx(s, 2);
    return TX_OK;
}

/* ---- of the definition */

static void reference_twice(tx_reference_step *s)
{
    own_reference_backward(s);
    for (size_t i = 0; i < layer_count(s->n, s->node) && s->dx[0]; i++)
        s->dx[0][i] += s->param[0][i % (size_t)s->node->c] * s->dy[i];
}

static void reference_overwrites(tx_reference_step *s)
{
    memset(s->dparam[0], 0, (size_t)s->node->c * sizeof(double));
    own_reference_backward(s);
}

/* What a fault puts in the place of the sound functions; untold: the table does not say that backward reads x; strays: it reads
 * or writes beyond its memory. */
static const struct fault {
    const char *name;
    tx_status (*forward)(tx_step *s);
    tx_status (*backward)(tx_step *s);
    void (*reference_backward)(tx_reference_step *s);
    int untold, strays;
} faults[] = {
    {.name = "a value", .forward = forward_value},
    {.name = "y is taken for dense", .forward = forward_dense},
    {.name = "x is taken for dense", .forward = forward_x_dense},
    {.name = "another tensor's channel is written", .forward = forward_beside, .strays = 1},
    {.name = "copied behind y", .forward = forward_behind, .strays = 1},
    {.name = "written behind saved", .forward = forward_saved, .strays = 1},
    {.name = "as many images as planned for", .forward = forward_planned, .strays = 1},
    {.name = "by instruction set", .forward = forward_isa},
    {.name = "x without its scale", .forward = forward_no_scale},
    {.name = "x without its activation", .forward = forward_no_act},
    {.name = "x without its gate", .forward = forward_no_gate},
    {.name = "no activation of the result", .forward = forward_not_fused},
    {.name = "gradient without the gate of x", .backward = backward_no_gate},
    {.name = "gradient without the activation's slope", .backward = backward_not_fused},
    {.name = "sign of a parameter's gradient", .backward = backward_sign},
    {.name = "dx without what it is added to", .backward = backward_no_add},
    {.name = "a parameter's gradient is added to", .backward = backward_adds_grad},
    {.name = "nothing where nobody wants dx", .backward = backward_needs_dx},
    {.name = "nothing where the parameter is frozen", .backward = backward_needs_grad},
    {.name = "dy is read after dx took its place", .backward = backward_late},
    {.name = "written behind work", .backward = backward_work, .strays = 1},
    {.name = "by threads", .backward = backward_threads},
    {.name = "a status", .backward = backward_fails},
    {.name = "reads y untold", .backward = backward_y},
    {.name = "reads x untold", .untold = 1},
    {.name = "both gradients double", .backward = backward_twice, .reference_backward = reference_twice},
    {.name = "definition overwrites", .reference_backward = reference_overwrites},
};

/* How many checks fail for the operation. */
static int failures(const tx_op *op, int channels, int side, int images)
{
    int before = test_passed, failed;
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, channels, side, side);
    failed = layer_check_all(tx_graph_add(g, op, "own", &x, 1, NULL, 0), (layer_options){.n = images}, op->name);
    tx_graph_free(g);
    CHECK(test_passed > before, "%s: nothing was checked", op->name);
    return failed;
}

int main(void)
{
    const char *isas[TX_MAX_ISAS];
    tx_set_threads(2);
    const char *isa = tx_isa_name();
    CHECK(failures(&own, 3, 2, 2) == 0 && failures(&own, 17, 1, 1) == 0, "a sound operation fails");
    CHECK(strcmp(tx_isa_name(), isa) == 0 && tx_threads() == 1 + tx_threads_available(), "left on %s with %d threads",
          tx_isa_name(), tx_threads());
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *f = &faults[i];
        tx_op op = own;
        op.name = f->name;
        op.forward = f->forward ? f->forward : own.forward;
        op.backward = f->backward ? f->backward : own.backward;
        op.reference_backward = f->reference_backward ? f->reference_backward : own.reference_backward;
        op.needs = f->untold ? 0 : TX_NEEDS_X;
        if ((f->strays && !TEST_MAY_STRAY) || (f->forward == forward_isa && tx_isa_list(isas) == 1) ||
            (f->backward == backward_threads && tx_threads() == 1))
            continue;
        int before = test_failed;
        test_quiet = 1;
        int noticed = failures(&op, 3, 2, 2);
        test_quiet = 0;
        test_failed = before;
        CHECK(noticed > 0, "not noticed: %s", f->name);
    }
    tx_op hollow = {.name = "hollow", .shape = own_shape};
    int before = test_failed;
    test_quiet = 1;
    int noticed = failures(&hollow, 3, 2, 2) > 0 && layer_check(NULL, (layer_options){.n = 1}, "no node") > 0;
    test_quiet = 0;
    test_failed = before;
    CHECK(noticed, "an operation without functions passes");
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_own");
}
