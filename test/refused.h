/* refused.h - a call with a wrong argument: its answer is that of a refusal, and it says why. */
#ifndef THORAX_TEST_REFUSED_H
#define THORAX_TEST_REFUSED_H

#include "../core/core.h"
#include "test.h"

#include <string.h>

/* The answer is the one of a refusal, and the message is new and has `part` in it. */
#define REFUSED(answer, part)                                                                            \
    do {                                                                                                 \
        tx_fail(TX_ERR_FILE, "nothing has failed yet");                                                  \
        int refused_ = (answer);                                                                         \
        CHECK(refused_ &&strstr(tx_error_message(), part) && tx_error_status() != TX_ERR_FILE, "%s: %s", \
              refused_ ? #answer : "taken: " #answer, tx_error_message());                               \
    } while (0)

#endif
