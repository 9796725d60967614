/* graph_gradient.c - gradients through whole graphs: the references' against central differences of their own forward, the
 * planned float session's against the references', element by element, for graphs that branch and share in many ways. */
#include "../core/op.h"
#include "graph_nets.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------- references and differences */

/* The number that is differentiated: the loss, or the last node's values times what arrives there. */
static double objective(tx_reference *r, const small_graph *s, const small_net *net, int n)
{
    tx_reference_forward(r);
    const double *y = tx_reference_value(r, s->last);
    if (net->cross_entropy < 2)
        return y[0];
    double sum = 0;
    for (size_t i = 0; i < small_count(s->last, n); i++)
        sum += (double)small_dy(i) * y[i];
    return sum;
}

/* (f(v+h) - f(v-h)) / 2h, or NAN where two step sizes disagree: a kink lies between. */
static double difference(tx_reference *r, const small_graph *s, const small_net *net, int n, double *v)
{
    double slope[2], before = *v;
    for (int k = 0; k < 2; k++) {
        double h = k ? 2e-6 : 1e-5;
        *v = before + h;
        double above = objective(r, s, net, n);
        *v = before - h;
        slope[k] = (above - objective(r, s, net, n)) / (2 * h);
    }
    *v = before;
    return fabs(slope[0] - slope[1]) <= 1e-6 * (1 + fabs(slope[1])) ? slope[1] : (double)NAN;
}

/* Up to `most` elements of one array against its gradient. */
static void check_array(tx_reference *r, const small_graph *s, const small_net *net, int n, const char *what, double *v,
                        const double *gradient, size_t count, size_t most)
{
    size_t step = count > most ? count / most : 1, kinks = 0, checked = 0;
    for (size_t i = 0; i < count; i += step, checked++) {
        double numeric = difference(r, s, net, n, &v[i]);
        if (isnan(numeric)) {
            kinks++;
            continue;
        }
        CHECK(fabs(numeric - gradient[i]) <= 1e-6 * (1 + fabs(numeric)),
              "%s, %d images: %s[%d]: central difference %.9g, backward %.9g", net->name, n, what, (int)i, numeric,
              gradient[i]);
    }
    CHECK(kinks <= 1 + checked / 8, "%s, %d images: %s: %d of %d elements lie at a kink", net->name, n, what,
          (int)kinks, (int)checked);
}

static void set_reference_inputs(tx_reference *r, const small_graph *s, const small_net *net, int n)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_reference_input(r, inputs[k])[i] = (double)small_input(net, k, i);
}

/* Runs the references forward and backward on fresh weights. */
static tx_reference *run_reference(const small_graph *s, const small_net *net, const tx_weights *w, int n, tx_mode mode)
{
    tx_reference *r = tx_reference_new(s->graph, w, n, mode, 3);
    size_t count = small_count(s->last, n);
    double *dy = tx_alloc(count, sizeof *dy);
    for (size_t i = 0; i < count; i++)
        dy[i] = (double)small_dy(i);
    set_reference_inputs(r, s, net, n);
    tx_reference_forward(r);
    if (mode != TX_INFER)
        tx_reference_backward(r, net->cross_entropy == 2 ? dy : NULL);
    tx_free(dy);
    return r;
}

static void check_differences(const small_net *net, int n, tx_mode mode)
{
    small_graph s;
    CHECK(small_build(&s, net, 0) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    small_fill(w);
    tx_reference *r = run_reference(&s, net, w, n, mode);
    size_t image = small_count(s.image, n);
    double *gradient = tx_alloc(image, sizeof *gradient);
    memcpy(gradient, tx_reference_gradient(r, s.image), image * sizeof *gradient);
    check_array(r, &s, net, n, "image", tx_reference_input(r, s.image), gradient, image, 8);
    for (int i = 0; i < tx_graph_params(s.graph); i++) {
        const tx_param *p = tx_graph_param(s.graph, i);
        if (p->role == TX_ROLE_TRAINED)
            check_array(r, &s, net, n, p->name, (double *)tx_reference_param(r, i), tx_reference_param_gradient(r, i),
                        p->count, 6);
    }
    tx_free(gradient);
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* ------------------------------------------------------------------------ float sessions and references */

/* All of one array within a share of its largest element, or of the graph's largest gradient: what cancels in exact
 * arithmetic leaves rounding errors of that size. */
static void check_close(const small_net *net, int n, int keep, const char *what, const char *name, const float *got,
                        const double *want, size_t count, double floor)
{
    double largest = 0, worst = 0;
    size_t where = 0;
    for (size_t i = 0; i < count; i++)
        largest = fabs(want[i]) > largest ? fabs(want[i]) : largest;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (error > worst || isnan(error)) {
            worst = isnan(error) ? HUGE_VAL : error;
            where = i;
        }
    }
    CHECK(worst <= 5e-5 * largest + 2e-6 * floor,
          "%s, %d images, keep %d: %s %s[%d]: found %.9g, expected %.9g, largest %.3g", net->name, n, keep, what, name,
          (int)where, (double)got[where], want[where], largest);
}

static void set_inputs(tx_session *session, const small_graph *s, const small_net *net, int n)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] = small_input(net, k, i);
}

static double largest_gradient(const tx_reference *r, const tx_graph *g)
{
    double largest = 0;
    for (int i = 0; i < tx_graph_params(g); i++)
        for (size_t k = 0; k < tx_graph_param(g, i)->count; k++)
            largest = fmax(largest, fabs(tx_reference_param_gradient(r, i)[k]));
    return largest;
}

