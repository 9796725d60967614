/* optim_schedule.c - learning rates: known values of each schedule, and its ends. */
#include "../optim/optim.h"
#include "test.h"

#include <math.h>

static int near(double got, double want)
{
    return fabs(got - want) <= 1e-15 * fabs(want) + 1e-18;
}

/* The decays of a run of any length: before step t, 3t/total thirds are over. */
static void thirds(void)
{
    static const char *const known[] = {"", "0", "01", "012", "0012", "00112", "001122", "0001122", "00011122"};
    tx_schedule s = {.kind = TX_SCHEDULE_STEP, .lr = 0.4, .step_factor = 0.5};
    for (uint64_t total = 1; total <= 8; total++)
        for (uint64_t t = 0; t < total; t++) {
            s.total = total;
            double want = 0.4 / (double)(1 << (known[total][t] - '0'));
            CHECK(tx_schedule_lr(&s, t) == want, "step %d of %d: %.17g, expected %.17g", (int)t, (int)total,
                  tx_schedule_lr(&s, t), want);
        }
    for (s.total = 9; s.total < 200; s.total++)
        for (uint64_t t = 0; t < s.total; t++)
            CHECK(tx_schedule_lr(&s, t) == 0.4 / (double)(1 << 3 * t / s.total), "step %d of %d", (int)t, (int)s.total);
    CHECK(tx_schedule_lr(&s, 1000000) == 0.1, "no third decay behind the end");
    s.total = UINT64_MAX;
    CHECK(tx_schedule_lr(&s, UINT64_MAX / 3 - 1) == 0.4 && tx_schedule_lr(&s, UINT64_MAX / 3) == 0.2 &&
              tx_schedule_lr(&s, UINT64_MAX / 3 * 2) == 0.1,
          "the longest run");
    s.total = 0;
    CHECK(tx_schedule_lr(&s, 5) == 0.4, "without a length there are no thirds");
    s = (tx_schedule){.kind = TX_SCHEDULE_STEP, .lr = 0.4, .total = 9, .warmup = 4, .step_factor = 0.5};
    CHECK(tx_schedule_lr(&s, 3) == 0.4 && tx_schedule_lr(&s, 4) == 0.2 && tx_schedule_lr(&s, 5) == 0.2 &&
              tx_schedule_lr(&s, 6) == 0.1,
          "thirds are counted from the run's start, not from the end of the warm-up");
    s.step_every = 5;
    CHECK(tx_schedule_lr(&s, 4) == 0.4 && tx_schedule_lr(&s, 5) == 0.2, "and so are fixed distances");
}

int main(void)
{
    tx_schedule s = {.lr = 0.4};
    CHECK(tx_schedule_lr(&s, 0) == 0.4 && tx_schedule_lr(&s, 1000000) == 0.4, "constant");
    s.warmup = 4;
    for (uint64_t t = 0; t < 8; t++)
        CHECK(near(tx_schedule_lr(&s, t), t < 4 ? 0.1 * (double)(t + 1) : 0.4), "warm-up, step %d: %.17g", (int)t,
              tx_schedule_lr(&s, t));

    s = (tx_schedule){.kind = TX_SCHEDULE_COSINE, .lr = 0.4, .warmup = 4, .total = 10};
    CHECK(near(tx_schedule_lr(&s, 3), 0.4) && tx_schedule_lr(&s, 4) == 0.4, "cosine begins at lr");
    CHECK(near(tx_schedule_lr(&s, 6), 0.3) && near(tx_schedule_lr(&s, 7), 0.2) && near(tx_schedule_lr(&s, 8), 0.1),
          "cosine at a third, half and two thirds: %.17g %.17g %.17g", tx_schedule_lr(&s, 6), tx_schedule_lr(&s, 7),
          tx_schedule_lr(&s, 8));
    CHECK(tx_schedule_lr(&s, 9) > 0 && tx_schedule_lr(&s, 10) == 0 && tx_schedule_lr(&s, 11) == 0, "cosine ends at 0");
    s.warmup = 10;
    CHECK(near(tx_schedule_lr(&s, 9), 0.4) && tx_schedule_lr(&s, 10) == 0, "a warm-up as long as the run");
    s.warmup = 20;
    CHECK(near(tx_schedule_lr(&s, 9), 0.2) && tx_schedule_lr(&s, 20) == 0, "a warm-up longer than the run");

    s = (tx_schedule){.kind = TX_SCHEDULE_STEP, .lr = 0.4, .total = 9};
    CHECK(tx_schedule_lr(&s, 2) == 0.4 && near(tx_schedule_lr(&s, 3), 0.04) && near(tx_schedule_lr(&s, 5), 0.04) &&
              near(tx_schedule_lr(&s, 6), 0.004) && near(tx_schedule_lr(&s, 8), 0.004),
          "step decay by thirds");
    s.step_every = 2;
    s.step_factor = 0.5;
    CHECK(tx_schedule_lr(&s, 1) == 0.4 && tx_schedule_lr(&s, 2) == 0.2 && tx_schedule_lr(&s, 8) == 0.025,
          "step decay by halves");
    thirds();
    return test_done("optim_schedule");
}
