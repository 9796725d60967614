/* bench_audit.c - `thorax audit` notices an operation that computes, differentiates or defines something else, by its size. */
#include "../bench/audit.h"
#include "test.h"

#include <math.h>

/* A sigmoid that has one fault. */
static struct {
    float result, gradient;    /* factors of the first element of what runs */
    double reference, defined; /* of the definition's result and gradient */
} fault;

static tx_status forward(tx_step *s)
{
    tx_status status = tx_op_sigmoid.forward(s);
    s->y.data[0] *= fault.result;
    return status;
}

static tx_status backward(tx_step *s)
{
    tx_status status = tx_op_sigmoid.backward(s);
    s->dx[0].data[0] *= fault.gradient;
    return status;
}

static void reference_forward(tx_reference_step *s)
{
    tx_op_sigmoid.reference_forward(s);
    s->y[0] *= fault.reference;
}

static void reference_backward(tx_reference_step *s)
{
    tx_op_sigmoid.reference_backward(s);
    s->dx[0][0] *= fault.defined;
}

static tx_op broken;

static tx_node *build(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_graph_add(g, c->op, "", &x, 1, NULL, 0);
}

static audit_result measured(int training)
{
    static const audit_case c = {&broken, build, 1, 3, 1, 1, {0}, {0}};
    audit_result r = {{0, 0}, {0, 0}, 0};
    CHECK(audit_measure(&c, training, &r) == TX_OK, "%s", tx_error_message());
    return r;
}

static void whole(void)
{
    fault.result = fault.gradient = 1;
    fault.reference = fault.defined = 1;
}

static void check_mode(int training)
{
    whole();
    audit_result r = measured(training);
    CHECK(r.forward.relative < 1e-6 && r.gradient.relative < 1e-6 && r.slope < 1e-6, "what is whole: %g %g %g",
          r.forward.relative, r.gradient.relative, r.slope);
    CHECK(r.forward.ulp > 0 && r.forward.ulp < 10 && r.gradient.ulp < 10, "what is whole: %g, %g ulp", r.forward.ulp,
          r.gradient.ulp);
    fault.result = 1.01f;
    r = measured(training);
    CHECK(r.forward.relative > 1e-3 && r.forward.relative < 0.02 && r.forward.ulp > 1e4, "a result: %g",
          r.forward.relative);
    fault.result = (float)NAN;
    CHECK(isinf(measured(training).forward.relative), "a result that is no number");
    whole();
    fault.gradient = 1.01f;
    r = measured(training);
    CHECK(r.forward.relative < 1e-6 && r.gradient.relative > 1e-4 && r.gradient.ulp > 1e3 && r.slope < 1e-6,
          "a gradient: %g", r.gradient.relative);
    whole();
    fault.defined = 1.01;
    r = measured(training);
    CHECK(r.gradient.relative > 1e-4 && r.slope > 1e-4, "a definition's gradient: %g %g", r.gradient.relative, r.slope);
    whole();
    fault.reference = 1.01;
    r = measured(training);
    CHECK(r.forward.relative > 1e-3 && r.slope > 1e-4, "a definition: %g %g", r.forward.relative, r.slope);
}

/* The cases name every table of layers.h, and each is measured without an error by what there is. */
static void check_cases(void)
{
    for (int i = 0; i < audit_cases(); i++) {
        const audit_case *c = audit_case_at(i);
        audit_result r = {{0, 0}, {0, 0}, 0};
        CHECK(c->images > 0 && audit_measure(c, i % 2, &r) == TX_OK, "case %d: %s", i, tx_error_message());
        CHECK(r.forward.relative <= audit_tolerance(c->op) && r.gradient.relative <= audit_tolerance(c->op) &&
                  r.slope <= AUDIT_SLOPE,
              "case %d, %s: %g %g %g", i, c->op->name, r.forward.relative, r.gradient.relative, r.slope);
    }
}

int main(void)
{
    broken = tx_op_sigmoid;
    broken.name = "broken";
    broken.kind = TX_OTHER;
    broken.forward = forward;
    broken.backward = backward;
    broken.reference_forward = reference_forward;
    broken.reference_backward = reference_backward;
    check_mode(1);
    check_mode(0);
    check_cases();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("bench_audit");
}
