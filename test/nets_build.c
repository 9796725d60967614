/* nets_build.c - the networks as they are published: parameters, multiply-adds, sizes and names of every stage, initial values,
 * cuts, and what is refused. */
#include "../core/op.h"
#include "../nets/nets.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* torchvision's numbers for 1000 outputs and images of 224 x 224. */
static const struct {
    const char *name;
    double parameters, gmacs; /* the latter to three decimals */
    int entries;              /* of the state_dict */
    int widths[5];            /* channels of the features with 0..4 blocks cut */
    const char *last;         /* block of layer4, */
    const char *strided;      /* and the convolution of its first that has the stride */
} published[] = {
    {"resnet18", 11689512, 1.814, 122, {512, 256, 128, 64, 64}, "layer4.1", "conv1"},
    {"resnet34", 21797672, 3.664, 218, {512, 256, 128, 64, 64}, "layer4.2", "conv1"},
    {"resnet50", 25557032, 4.089, 320, {2048, 1024, 512, 256, 64}, "layer4.2", "conv2"},
    {"resnet101", 44549160, 7.801, 626, {2048, 1024, 512, 256, 64}, "layer4.2", "conv2"},
};
enum { NETS = sizeof published / sizeof published[0] };

static const tx_node *node_named(const tx_graph *g, const char *name)
{
    for (int i = 0; i < tx_graph_nodes(g); i++)
        if (strcmp(tx_graph_node(g, i)->name, name) == 0)
            return tx_graph_node(g, i);
    return NULL;
}

static void check_whole(int k)
{
    tx_network n;
    tx_net_choice choice = {tx_net_find(published[k].name), 0, 1000, 224};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s: %s", published[k].name, tx_error_message());
    CHECK((double)tx_graph_trained(n.graph) == published[k].parameters, "%s: %.0f parameters", published[k].name,
          (double)tx_graph_trained(n.graph));
    CHECK(tx_graph_params(n.graph) == published[k].entries, "%s: %d entries in the state", published[k].name,
          tx_graph_params(n.graph));
    double macs;
    size_t arena, sum = 0;
    CHECK(tx_network_costs(&n, (tx_session_args){.batch = 1}, &macs, &arena) == TX_OK && arena > 0, "%s",
          tx_error_message());
    CHECK(fabs(macs * 1e-9 - published[k].gmacs) <= 0.0006, "%s: %.4f GMACs", published[k].name, macs * 1e-9);
    for (int i = 0; i < tx_graph_nodes(n.graph); i++)
        sum += tx_node_parameters(tx_graph_node(n.graph, i));
    CHECK(sum == tx_graph_trained(n.graph), "%s: the nodes have %d parameters", published[k].name, (int)sum);
    CHECK(n.logits->c == 1000 && n.logits->h == 1 && n.logits->w == 1 && !n.loss && !n.label && !n.mask,
          "%s without a loss", published[k].name);
    tx_network_free(&n);
}

/* Stages halve the map where the paper says so, in torchvision's convolution; the last block is named. */
static void check_stages(int k)
{
    tx_network n;
    tx_net_choice choice = {tx_net_find(published[k].name), 0, 5, 96};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s: %s", published[k].name, tx_error_message());
    for (int layer = 1; layer <= 4; layer++) {
        char name[64];
        int side = 48 >> layer, before = layer == 1 ? side : 2 * side;
        int bottleneck = strcmp(published[k].strided, "conv2") == 0;
        snprintf(name, sizeof name, "layer%d.0.conv1", layer);
        const tx_node *first = node_named(n.graph, name);
        snprintf(name, sizeof name, "layer%d.0.conv2", layer);
        const tx_node *second = node_named(n.graph, name);
        snprintf(name, sizeof name, "layer%d.0.downsample.0", layer);
        const tx_node *down = node_named(n.graph, name);
        CHECK(first && first->h == (bottleneck ? before : side) && first->c == 32 << layer, "%s, layer%d.0.conv1: %d",
              published[k].name, layer, first ? first->h : -1);
        CHECK(second && second->h == side && second->w == side, "%s, layer%d.0.conv2", published[k].name, layer);
        CHECK(layer == 1 && !bottleneck ? !down
                                        : down && down->h == side && down->c == (bottleneck ? 128 : 32) << layer,
              "%s, layer%d.0.downsample", published[k].name, layer);
        snprintf(name, sizeof name, "layer%d.1.downsample.0", layer);
        CHECK(!node_named(n.graph, name), "%s: %s", published[k].name, name);
    }
    char name[64];
    snprintf(name, sizeof name, "%s.conv1", published[k].last);
    CHECK(node_named(n.graph, name) != NULL, "%s lacks %s", published[k].name, name);
    snprintf(name, sizeof name, "layer4.%d.conv1", published[k].last[7] - '0' + 1);
    CHECK(!node_named(n.graph, name), "%s has %s", published[k].name, name);
    tx_network_free(&n);
}

