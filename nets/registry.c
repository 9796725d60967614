/* registry.c - every network by name, and the head that all of them share. */
#include "nets.h"

#include <string.h>

static const tx_net_info *const registry[] = {
    &tx_net_resnet18,
    &tx_net_resnet34,
    &tx_net_resnet50,
    &tx_net_resnet101,
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

tx_node *tx_net_build(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut, int classes)
{
    if (tx_graph_status(graph))
        return NULL;
    if (!net || !image || !net->features) {
        tx_fail_null("tx_net_build", net ? "image" : "network");
        return tx_graph_refuse(graph, "%s", tx_error_message());
    }
    if (image->h < net->smallest || image->w < net->smallest || image->c != 3)
        return tx_graph_refuse(
            graph, "%s takes images of 3 channels and at least %d x %d pixels, found %d channels of %d x %d", net->name,
            net->smallest, net->smallest, image->c, image->h, image->w);
    if (cut < 0 || cut > net->blocks)
        return tx_graph_refuse(graph, "%s has %d final blocks to cut, found %d", net->name, net->blocks, cut);
    if (classes < 1)
        return tx_graph_refuse(graph, "%s with %d outputs, expected at least one", net->name, classes);
    tx_node *x = net->features(graph, image, net, cut);
    x = tx_global_mean(graph, x);
    return tx_linear(graph, x, net->head, (tx_linear_args){.out = classes});
}
