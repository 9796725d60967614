/* train_step.c - forward, backward, update. */
#include "optim.h"

#include <math.h>

tx_status tx_train_step(tx_session *session, const tx_node *loss, tx_optimizer *optimizer, double lr, float *loss_out)
{
    if (loss->index != tx_graph_nodes(loss->graph) - 1 || loss->h != 1 || loss->w != 1 || loss->c != 1)
        return tx_fail(TX_ERR_ARGUMENT, "%s '%s' is not the graph's last node of one number: no loss to train by",
                       loss->op->name, loss->name);
    tx_status status = tx_forward(session);
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
    if (status == TX_OK)
        tx_optimizer_step(optimizer, lr);
    return status;
}