/* Values and gradients of the nodes that can be read. */
static void check_nodes(const small_net *net, const small_graph *s, int n, int keep, tx_session *session,
                        const tx_reference *r, double floor)
{
    for (int i = 0; i < tx_graph_nodes(s->graph); i++) {
        const tx_node *node = tx_graph_node(s->graph, i);
        size_t count = small_count(node, n);
        float *got = tx_alloc(count, sizeof *got);
        char name[64];
        snprintf(name, sizeof name, "node %d (%s %s)", i, node->op->name, node->name);
        if (node->wanted || node == s->last) {
            CHECK(tx_session_value(session, node, got) == TX_OK, "%s: %s: %s", net->name, name, tx_error_message());
            if (net->cross_entropy == 2 || node != s->last)
                check_close(net, n, keep, "value", name, got, tx_reference_value(r, node), count, 1);
            else
                check_close(net, n, keep, "value", name, got, tx_reference_value(r, node), 1, 1);
        } else {
            CHECK(tx_session_value(session, node, got) != TX_OK, "%s: %s was not kept and can be read", net->name,
                  name);
        }
        if (node->wanted && node != s->last && tx_session_gradient(session, node, got) == TX_OK)
            check_close(net, n, keep, "gradient", name, got, tx_reference_gradient(r, node), count, floor);
        tx_free(got);
    }
}

/* Gradients of trained parameters, running statistics, counters. */
static void check_params(const small_net *net, const small_graph *s, int n, int keep, const tx_weights *w,
                         const tx_reference *r, double floor, int counted)
{
    for (int i = 0; i < tx_graph_params(s->graph); i++) {
        const tx_param *p = tx_graph_param(s->graph, i);
        if (p->role == TX_ROLE_TRAINED)
            check_close(net, n, keep, "gradient", p->name, w->grad + p->offset, tx_reference_param_gradient(r, i),
                        p->count, floor);
        else if (p->role == TX_ROLE_BUFFER)
            check_close(net, n, keep, "statistic", p->name, tx_weights_param(w, p), tx_reference_param(r, i), p->count,
                        1);
        else
            CHECK(w->counter[p->offset] == counted, "%s: %s is %d after one run", net->name, p->name,
                  (int)w->counter[p->offset]);
    }
}

static void check_float(const small_net *net, int n, int keep, tx_mode mode)
{
    small_graph s;
    CHECK(small_build(&s, net, keep) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    small_fill(w);
    tx_reference *r = run_reference(&s, net, w, n, mode);
    tx_session *session =
        tx_session_new(s.graph, w, (tx_session_args){.batch = n, .mode = mode, .parameters = 1, .seed = 3});
    CHECK(session != NULL, "%s: %s", net->name, tx_error_message());
    if (session) {
        size_t count = small_count(s.last, n);
        float *dy = tx_alloc(count, sizeof *dy);
        for (size_t i = 0; i < count; i++)
            dy[i] = small_dy(i);
        set_inputs(session, &s, net, n);
        CHECK(tx_forward(session) == TX_OK && tx_backward(session, net->cross_entropy == 2 ? dy : NULL) == TX_OK,
              "%s: %s", net->name, tx_error_message());
        double floor = largest_gradient(r, s.graph);
        check_nodes(net, &s, n, keep, session, r, floor);
        check_params(net, &s, n, keep, w, r, floor, mode == TX_TRAIN);
        tx_free(dy);
    }
    tx_session_free(session);
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* Predictions: folded batch norms, running statistics. */
static void check_inference(const small_net *net, int n)
{
    small_graph s;
    CHECK(small_build(&s, net, 2) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 0);
    small_fill(w);
    tx_reference *r = run_reference(&s, net, w, n, TX_INFER);
    tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = n, .seed = 3});
    CHECK(session != NULL, "%s: %s", net->name, tx_error_message());
    if (session) {
        size_t count = small_count(s.last, n);
        float *got = tx_alloc(count, sizeof *got);
        set_inputs(session, &s, net, n);
        CHECK(tx_forward(session) == TX_OK, "%s: %s", net->name, tx_error_message());
        CHECK(tx_session_value(session, s.last, got) == TX_OK, "%s: %s", net->name, tx_error_message());
        check_close(net, n, 2, "inference", "result", got, tx_reference_value(r, s.last),
                    net->cross_entropy == 2 ? count : 1, 0);
        /* other weights: what was prepared from the old ones must not be used */
        for (size_t i = 0; i < w->trained; i++)
            w->value[i] = -w->value[i];
        tx_weights_changed(w);
        tx_reference_free(r);
        r = run_reference(&s, net, w, n, TX_INFER);
        CHECK(tx_forward(session) == TX_OK, "%s: %s", net->name, tx_error_message()); /* the inputs are still there */
        tx_session_value(session, s.last, got);
        check_close(net, n, 2, "inference", "result, other weights", got, tx_reference_value(r, s.last),
                    net->cross_entropy == 2 ? count : 1, 1);
        tx_free(got);
    }
    tx_session_free(session);
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

int main(int count, char **argument)
{
    /* An argument: the number of the only net to look at. */
    int only = count > 1 ? atoi(argument[1]) : -1;
    tx_set_threads(1); /* loops this small are faster on one; graph_plan compares numbers of threads */
    for (int k = 0; k < SMALL_NETS; k++) {
        const small_net *net = &small_nets[k];
        if (only >= 0 && k != only)
            continue;
        int wide = strcmp(net->name, "wide") == 0;
        for (int n = 1; n <= 3; n += 2) {
            if (!wide)
                check_differences(net, n, TX_TRAIN);
            if (!wide && n == 1)
                check_differences(net, n, TX_EXPLAIN);
            for (int keep = 0; keep < SMALL_KEEPS; keep++) {
                check_float(net, n, keep, TX_TRAIN);
                check_float(net, n, keep, TX_EXPLAIN);
            }
            check_inference(net, n);
        }
    }
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_gradient");
}
