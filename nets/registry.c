/* registry.c - every network by name, and the head that all of them share. */
#include "blocks.h"

#include <string.h>

static const tx_net_info *const registry[] = {
    &tx_net_densenet121,     &tx_net_densenet169,     &tx_net_densenet201,     &tx_net_resnet18,
    &tx_net_resnet34,        &tx_net_resnet50,        &tx_net_resnet101,       &tx_net_inception_v3,
    &tx_net_inception_v4,    &tx_net_mnasnet1_0,      &tx_net_efficientnet_b0, &tx_net_efficientnet_b1,
    &tx_net_efficientnet_b2, &tx_net_efficientnet_b3, &tx_net_mobilenet_v2,    &tx_net_mobilenet_v3_large,
    &tx_net_nasnet_a_mobile,
};

int tx_nets(void)
{
    return (int)(sizeof registry / sizeof registry[0]);
}

const tx_net_info *tx_net_at(int index)
{
    if (index >= 0 && index < tx_nets())
        return registry[index];
    tx_fail(TX_ERR_ARGUMENT, "network %d of %d", index, tx_nets());
    return NULL;
}

const tx_net_info *tx_net_find(const char *name)
{
    for (int i = 0; i < tx_nets() && name; i++)
        if (strcmp(registry[i]->name, name) == 0)
            return registry[i];
    if (!name)
        tx_fail_null("tx_net_find", "name");
    return NULL;
}

/* What a network refuses, said once for all of them. Returns 1 where there is nothing to refuse. */
static int buildable(tx_graph *graph, const tx_node *image, const tx_net_info *net, int cut, int classes)
{
    if (tx_graph_status(graph))
        return 0;
    if (!net || !image || !net->features) {
        tx_fail_null("tx_net_build", net ? "image" : "network");
        tx_graph_refuse(graph, "%s", tx_error_message());
    } else if (image->h < net->smallest || image->w < net->smallest || (image->c != 3 && image->c != 1)) {
        tx_graph_refuse(graph,
                        "%s takes images of 3 channels or 1 and at least %d x %d pixels, found %d channels of %d x %d",
                        net->name, net->smallest, net->smallest, image->c, image->h, image->w);
    } else if (cut < 0 || cut > net->blocks) {
        tx_graph_refuse(graph, "%s has %d final blocks to cut, found %d", net->name, net->blocks, cut);
    } else if (classes < 1) {
        tx_graph_refuse(graph, "%s with %d outputs, expected at least one", net->name, classes);
    } else {
        return 1;
    }
    return 0;
}

tx_node *tx_net_head_build(tx_graph *graph, tx_node *x, const tx_net_info *net, int cut, int classes)
{
    const tx_net_head *head = &net->head;
    if (head->hidden && !cut) {
        x = tx_linear(graph, x, head->hidden, (tx_linear_args){.out = head->width});
        tx_net_linear_init(x, head->init);
        x = tx_net_act(graph, x, head->act);
    }
    if (head->dropout > 0 && !cut)
        x = tx_dropout(graph, x, (tx_dropout_args){.p = head->dropout});
    tx_node *logits = tx_linear(graph, x, head->name, (tx_linear_args){.out = classes});
    tx_net_linear_init(logits, cut ? TX_HEAD_IN : head->init);
    return logits;
}

tx_net_nodes tx_net_build(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut, int classes)
{
    tx_net_nodes nodes = {NULL, NULL};
    if (!buildable(graph, image, net, cut, classes))
        return nodes;
    nodes.features = net->features(graph, image, net, cut);
    tx_node *x = tx_global_mean(graph, nodes.features);
    nodes.logits = tx_net_head_build(graph, x, net, cut, classes);
    if (!nodes.logits)
        nodes.features = NULL;
    return nodes;
}
