/* graph_private.h - the insides of a graph, shared by the files that plan and run it. */
#ifndef THORAX_GRAPH_PRIVATE_H
#define THORAX_GRAPH_PRIVATE_H

#include "op.h"

struct tx_graph {
    tx_node **node;
    size_t nodes, node_room;
    tx_param *param;
    size_t params, param_room;
    size_t trained, buffers, counters; /* elements of each role so far */
    int random;                        /* nodes that draw (TX_RANDOM) so far */
    char *scope; /* the names of the open scopes, joined and ended by a zero; NULL before the first */
    size_t scope_room;
    size_t *scopes; /* for each of them the length of what was there before */
    size_t depth, depth_room;
    tx_status status;
    char message[512];
};

extern const tx_op tx_op_input;

/* weights.c: the graph of the weights has the parameters that it had when they were made; somebody has filled them. */
tx_status tx_weights_whole(const tx_weights *weights);
tx_status tx_weights_filled(const tx_weights *weights);

#endif
