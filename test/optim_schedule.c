/* optim_schedule.c - learning rates: known values of each schedule, and its ends. */
#include "../optim/optim.h"
#include "test.h"

#include <math.h>

static int near(double got, double want)
{
    return fabs(got - want) <= 1e-15 * fabs(want) + 1e-18;
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
    s = (tx_schedule){.kind = TX_SCHEDULE_STEP, .lr = 0.4, .total = 2};
    CHECK(tx_schedule_lr(&s, 100) == 0.4, "a run of two steps has no thirds");
    return test_done("optim_schedule");
}
