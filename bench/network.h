/* network.h - a network of the registry, described for use: to predict, or to train with its loss. Private to
 * bench. */
#ifndef THORAX_BENCH_NETWORK_H
#define THORAX_BENCH_NETWORK_H

#include "../nets/nets.h"

/* Which network. */
typedef struct net_choice {
    const tx_net_info *net;
    int cut, classes, size;
} net_choice;

typedef struct network {
    net_choice choice;
    tx_graph *graph;
    tx_node *image, *logits;
    tx_node *label, *mask, *loss; /* (N,1,1,classes) inputs and the masked loss; NULL without one */
} network;

/* The network alone, or with binary cross-entropy behind it: pos_weight (classes numbers, copied) may be NULL. */
tx_status network_build(network *n, const net_choice *choice, int with_loss, const float *pos_weight);
void network_free(network *n);
/* Sets the momentum of every batch norm's running statistics. */
void network_bn_momentum(network *n, double momentum);
/* Multiply-adds of one image by the definition, and bytes of the arena. */
tx_status network_costs(const network *n, int batch, tx_mode mode, double *macs, size_t *arena);
/* "resnet18", or "resnet18-1" with a block cut. out has 64 bytes. */
const char *net_choice_name(const net_choice *choice, char out[64]);
/* Trained parameters that belong to one node. */
size_t node_parameters(const tx_node *node);
/* Whether cut and size are within what the network takes: EXIT_DONE, or a line and EXIT_USAGE. */
int net_choice_check(const net_choice *choice);
/* Name of network i, for nearest_name. */
const char *net_name(const void *context, int i);

#endif
