/* graph_memory.c - how much memory training takes, by plan: every network of the paper at 320 x 320 with 16 images, beside
 * PyTorch's peak. Planning alone: nothing is computed. */
#include "graph_shapes.h"
#include "test.h"

/* PyTorch 2.15, eager, Adam, 2 threads, channels_last: largest resident MiB of training, the lower of what was measured on a
 * Zen 4 and a Sapphire Rapids machine. */
static const struct {
    const char *name;
    tx_node *(*features)(tx_node *image);
    int peak;
} nets[] = {
    {"densenet121", shape_densenet121, 5574},
    {"densenet169", shape_densenet169, 6584},
    {"densenet201", shape_densenet201, 8092},
    {"resnet18", shape_resnet18, 2168},
    {"resnet34", shape_resnet34, 2596},
    {"resnet50", shape_resnet50, 4856},
    {"resnet101", shape_resnet101, 6086},
    {"inception_v3", shape_inception_v3, 3183},
    {"inception_v4", shape_inception_v4, 4846},
    {"mnasnet1_0", shape_mnasnet, 2520},
    {"efficientnet_b0", shape_efficientnet_b0, 4417},
    {"efficientnet_b1", shape_efficientnet_b1, 5444},
    {"efficientnet_b2", shape_efficientnet_b2, 5606},
    {"efficientnet_b3", shape_efficientnet_b3, 7244},
    {"mobilenet_v2", shape_mobilenet_v2, 4151},
    {"mobilenet_v3_large", shape_mobilenet_v3, 2678},
    {"nasnet_a_mobile", shape_nasnet, 3652},
};
enum { NETS = sizeof nets / sizeof nets[0], BATCH = 16, SIDE = 320, CLASSES = 14 };

/* Bytes of training: the arena, and values, gradients and Adam's two means of each parameter. */
static double bytes_of(const tx_graph *g, const tx_plan *plan)
{
    return (double)tx_plan_bytes(plan) + 16.0 * (double)tx_graph_trained(g);
}

static double share_of(int k, double *slowest)
{
    small_net net = {nets[k].name, nets[k].features, 3, SIDE, SIDE, 0};
    small_graph s;
    CHECK(small_build(&s, &net, 2) == TX_OK, "%s: %s", net.name, tx_error_message());
    double start = tx_seconds();
    tx_plan *plan = tx_plan_new(s.graph, (tx_session_args){.batch = BATCH, .mode = TX_TRAIN});
    double seconds = tx_seconds() - start;
    CHECK(plan != NULL, "%s: %s", net.name, tx_error_message());
    double share = plan ? bytes_of(s.graph, plan) / 1048576 / nets[k].peak : 1;
    *slowest = seconds > *slowest ? seconds : *slowest;
    printf("%-20s %4d nodes  %5.0f MiB  %2.0f%%  %4.0f ms\n", net.name, tx_graph_nodes(s.graph), share * nets[k].peak,
           100 * share, 1e3 * seconds);
    CHECK(share <= 0.4, "%s: training takes %.0f MiB, %.1f%% of PyTorch's %d", net.name, share * nets[k].peak,
          100 * share, nets[k].peak);
    tx_plan_free(plan);
    tx_graph_free(s.graph);
    return share;
}

int main(void)
{
    double slowest = 0;
    int low = 0;
    tx_set_threads(2);
    for (int k = 0; k < NETS; k++)
        low += share_of(k, &slowest) <= 0.3;
    CHECK(low >= 10, "%d networks train in at most 30%% of PyTorch's memory, expected 10", low);
    CHECK(slowest < 2, "planning takes %.2f s", slowest);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_memory");
}
