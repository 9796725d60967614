/* nets.h - the networks of the study, by name. Names of parameters, counts and initial values are torchvision's. */
#ifndef THORAX_NETS_H
#define THORAX_NETS_H

#include "../layers/layers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tx_net_info tx_net_info;

/* Builds the network on `image` and returns its last features' node; the head is added by tx_net_build. cut: how many
 * final blocks are left out. */
typedef tx_node *tx_net_features(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut);

struct tx_net_info {
    const char *name;   /* torchvision's, e.g. "resnet18" */
    const char *family; /* "ResNet" */
    const char *head;   /* name of the last linear layer, e.g. "fc" */
    int blocks;         /* that can be cut: cut is 0 .. blocks */
    int smallest;       /* side of the smallest square input */
    double top1;        /* ImageNet top-1 in percent of the published weights, single centre crop */
    tx_net_features *features;
    const void *table; /* the family's own: widths and depths */
};

/* The registry, in the order in which `thorax nets` lists it. */
int tx_nets(void);
const tx_net_info *tx_net_at(int index);
/* NULL if there is no network of that name, which is an answer and leaves no message. */
const tx_net_info *tx_net_find(const char *name);

/* Builds features and head (global mean, linear layer) and returns the logits (N,1,1,classes). cut 1..net->blocks removes
 * final blocks, as nets/README.md defines; the linear layer is then U(1/sqrt(in)). image is (N,H,W,3). NULL with an error
 * in the graph where the image is smaller than the network takes, or cut or classes are out of range. */
tx_node *tx_net_build(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut, int classes);

/* ------------------------------------------------------------------------------- described for use */
/* Which network: blocks cut, outputs, side of the square image. */
typedef struct tx_net_choice {
    const tx_net_info *net;
    int cut, classes, size;
} tx_net_choice;

typedef struct tx_network {
    tx_net_choice choice;
    tx_graph *graph;
    tx_node *image, *logits;
    tx_node *label, *mask, *loss; /* (N,1,1,classes) inputs and the masked loss; NULL without one */
} tx_network;

/* The network alone, or with binary cross-entropy behind it: pos_weight (classes numbers, copied) may be NULL. The caller
 * frees it; after an error there is nothing to free. */
tx_status tx_network_build(tx_network *n, const tx_net_choice *choice, int with_loss, const float *pos_weight);
void tx_network_free(tx_network *n);
/* Sets the momentum of every batch norm's running statistics, 0 to 1; with 0 they stay as they are. */
tx_status tx_network_bn_momentum(tx_network *n, double momentum);
/* Multiply-adds of one image by the definition, and bytes of the arena of a session with these arguments. */
tx_status tx_network_costs(const tx_network *n, tx_session_args args, double *macs, size_t *arena);
/* "resnet18", or "resnet18-1" with a block cut; "" and a message without a network. out has 64 bytes. */
const char *tx_net_choice_name(const tx_net_choice *choice, char out[64]);
/* Trained parameters that belong to one node. */
size_t tx_node_parameters(const tx_node *node);

extern const tx_net_info tx_net_resnet18, tx_net_resnet34, tx_net_resnet50, tx_net_resnet101;

#ifdef __cplusplus
}
#endif
#endif
