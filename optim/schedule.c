/* schedule.c - the learning rate as a function of the step.
 *
 * With t counted from 0, W steps of warm-up and T in all:
 *   t < W      lr (t+1)/W                         (Goyal et al. 2017, arXiv:1706.02677, section 2.2)
 *   constant   lr
 *   cosine     lr (1 + cos(pi (t-W)/(T-W))) / 2   (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts);
 *              0 from t = T on
 *   step       lr factor^floor(t/every)           (He et al. 2016, arXiv:1512.03385, section 3.4);
 *              without `every` lr factor^floor(3t/T), two decays at most, however T divides */
#include "optim.h"
#include "optim_private.h"

#include <math.h>

double tx_whole_power(double base, uint64_t exponent)
{
    double result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

static double cosine_lr(const tx_schedule *s, uint64_t step)
{
    if (step >= s->total)
        return 0;
    double done = (double)(step - s->warmup) / (double)(s->total - s->warmup);
    return s->lr * (0.5 * (1 + tx_cos_pi(done)));
}

/* floor(3 step / total) up to 2: how many thirds are over. Neither product nor sum is formed: both could overflow. */
static uint64_t thirds(uint64_t step, uint64_t total)
{
    uint64_t one = total / 3 + (total % 3 != 0), two = total - total / 3;
    return total ? (uint64_t)(step >= one) + (step >= two) : 0;
}

static double step_lr(const tx_schedule *s, uint64_t step)
{
    double factor = s->step_factor > 0 ? s->step_factor : 0.1;
    return s->lr * tx_whole_power(factor, s->step_every ? step / s->step_every : thirds(step, s->total));
}

static tx_status check(const tx_schedule *s)
{
    if (!s)
        return tx_fail_null("tx_schedule_lr", "schedule");
    if (s->kind != TX_SCHEDULE_CONSTANT && s->kind != TX_SCHEDULE_COSINE && s->kind != TX_SCHEDULE_STEP)
        return tx_fail(TX_ERR_ARGUMENT, "schedule number %d is not known", (int)s->kind);
    if (!(s->lr >= 0 && isfinite(s->lr)) || !(s->step_factor >= 0 && isfinite(s->step_factor)))
        return tx_fail(TX_ERR_ARGUMENT, "a schedule with rate %g and factor %g, expected numbers from 0 on", s->lr,
                       s->step_factor);
    return TX_OK;
}

double tx_schedule_lr(const tx_schedule *schedule, uint64_t step)
{
    if (check(schedule))
        return (double)NAN;
    if (step < schedule->warmup)
        return schedule->lr * ((double)(step + 1) / (double)schedule->warmup);
    switch (schedule->kind) {
    case TX_SCHEDULE_COSINE:
        return cosine_lr(schedule, step);
    case TX_SCHEDULE_STEP:
        return step_lr(schedule, step);
    case TX_SCHEDULE_CONSTANT:
        break;
    }
    return schedule->lr;
}
