/* graph_memory.c - how much memory training takes, by plan: every network of the paper at 320 x 320 with 16 images, beside
 * PyTorch's peak. Planning alone: nothing is computed. */
#include "../nets/nets.h"
#include "graph_shapes.h"
#include "test.h"

/* PyTorch 2.15, eager, Adam, 2 threads, channels_last: largest resident MiB of training, the lower of what was measured on a
 * Zen 4 and a Sapphire Rapids machine. */
static const struct {
    const char *name;
    tx_node *(*features)(tx_node *image); /* NULL: the library's */
    int peak;
} nets[] = {
    {"densenet121", NULL, 5574},
    {"densenet169", NULL, 6584},
    {"densenet201", NULL, 8092},
    {"resnet18", NULL, 2168},
    {"resnet34", NULL, 2596},
    {"resnet50", NULL, 4856},
    {"resnet101", NULL, 6086},
    {"inception_v3", shape_inception_v3, 3183},
    {"inception_v4", shape_inception_v4, 4846},
    {"mnasnet1_0", NULL, 2520},
    {"efficientnet_b0", NULL, 4417},
    {"efficientnet_b1", NULL, 5444},
    {"efficientnet_b2", NULL, 5606},
    {"efficientnet_b3", NULL, 7244},
    {"mobilenet_v2", NULL, 4151},
    {"mobilenet_v3_large", NULL, 2678},
    {"nasnet_a_mobile", shape_nasnet, 3652},
};
enum { NETS = sizeof nets / sizeof nets[0], BATCH = 16, SIDE = 320, CLASSES = 14 };

/* Bytes of training: the arena, and values, gradients and Adam's two means of each parameter. */
static double bytes_of(const tx_graph *g, const tx_plan *plan)
{
    return (double)tx_plan_bytes(plan) + 16.0 * (double)tx_graph_trained(g);
}

static double share_of(int k, const tx_graph *g, double *slowest)
{
    double start = tx_seconds();
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = BATCH, .mode = TX_TRAIN});
    double seconds = tx_seconds() - start;
    CHECK(plan != NULL, "%s: %s", nets[k].name, tx_error_message());
    double share = plan ? bytes_of(g, plan) / 1048576 / nets[k].peak : 1;
    *slowest = seconds > *slowest ? seconds : *slowest;
    printf("%-20s %4d nodes  %5.0f MiB  %2.0f%%  %4.0f ms\n", nets[k].name, tx_graph_nodes(g), share * nets[k].peak,
           100 * share, 1e3 * seconds);
    CHECK(share <= 0.4, "%s: training takes %.0f MiB, %.1f%% of PyTorch's %d", nets[k].name, share * nets[k].peak,
          100 * share, nets[k].peak);
    tx_plan_free(plan);
    return share;
}

static double share_of_shapes(int k, double *slowest)
{
    small_net net = {nets[k].name, nets[k].features, 3, SIDE, SIDE, 0};
    small_graph s;
    CHECK(small_build(&s, &net, 2) == TX_OK, "%s: %s", net.name, tx_error_message());
    double share = share_of(k, s.graph, slowest);
    tx_graph_free(s.graph);
    return share;
}

static double share_of_network(int k, double *slowest)
{
    tx_network network;
    tx_net_choice choice = {.net = tx_net_find(nets[k].name), .classes = CLASSES, .size = SIDE};
    CHECK(choice.net && tx_network_build(&network, &choice, 0, NULL) == TX_OK, "%s: %s", nets[k].name,
          tx_error_message());
    double share = share_of(k, network.graph, slowest);
    tx_network_free(&network);
    return share;
}

int main(void)
{
    double slowest = 0;
    int low = 0;
    tx_set_threads(2);
    for (int k = 0; k < NETS; k++)
        low += (nets[k].features ? share_of_shapes : share_of_network)(k, &slowest) <= 0.3;
    CHECK(low >= 10, "%d networks train in at most 30%% of PyTorch's memory, expected 10", low);
    CHECK(slowest < 2, "planning takes %.2f s", slowest);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_memory");
}
