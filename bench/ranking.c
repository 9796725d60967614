/* ranking.c - softmax, and the largest of some values. */
#include "ranking.h"
#include "../core/core.h"

void ranking_softmax(const float *logit, size_t n, float *share)
{
    double most = (double)logit[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = (double)logit[i] > most ? (double)logit[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += tx_exp((double)logit[i] - most);
    for (size_t i = 0; i < n; i++)
        share[i] = (float)(tx_exp((double)logit[i] - most) / sum);
}

/* Whether value a stands before value b. */
static int before(const float *value, int a, int b)
{
    return value[a] > value[b] || (!(value[a] < value[b]) && a < b);
}

void ranking_top(const float *value, int n, int k, int *order)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        int at = count;
        while (at > 0 && before(value, i, order[at - 1]))
            at--;
        if (at == k)
            continue;
        count += count < k;
        for (int j = count - 1; j > at; j--)
            order[j] = order[j - 1];
        order[at] = i;
    }
}
