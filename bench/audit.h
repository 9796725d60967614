/* audit.h - operations measured against their definitions, on this machine. Private to bench. */
#ifndef THORAX_BENCH_AUDIT_H
#define THORAX_BENCH_AUDIT_H

#include "../core/op.h"
#include "../layers/layers.h"

/* One operation at one shape: a small network that ends with it, or with what is fused to it. */
typedef struct audit_case audit_case;
struct audit_case {
    const tx_op *op;
    tx_node *(*build)(tx_graph *graph, tx_node *x, const audit_case *c);
    int images, c, h, w; /* of the first input */
    tx_conv2d_args conv;
    tx_pool_args pool;
};
int audit_cases(void);
const audit_case *audit_case_at(int i);
/* Input number k of a case, from u, which is uniform on [-1, 1): logits and maps, labels, masks, classes. */
float audit_input(const audit_case *c, int k, float u);
/* 1 if the operation does something else in inference than in training. */
int audit_has_modes(const tx_op *op);
/* What a result or gradient may differ by from its definition, of the largest value. */
double audit_tolerance(const tx_op *op);
/* What the definition's gradient may differ by from central differences, of the largest value. */
#define AUDIT_SLOPE 1e-5

/* Largest differences: in units of the last place (of values of at least a sixteenth of the largest, for those near 0 are
 * sums whose terms cancel), and in shares of the largest value. */
typedef struct audit_error {
    double ulp, relative;
} audit_error;
typedef struct audit_result {
    audit_error forward, gradient; /* what runs, beside the definition in double */
    double slope;                  /* the definition's gradient beside central differences, of the largest value */
} audit_result;
/* Measures a case and takes the larger of each number into *result: in training, or in inference with the gradients that
 * belong to it. */
tx_status audit_measure(const audit_case *c, int training, audit_result *result);

#endif
