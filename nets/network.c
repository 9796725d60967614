/* network.c - a network of the registry, described for use: to predict, or to train with its loss. */
#include "../core/op.h"
#include "blocks.h"

#include <stdio.h>
#include <string.h>

const char *tx_net_choice_name(const tx_net_choice *choice, char out[64])
{
    if (!choice || !choice->net || !out) {
        tx_fail_null("tx_net_choice_name", out ? "network" : "room for a name");
        return "";
    }
    if (choice->cut)
        snprintf(out, 64, "%.40s-%d", choice->net->name, choice->cut);
    else
        snprintf(out, 64, "%.40s", choice->net->name);
    return out;
}

int tx_net_channels(const tx_net_choice *choice)
{
    if (!choice)
        tx_fail_null("tx_net_channels", "choice");
    return !choice ? 0 : choice->channels ? choice->channels : 3;
}

tx_status tx_network_build(tx_network *n, const tx_net_choice *choice, int with_loss, const float *pos_weight)
{
    if (!n || !choice)
        return tx_fail_null("tx_network_build", n ? "choice" : "room for a network");
    memset(n, 0, sizeof *n);
    n->choice = *choice;
    n->graph = tx_graph_new();
    n->image = tx_input(n->graph, tx_net_channels(choice), choice->size, choice->size);
    tx_net_nodes nodes = tx_net_build(n->graph, n->image, choice->net, choice->cut, choice->classes);
    n->features = nodes.features;
    n->logits = nodes.logits;
    if (with_loss) {
        n->label = tx_input(n->graph, choice->classes, 1, 1);
        n->mask = tx_input(n->graph, choice->classes, 1, 1);
        n->loss = tx_bce_with_logits(n->graph, n->logits, n->label, n->mask, (tx_bce_args){.pos_weight = pos_weight});
    }
    tx_status status = n->graph ? tx_graph_status(n->graph) : TX_ERR_MEMORY;
    if (status == TX_OK && choice->eps != 0)
        status = tx_network_bn_eps(n, choice->eps);
    if (status)
        tx_network_free(n);
    return status;
}

void tx_network_free(tx_network *n)
{
    if (!n)
        return;
    tx_graph_free(n->graph);
    memset(n, 0, sizeof *n);
}

tx_status tx_network_new_head(tx_network *n)
{
    if (!n || !n->graph)
        return tx_fail_null("tx_network_new_head", "network");
    tx_net_linear_init(n->logits, TX_HEAD_IN);
    return TX_OK;
}

tx_status tx_network_bn_eps(tx_network *n, double eps)
{
    if (!n || !n->graph)
        return tx_fail_null("tx_network_bn_eps", "network");
    if (!(eps > 0 && eps <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "batch norm's eps %g, expected more than 0 and at most 1", eps);
    for (int i = 0; i < tx_graph_nodes(n->graph); i++) {
        const tx_node *node = tx_graph_node(n->graph, i);
        if (node->op == &tx_op_batchnorm)
            ((tx_batchnorm_args *)node->args)->eps = eps;
    }
    return TX_OK;
}

tx_status tx_network_bn_momentum(tx_network *n, double momentum)
{
    if (!n || !n->graph)
        return tx_fail_null("tx_network_bn_momentum", "network");
    if (!(momentum >= 0 && momentum <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "batch norm's momentum %g, expected 0 to 1", momentum);
    for (int i = 0; i < tx_graph_nodes(n->graph); i++) {
        const tx_node *node = tx_graph_node(n->graph, i);
        if (node->op == &tx_op_batchnorm)
            ((tx_batchnorm_args *)node->args)->momentum = momentum;
    }
    return TX_OK;
}

tx_status tx_network_costs(const tx_network *n, tx_session_args args, double *macs, size_t *arena)
{
    if (!n || !macs || !arena)
        return tx_fail_null("tx_network_costs", n ? "room for the costs" : "network");
    tx_plan *plan = tx_plan_new(n->graph, args);
    if (!plan)
        return tx_error_status();
    *macs = 0;
    for (int i = 0; i < tx_graph_nodes(n->graph); i++) {
        const tx_workspace *need = tx_plan_workspace(plan, tx_graph_node(n->graph, i));
        *macs += need ? need->macs : 0;
    }
    *arena = tx_plan_bytes(plan);
    tx_plan_free(plan);
    return TX_OK;
}

size_t tx_node_parameters(const tx_node *node)
{
    size_t count = 0;
    if (!node)
        tx_fail_null("tx_node_parameters", "node");
    for (int k = 0; node && k < node->params; k++) {
        const tx_param *p = tx_graph_param(node->graph, node->param[k]);
        if (p->role == TX_ROLE_TRAINED)
            count += p->count;
    }
    return count;
}
