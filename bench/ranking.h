/* ranking.h - outputs of which one is meant: their shares by softmax, and the largest of them. Private to bench. */
#ifndef THORAX_BENCH_RANKING_H
#define THORAX_BENCH_RANKING_H

#include <stddef.h>

/* share[i] = exp(logit[i] - m) / sum over j of exp(logit[j] - m), m the largest: in double, the sum in the order of the
 * outputs, rounded once. */
void ranking_softmax(const float *logit, size_t n, float *share);
/* order[0..k) becomes the places of the k largest values, the largest first, of equal ones the first. k is n at most. */
void ranking_top(const float *value, int n, int k, int *order);

#endif
