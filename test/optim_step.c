/* optim_step.c - one step of training: the loss that comes out, what is no loss to train by, and what a step that fails leaves
 * alone. */
#include "../layers/layers.h"
#include "../optim/optim.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { N = 2, IN = 3 };

/* x w + b and its squared distance from nothing, by hand: with one output and masked cross-entropy the first step is known. */
typedef struct model {
    tx_graph *graph;
    tx_node *x, *label, *logits, *loss;
    tx_weights *weights;
    tx_session *session;
    tx_optimizer *optimizer;
} model;

static void begin(model *m, tx_mode mode)
{
    m->graph = tx_graph_new();
    m->x = tx_input(m->graph, IN, 1, 1);
    m->label = tx_input(m->graph, 1, 1, 1);
    m->logits = tx_linear(m->graph, m->x, "fc", (tx_linear_args){.out = 1});
    m->loss = tx_bce_with_logits(m->graph, m->logits, m->label, NULL, (tx_bce_args){0});
    m->weights = tx_weights_new(m->graph, 1);
    m->session = tx_session_new(m->graph, m->weights, (tx_session_args){.batch = N, .mode = mode});
    m->optimizer = tx_optimizer_new(m->weights, (tx_optimizer_args){.kind = TX_SGD, .weight_decay = 0.5});
    CHECK(m->session && m->optimizer, "%s", tx_error_message());
    for (int i = 0; i < IN + 1; i++)
        m->weights->value[i] = 0.25f * (float)(i + 1);
    tx_weights_changed(m->weights);
    static const float x[N * IN] = {1, -2, 0.5f, -1, 0.25f, 3};
    memcpy(tx_session_input(m->session, m->x), x, sizeof x);
    tx_session_input(m->session, m->label)[0] = 1;
    tx_session_input(m->session, m->label)[1] = 0;
}

static void end(model *m)
{
    tx_optimizer_free(m->optimizer);
    tx_session_free(m->session);
    tx_weights_free(m->weights);
    tx_graph_free(m->graph);
}

/* The loss of the weights before the step, and w - lr (gradient + decay w). */
static void check_step(void)
{
    model m;
    begin(&m, TX_TRAIN);
    const float *x = tx_session_input(m.session, m.x);
    double w[IN + 1], z[N], loss = 0, lr = 0.5;
    float got = -1;
    for (int i = 0; i < IN + 1; i++)
        w[i] = (double)m.weights->value[i];
    for (int n = 0; n < N; n++) {
        z[n] = w[IN];
        for (int i = 0; i < IN; i++)
            z[n] += (double)x[n * IN + i] * w[i];
        loss += log(1 + exp(n == 0 ? -z[n] : z[n])) / N;
    }
    for (int i = 0; i < IN + 1; i++) {
        double g = 0.5 * w[i];
        for (int n = 0; n < N; n++)
            g += (1 / (1 + exp(-z[n])) - (n == 0)) / N * (i < IN ? (double)x[n * IN + i] : 1);
        w[i] -= lr * g;
    }
    CHECK(tx_train_step(m.session, m.loss, m.optimizer, lr, &got) == TX_OK, "%s", tx_error_message());
    CHECK(fabs((double)got - loss) < 1e-6, "loss %.9g, expected %.9g", (double)got, loss);
    for (int i = 0; i < IN + 1; i++)
        CHECK(fabs((double)m.weights->value[i] - w[i]) < 1e-6, "weight %d: %.9g, expected %.9g", i,
              (double)m.weights->value[i], w[i]);
    CHECK(tx_optimizer_steps(m.optimizer) == 1 && tx_train_step(m.session, m.loss, m.optimizer, lr, NULL) == TX_OK &&
              tx_optimizer_steps(m.optimizer) == 2,
          "steps are not counted");
    end(&m);
}

static void unchanged(const model *m, const char *what)
{
    for (int i = 0; i < IN + 1; i++)
        CHECK(m->weights->value[i] == 0.25f * (float)(i + 1), "%s: weight %d is %g", what, i,
              (double)m->weights->value[i]);
    CHECK(tx_optimizer_steps(m->optimizer) == 0, "%s: %d steps", what, (int)tx_optimizer_steps(m->optimizer));
}

/* A loss that is infinite or no number, and a session that has no backward. */
static void check_failures(void)
{
    model m;
    float loss = -1;
    static const float bad[] = {INFINITY, NAN};
    for (int k = 0; k < 2; k++) {
        begin(&m, TX_TRAIN);
        tx_session_input(m.session, m.x)[1] = bad[k];
        CHECK(tx_train_step(m.session, m.loss, m.optimizer, 0.5, &loss) == TX_ERR_ARGUMENT &&
                  strstr(tx_error_message(), k ? "step 1: the loss is not a number" : "step 1: the loss is "),
              "%s", tx_error_message());
        CHECK(!isfinite(loss), "loss %g", (double)loss);
        unchanged(&m, "a loss that is not finite");
        end(&m);
    }
    begin(&m, TX_TRAIN);
    tx_session_input(m.session, m.label)[0] = 0; /* and a logit without end: the loss is infinite */
    m.weights->value[IN] = INFINITY;
    CHECK(tx_train_step(m.session, m.loss, m.optimizer, 0.5, &loss) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "step 1: the loss is infinite"),
          "%s", tx_error_message());
    end(&m);
    begin(&m, TX_INFER);
    CHECK(tx_train_step(m.session, m.loss, m.optimizer, 0.5, NULL) == TX_ERR_ARGUMENT, "a step without backward");
    unchanged(&m, "a session for inference");
    end(&m);
}

/* Last nodes that are more than one number, and a loss behind which something stands. */
static void check_no_loss(void)
{
    static const int shapes[][3] = {{2, 1, 1}, {1, 2, 1}, {1, 1, 2}};
    for (int k = 0; k < 4; k++) {
        tx_graph *g = tx_graph_new();
        tx_node *x = k < 3 ? tx_input(g, shapes[k][0], shapes[k][1], shapes[k][2]) : tx_input(g, 1, 1, 1);
        tx_node *node = tx_batchnorm(g, x, "bn", (tx_batchnorm_args){0});
        if (k == 3)
            tx_relu(g, node);
        tx_weights *w = tx_weights_new(g, 1);
        tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = 2, .mode = TX_TRAIN});
        tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_SGD});
        float loss;
        tx_weights_init(w, 0);
        CHECK(tx_train_step(s, node, o, 0.1, &loss) == TX_ERR_ARGUMENT &&
                  strstr(tx_error_message(), "batchnorm 'bn' is not the last node, of one number, of the session"),
              "node %d was taken for a loss: %s", k, tx_error_message());
        CHECK(w->value[0] == 1 && tx_optimizer_steps(o) == 0 && w->counter[0] == 0, "node %d: something ran", k);
        tx_optimizer_free(o);
        tx_session_free(s);
        tx_weights_free(w);
        tx_graph_free(g);
    }
}

int main(void)
{
    check_step();
    check_failures();
    check_no_loss();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("optim_step");
}
