/* graph_memory.c - how much memory training takes, by plan: every network of the paper at 320 x 320 with 16 images, beside
 * PyTorch's peak. Planning alone: nothing is computed. */
#include "../nets/nets.h"
#include "test.h"

/* PyTorch 2.15, eager, Adam, 2 threads, channels_last: largest resident MiB of training, the lower of what was measured on a
 * Zen 4 and a Sapphire Rapids machine. */
static const struct {
    const char *name;
    int peak;
} nets[] = {
    {"densenet121", 5574},     {"densenet169", 6584},     {"densenet201", 8092},     {"resnet18", 2168},
    {"resnet34", 2596},        {"resnet50", 4856},        {"resnet101", 6086},       {"inception_v3", 3183},
    {"inception_v4", 4846},    {"mnasnet1_0", 2520},      {"efficientnet_b0", 4417}, {"efficientnet_b1", 5444},
    {"efficientnet_b2", 5606}, {"efficientnet_b3", 7244}, {"mobilenet_v2", 4151},    {"mobilenet_v3_large", 2678},
    {"nasnet_a_mobile", 3652},
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
        low += share_of_network(k, &slowest) <= 0.3;
    CHECK(low >= 9, "%d networks train in at most 30%% of PyTorch's memory, expected 9", low);
    CHECK(slowest < 2, "planning takes %.2f s", slowest);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_memory");
}
