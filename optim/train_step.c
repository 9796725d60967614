/* train_step.c - forward, backward, update. */
#include "optim.h"
#include "optim_private.h"

#include <math.h>

static tx_status check(const tx_session *session, const tx_node *loss, const tx_optimizer *optimizer, double lr)
{
    if (!session || !loss || !optimizer)
        return tx_fail_null("tx_train_step", !session ? "session" : !loss ? "loss" : "optimiser");
    if (loss != tx_session_last(session) || loss->h != 1 || loss->w != 1 || loss->c != 1)
        return tx_fail(TX_ERR_ARGUMENT,
                       "%s '%s' is not the last node, of one number, of the session: no loss to train by",
                       tx_node_operation(loss), loss->name);
    if (optimizer->weights != tx_session_weights(session))
        return tx_fail(TX_ERR_ARGUMENT, "the optimiser is one of other weights than the session's");
    return tx_rate_check(lr);
}

tx_status tx_train_step(tx_session *session, const tx_node *loss, tx_optimizer *optimizer, double lr, float *loss_out)
{
    tx_status status = check(session, loss, optimizer, lr);
    if (status == TX_OK)
        status = tx_forward(session);
    if (status)
        return status;
    float value = tx_session_scalar(session, loss);
    if (loss_out)
        *loss_out = value;
    if (!isfinite(value))
        return tx_fail(TX_ERR_ARGUMENT, "step %llu: the loss is %s; the parameters are those of the step before",
                       (unsigned long long)tx_optimizer_steps(optimizer) + 1,
                       isnan(value) ? "not a number" : "infinite");
    status = tx_backward(session, NULL);
    return status ? status : tx_optimizer_step(optimizer, lr);
}
