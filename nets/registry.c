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
    return index >= 0 && index < tx_nets() ? registry[index] : NULL;
}

const tx_net_info *tx_net_find(const char *name)
{
    for (int i = 0; i < tx_nets(); i++)
        if (strcmp(registry[i]->name, name) == 0)
            return registry[i];
    return NULL;
}

tx_node *tx_net_build(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut, int classes)
{
    if (image && (image->h < net->smallest || image->w < net->smallest || image->c != 3))
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