/* Cut blocks are gone, what is kept has its names, the head reads what is left. */
static void check_cuts(int k)
{
    for (int cut = 0; cut <= 4; cut++) {
        tx_network n;
        char name[64], text[64];
        tx_net_choice choice = {tx_net_find(published[k].name), cut, 14, 40};
        CHECK(tx_network_build(&n, &choice, 1, NULL) == TX_OK, "%s: %s", published[k].name, tx_error_message());
        const tx_node *fc = node_named(n.graph, "fc");
        CHECK(fc && fc->input[0]->c == published[k].widths[cut] && fc == n.logits && fc->c == 14,
              "%s, %d blocks cut: the head reads %d channels", published[k].name, cut, fc ? fc->input[0]->c : -1);
        for (int layer = 1; layer <= 4; layer++) {
            snprintf(name, sizeof name, "layer%d.0.conv1.weight", layer);
            CHECK((tx_graph_find(n.graph, name) >= 0) == (layer <= 4 - cut), "%s, %d blocks cut: %s", published[k].name,
                  cut, name);
        }
        CHECK(n.loss && n.label->c == 14 && n.mask->c == 14 && n.loss->index == tx_graph_nodes(n.graph) - 1,
              "%s with a loss", published[k].name);
        snprintf(text, sizeof text, cut ? "%s-%d" : "%s", published[k].name, cut);
        CHECK(strcmp(tx_net_choice_name(&choice, name), text) == 0, "%s is called %s", text, name);
        tx_network_free(&n);
    }
}

/* Initial values: convolutions N(0, 2 / fan_out), the linear layer U(1 / sqrt(in)), batch norms 1 and 0. */
static void check_initial(void)
{
    tx_network n;
    tx_net_choice choice = {tx_net_find("resnet18"), 2, 14, 32};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    tx_weights_init(w, 1);
    const struct {
        const char *name;
        double mean, deviation;
    } want[] = {{"conv1.weight", 0, sqrt(2.0 / (64 * 49))},
                {"layer1.0.conv2.weight", 0, sqrt(2.0 / (64 * 9))},
                {"layer2.0.downsample.0.weight", 0, sqrt(2.0 / 128)},
                {"fc.weight", 0, sqrt(1.0 / 128 / 3)},
                {"bn1.weight", 1, 0},
                {"bn1.running_var", 1, 0},
                {"bn1.bias", 0, 0},
                {"layer2.1.bn2.running_mean", 0, 0}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        int at = tx_graph_find(n.graph, want[i].name);
        CHECK(at >= 0, "there is no %s", want[i].name);
        const tx_param *p = tx_graph_param(n.graph, at < 0 ? 0 : at);
        double sum = 0, square = 0, m = (double)p->count;
        for (size_t e = 0; e < p->count; e++) {
            sum += (double)tx_weights_param(w, p)[e];
            square += (double)tx_weights_param(w, p)[e] * (double)tx_weights_param(w, p)[e];
        }
        double mean = sum / m, deviation = sqrt(fmax(0, square / m - mean * mean));
        CHECK(fabs(mean - want[i].mean) <= 5 * want[i].deviation / sqrt(m) &&
                  fabs(deviation - want[i].deviation) <= 4 * want[i].deviation / sqrt(m),
              "%s: mean %g, deviation %g, expected %g and %g", want[i].name, mean, deviation, want[i].mean,
              want[i].deviation);
    }
    tx_weights_free(w);
    for (int momentum = 0; momentum < 2; momentum++) {
        int norms = 0;
        if (momentum)
            tx_network_bn_momentum(&n, 0.25);
        for (int i = 0; i < tx_graph_nodes(n.graph); i++) {
            const tx_node *node = tx_graph_node(n.graph, i);
            if (node->op != &tx_op_batchnorm)
                continue;
            const tx_batchnorm_args *a = node->args;
            norms += a->eps == 1e-5 && a->momentum == (momentum ? 0.25 : 0.1);
        }
        CHECK(norms == 10, "%d of 10 batch norms have eps 1e-5, momentum %g", norms, momentum ? 0.25 : 0.1);
    }
    tx_network_free(&n);
}

