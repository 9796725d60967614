/* numbers.c - weights and optimiser of a training as tensors of a file, as they stand in memory. */
#include "numbers.h"
#include "words.h"

#include <stdio.h>

static tx_status find(tx_safetensors *file, const char *name, size_t count, const tx_stored **found)
{
    *found = tx_safetensors_find(file, name);
    if (*found && (*found)->count == count)
        return TX_OK;
    return tx_fail(TX_ERR_FORMAT, "a state without %zu values of %s", count, name);
}

static tx_status read_floats(tx_safetensors *file, const char *name, size_t count, float *out)
{
    const tx_stored *t;
    tx_status status = find(file, name, count, &t);
    return status ? status : tx_safetensors_floats(file, t, out);
}

tx_status stored_integers(tx_safetensors *file, const char *name, size_t count, int64_t *out)
{
    const tx_stored *t;
    tx_status status = count ? find(file, name, count, &t) : TX_OK;
    return status || !count ? status : tx_safetensors_integers(file, t, out);
}

tx_status numbers_take(tx_safetensors *file, tx_weights *weights, tx_optimizer *optimizer)
{
    uint64_t steps = 0;
    const char *noted = tx_safetensors_meta(file, "optimizer_steps");
    tx_status status =
        noted && parse_seed(noted, &steps) == 0 ? TX_OK : tx_fail(TX_ERR_FORMAT, "a state without steps");
    if (status == TX_OK)
        status = read_floats(file, "weights", weights->total, weights->value);
    if (status == TX_OK)
        status = stored_integers(file, "counters", weights->counters, weights->counter);
    for (int i = 0; status == TX_OK && i < tx_optimizer_states(optimizer); i++)
        status = read_floats(file, tx_optimizer_state_name(optimizer, i), weights->trained,
                             tx_optimizer_state(optimizer, i));
    tx_optimizer_set_steps(optimizer, steps);
    tx_weights_changed(weights);
    return status;
}

tx_status numbers_put(tx_safetensors_writer *w, const tx_weights *weights, tx_optimizer *optimizer)
{
    char steps[24];
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)tx_optimizer_steps(optimizer));
    tx_safetensors_put_meta(w, "optimizer_steps", steps);
    tx_safetensors_put(w, "weights", TX_F32, 1, &weights->total, weights->value);
    if (weights->counters)
        tx_safetensors_put(w, "counters", TX_I64, 1, &weights->counters, weights->counter);
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < tx_optimizer_states(optimizer); i++)
        status = tx_safetensors_put(w, tx_optimizer_state_name(optimizer, i), TX_F32, 1, &weights->trained,
                                    tx_optimizer_state(optimizer, i));
    return status;
}