static void refuse(tx_net_choice choice, int channels, int h, int w, const char *part)
{
    tx_graph *g = tx_graph_new();
    tx_net_nodes x = tx_net_build(g, tx_input(g, channels, h, w), choice.net, choice.cut, choice.classes);
    CHECK(!x.logits && !x.features && tx_graph_status(g) == TX_ERR_ARGUMENT && strstr(tx_error_message(), part),
          "expected '%s', found '%s'", part, tx_error_message());
    tx_graph_free(g);
}

static void check_refusals(void)
{
    const tx_net_info *net = tx_net_find("resnet18");
    refuse((tx_net_choice){net, 5, 14, 0}, 3, 32, 32, "4 final blocks to cut, found 5");
    refuse((tx_net_choice){net, -1, 14, 0}, 3, 32, 32, "found -1");
    refuse((tx_net_choice){net, 0, 0, 0}, 3, 32, 32, "resnet18 with 0 outputs");
    refuse((tx_net_choice){net, 0, 14, 0}, 1, 32, 32, "found 1 channels of 32 x 32");
    tx_net_info larger = *net;
    larger.smallest = 33;
    refuse((tx_net_choice){&larger, 0, 14, 0}, 3, 40, 32, "at least 33 x 33 pixels, found 3 channels of 40 x 32");
    refuse((tx_net_choice){&larger, 0, 14, 0}, 3, 32, 40, "at least 33 x 33 pixels, found 3 channels of 32 x 40");
    tx_network n;
    CHECK(tx_network_build(&n, &(tx_net_choice){net, 5, 14, 32}, 1, NULL) == TX_ERR_ARGUMENT && !n.graph,
          "a network that cannot be built");
    float weights[14] = {1, 1, -1};
    CHECK(tx_network_build(&n, &(tx_net_choice){net, 4, 14, 32}, 1, weights) == TX_ERR_ARGUMENT && !n.graph,
          "a network whose loss cannot be built");
    long live = tx_alloc_live(), fail = 0;
    tx_status status = TX_ERR_MEMORY;
    for (; status == TX_ERR_MEMORY && fail < 1000; fail++) {
        tx_alloc_fail_after(fail);
        status = tx_network_build(&n, &(tx_net_choice){net, 3, 14, 32}, 1, NULL);
        if (status == TX_OK)
            tx_network_free(&n);
        CHECK(tx_alloc_live() == live, "%d blocks are left when allocation %ld fails", (int)(tx_alloc_live() - live),
              fail);
    }
    tx_alloc_fail_after(-1);
    CHECK(status == TX_OK && fail > 30, "status %d after %ld allocations", (int)status, fail);
}

static void check_registry(void)
{
    CHECK(tx_nets() >= NETS, "%d networks", tx_nets());
    for (int i = 0; i < tx_nets(); i++)
        CHECK(tx_net_find(tx_net_at(i)->name) == tx_net_at(i), "network %d, %s, is not found by its name", i,
              tx_net_at(i)->name);
    CHECK(!tx_net_at(-1) && !tx_net_at(tx_nets()), "a network before the first or behind the last");
    CHECK(!tx_net_find("resnet1") && !tx_net_find("resnet180") && !tx_net_find("") && !tx_net_find("ResNet18"),
          "half a name is found");
}

int main(void)
{
    check_registry();
    for (int k = 0; k < NETS; k++) {
        check_whole(k);
        check_stages(k);
        check_cuts(k);
    }
    check_initial();
    check_refusals();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("nets_build");
}
