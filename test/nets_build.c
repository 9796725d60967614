/* nets_build.c - the networks as they are published: parameters, multiply-adds, sizes and names of every stage, initial values,
 * cuts, and what is refused. */
#include "../core/op.h"
#include "../nets/nets.h"
#include "nets_table.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* torchvision's numbers for 1000 outputs. */
static const struct {
    const char *name;
    int parameters;
    double eps, momentum, dropout;
} published[] = {
    {"densenet121", 7978856, 1e-5, 0.1, 0},       {"densenet169", 14149480, 1e-5, 0.1, 0},
    {"densenet201", 20013928, 1e-5, 0.1, 0},      {"resnet18", 11689512, 1e-5, 0.1, 0},
    {"resnet34", 21797672, 1e-5, 0.1, 0},         {"resnet50", 25557032, 1e-5, 0.1, 0},
    {"resnet101", 44549160, 1e-5, 0.1, 0},        {"inception_v3", 23834568, 1e-3, 0.1, 0.5},
    {"inception_v4", 42679816, 1e-3, 0.1, 0},     {"mnasnet1_0", 4383312, 1e-5, 0.0003, 0.2},
    {"efficientnet_b0", 5288548, 1e-5, 0.1, 0.2}, {"efficientnet_b1", 7794184, 1e-5, 0.1, 0.2},
    {"efficientnet_b2", 9109994, 1e-5, 0.1, 0.3}, {"efficientnet_b3", 12233232, 1e-5, 0.1, 0.3},
    {"mobilenet_v2", 3504872, 1e-5, 0.1, 0.2},    {"mobilenet_v3_large", 5483032, 1e-3, 0.01, 0.2},
    {"nasnet_a_mobile", 5289978, 1e-3, 0.1, 0.5},
};
enum { NETS = sizeof published / sizeof published[0] };

/* Nodes at 320 x 320 pixels: rows and columns, channels, outputs of the stages among them. */
static const struct {
    const char *net, *node;
    int side, channels;
} places[] = {
    {"densenet121", "features.conv0", 160, 64},
    {"densenet121", "features.denseblock1.denselayer1.norm1", 80, 64},
    {"densenet121", "features.denseblock1.denselayer1.conv1", 80, 128},
    {"densenet121", "features.denseblock1.denselayer6.norm1", 80, 224},
    {"densenet121", "features.denseblock1.denselayer6.conv2", 80, 32},
    {"densenet121", "features.transition1.norm", 80, 256},
    {"densenet121", "features.transition1.conv", 80, 128},
    {"densenet121", "features.denseblock2.denselayer1.norm1", 40, 128},
    {"densenet121", "features.transition2.norm", 40, 512},
    {"densenet121", "features.denseblock3.denselayer24.conv2", 20, 32},
    {"densenet121", "features.transition3.norm", 20, 1024},
    {"densenet121", "features.denseblock4.denselayer16.norm1", 10, 992},
    {"densenet121", "features.norm5", 10, 1024},
    {"resnet18", "conv1", 160, 64},
    {"resnet18", "layer2.0.conv1", 40, 128},
    {"resnet18", "layer4.1.bn2", 10, 512},
    {"resnet50", "layer2.0.conv1", 80, 128},
    {"resnet50", "layer2.0.conv2", 40, 128},
    {"resnet50", "layer2.0.downsample.0", 40, 512},
    {"resnet101", "layer3.22.bn3", 20, 1024},
    {"inception_v3", "Conv2d_1a_3x3.conv", 159, 32},
    {"inception_v3", "Conv2d_2b_3x3.bn", 157, 64},
    {"inception_v3", "Conv2d_3b_1x1.bn", 78, 80},
    {"inception_v3", "Conv2d_4a_3x3.conv", 76, 192},
    {"inception_v3", "Mixed_5b.branch5x5_2.conv", 37, 64},
    {"inception_v3", "Mixed_5d.branch_pool.bn", 37, 64},
    {"inception_v3", "Mixed_6a.branch3x3dbl_3.conv", 18, 96},
    {"inception_v3", "Mixed_6b.branch7x7dbl_3.conv", 18, 128},
    {"inception_v3", "Mixed_6e.branch7x7_3.conv", 18, 192},
    {"inception_v3", "Mixed_7a.branch7x7x3_4.conv", 8, 192},
    {"inception_v3", "Mixed_7b.branch3x3dbl_1.bn", 8, 448},
    {"inception_v3", "Mixed_7c.branch3x3_2b.conv", 8, 384},
    {"inception_v4", "features.2.bn", 157, 64},
    {"inception_v4", "features.3.conv.conv", 78, 96},
    {"inception_v4", "features.4.branch1.3.bn", 76, 96},
    {"inception_v4", "features.5.conv.bn", 37, 192},
    {"inception_v4", "features.9.branch2.2.conv", 37, 96},
    {"inception_v4", "features.10.branch1.2.bn", 18, 256},
    {"inception_v4", "features.17.branch2.4.bn", 18, 256},
    {"inception_v4", "features.18.branch1.2.conv", 18, 320},
    {"inception_v4", "features.21.branch2_2.conv", 8, 512},
    {"inception_v4", "features.21.branch3.1.conv", 8, 256},
    {"mnasnet1_0", "layers.1", 160, 32},
    {"mnasnet1_0", "layers.7", 160, 16},
    {"mnasnet1_0", "layers.8.0.layers.1", 160, 48},
    {"mnasnet1_0", "layers.8.0.layers.4", 80, 48},
    {"mnasnet1_0", "layers.8.2.layers.7", 80, 24},
    {"mnasnet1_0", "layers.9.2.layers.7", 40, 40},
    {"mnasnet1_0", "layers.10.2.layers.7", 20, 80},
    {"mnasnet1_0", "layers.11.1.layers.7", 20, 96},
    {"mnasnet1_0", "layers.12.3.layers.7", 10, 192},
    {"mnasnet1_0", "layers.13.0.layers.7", 10, 320},
    {"mnasnet1_0", "layers.15", 10, 1280},
    {"efficientnet_b0", "features.0.1", 160, 32},
    {"efficientnet_b0", "features.1.0.block.0.1", 160, 32},
    {"efficientnet_b0", "features.1.0.block.1.fc1", 1, 8},
    {"efficientnet_b0", "features.1.0.block.1.fc2", 1, 32},
    {"efficientnet_b0", "features.1.0.block.2.1", 160, 16},
    {"efficientnet_b0", "features.2.0.block.0.1", 160, 96},
    {"efficientnet_b0", "features.2.0.block.1.1", 80, 96},
    {"efficientnet_b0", "features.2.0.block.2.fc1", 1, 4},
    {"efficientnet_b0", "features.2.1.block.3.1", 80, 24},
    {"efficientnet_b0", "features.3.1.block.3.1", 40, 40},
    {"efficientnet_b0", "features.4.2.block.3.1", 20, 80},
    {"efficientnet_b0", "features.5.2.block.3.1", 20, 112},
    {"efficientnet_b0", "features.6.3.block.3.1", 10, 192},
    {"efficientnet_b0", "features.7.0.block.2.fc1", 1, 48},
    {"efficientnet_b0", "features.7.0.block.3.1", 10, 320},
    {"efficientnet_b0", "features.8.1", 10, 1280},
    {"efficientnet_b2", "features.4.1.block.2.fc1", 1, 22},
    {"efficientnet_b3", "features.6.5.block.3.1", 10, 232},
    {"mobilenet_v2", "features.0.1", 160, 32},
    {"mobilenet_v2", "features.1.conv.0.1", 160, 32},
    {"mobilenet_v2", "features.1.conv.2", 160, 16},
    {"mobilenet_v2", "features.2.conv.0.1", 160, 96},
    {"mobilenet_v2", "features.2.conv.1.1", 80, 96},
    {"mobilenet_v2", "features.3.conv.3", 80, 24},
    {"mobilenet_v2", "features.6.conv.3", 40, 32},
    {"mobilenet_v2", "features.10.conv.3", 20, 64},
    {"mobilenet_v2", "features.13.conv.3", 20, 96},
    {"mobilenet_v2", "features.16.conv.3", 10, 160},
    {"mobilenet_v2", "features.17.conv.3", 10, 320},
    {"mobilenet_v2", "features.18.1", 10, 1280},
    {"mobilenet_v3_large", "features.0.1", 160, 16},
    {"mobilenet_v3_large", "features.1.block.1.1", 160, 16},
    {"mobilenet_v3_large", "features.2.block.1.1", 80, 64},
    {"mobilenet_v3_large", "features.4.block.0.1", 80, 72},
    {"mobilenet_v3_large", "features.4.block.1.1", 40, 72},
    {"mobilenet_v3_large", "features.4.block.2.fc1", 1, 24},
    {"mobilenet_v3_large", "features.6.block.2.fc1", 1, 32},
    {"mobilenet_v3_large", "features.7.block.2.1", 20, 80},
    {"mobilenet_v3_large", "features.8.block.0.1", 20, 200},
    {"mobilenet_v3_large", "features.10.block.1.1", 20, 184},
    {"mobilenet_v3_large", "features.12.block.2.fc2", 1, 672},
    {"mobilenet_v3_large", "features.13.block.1.1", 10, 672},
    {"mobilenet_v3_large", "features.15.block.3.1", 10, 160},
    {"mobilenet_v3_large", "classifier.0", 1, 1280},
    {"nasnet_a_mobile", "conv0.bn", 159, 32},
    {"nasnet_a_mobile", "cell_stem_0.conv_1x1.bn", 159, 11},
    {"nasnet_a_mobile", "cell_stem_0.comb_iter_0_right.separable_1.depthwise_conv2d", 80, 32},
    {"nasnet_a_mobile", "cell_stem_0.comb_iter_4_left.bn_sep_2", 80, 11},
    {"nasnet_a_mobile", "cell_stem_1.conv_1x1.conv", 80, 22},
    {"nasnet_a_mobile", "cell_stem_1.path_2.conv", 80, 11},
    {"nasnet_a_mobile", "cell_stem_1.comb_iter_2_right.bn_sep_1", 40, 22},
    {"nasnet_a_mobile", "cell_0.final_path_bn", 40, 44},
    {"nasnet_a_mobile", "cell_3.conv_prev_1x1.bn", 40, 44},
    {"nasnet_a_mobile", "reduction_cell_0.comb_iter_1_right.bn_sep_2", 20, 88},
    {"nasnet_a_mobile", "cell_6.path_1.conv", 20, 44},
    {"nasnet_a_mobile", "cell_12.final_path_bn", 10, 176},
    {"nasnet_a_mobile", "cell_15.comb_iter_4_left.bn_sep_2", 10, 176},
};

static const tx_node *node_named(const tx_graph *g, const char *name)
{
    for (int i = 0; i < tx_graph_nodes(g); i++)
        if (strcmp(tx_graph_node(g, i)->name, name) == 0)
            return tx_graph_node(g, i);
    return NULL;
}

/* Names and shapes of the state in order: see nets_table.h. */
static uint64_t digest_state(const tx_graph *g)
{
    tx_sha256 sha;
    char hex[65], number[32];
    tx_sha256_begin(&sha);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        tx_sha256_add(&sha, p->name, strlen(p->name));
        for (int d = 0; d < p->dims; d++) {
            snprintf(number, sizeof number, "%c%d", d ? ',' : ' ', p->shape[d]);
            tx_sha256_add(&sha, number, strlen(number));
        }
        tx_sha256_add(&sha, p->dims ? "\n" : " \n", p->dims ? 1 : 2);
    }
    tx_sha256_end(&sha, hex);
    hex[16] = 0;
    return strtoull(hex, NULL, 16);
}

static int64_t macs_of(const tx_network *n)
{
    double macs = 0;
    size_t arena = 0;
    CHECK(tx_network_costs(n, (tx_session_args){.batch = 1}, &macs, &arena) == TX_OK && arena > 0, "%s",
          tx_error_message());
    return (int64_t)macs;
}

/* A network of the table: sizes, names in order, what the head reads, what it is called. */
static void check_row(const net_row *row)
{
    tx_network n;
    char name[64], text[64];
    tx_net_choice choice = {.net = tx_net_find(row->name), .cut = row->cut, .classes = 14, .size = 320};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s: %s", row->name, tx_error_message());
    CHECK(tx_graph_trained(n.graph) == (size_t)row->parameters, "%s, %d cut: %zu parameters", row->name, row->cut,
          tx_graph_trained(n.graph));
    CHECK(tx_graph_params(n.graph) == row->entries, "%s, %d cut: %d entries in the state", row->name, row->cut,
          tx_graph_params(n.graph));
    CHECK(digest_state(n.graph) == row->state, "%s, %d cut: names and shapes of the state, or their order", row->name,
          row->cut);
    const tx_node *f = n.features, *head = n.logits;
    CHECK(f->c == row->channels && f->h == row->side && f->w == row->side, "%s, %d cut: features of %d x %d x %d",
          row->name, row->cut, f->h, f->w, f->c);
    CHECK(strcmp(head->name, choice.net->head.name) == 0 &&
              head->input[0]->c == (choice.net->head.hidden && !row->cut ? choice.net->head.width : f->c) &&
              head->c == 14 && head->h == 1 && head->index == tx_graph_nodes(n.graph) - 1 && !n.loss && !n.label &&
              !n.mask,
          "%s, %d cut: the head", row->name, row->cut);
    CHECK(macs_of(&n) == row->macs_320, "%s, %d cut: %.0f multiply-adds at 320", row->name, row->cut,
          (double)macs_of(&n));
    size_t sum = 0;
    for (int i = 0; i < tx_graph_nodes(n.graph); i++)
        sum += tx_node_parameters(tx_graph_node(n.graph, i));
    CHECK(sum == tx_graph_trained(n.graph), "%s: the nodes have %zu parameters", row->name, sum);
    tx_network_free(&n);
    choice.size = 224;
    CHECK(tx_network_build(&n, &choice, 1, NULL) == TX_OK, "%s: %s", row->name, tx_error_message());
    CHECK(row->cut || macs_of(&n) == row->macs_224, "%s: %.0f multiply-adds at 224", row->name, (double)macs_of(&n));
    CHECK(n.loss && n.label->c == 14 && n.mask->c == 14 && n.loss->index == tx_graph_nodes(n.graph) - 1,
          "%s with a loss", row->name);
    snprintf(text, sizeof text, row->cut ? "%s-%d" : "%s", row->name, row->cut);
    CHECK(strcmp(tx_net_choice_name(&choice, name), text) == 0, "%s is called %s", text, name);
    tx_network_free(&n);
}

/* With 1000 outputs; every batch norm; dropout, which is none behind cut blocks. */
static void check_published(int k)
{
    tx_network n;
    const char *name = published[k].name;
    for (int cut = 0; cut < 2; cut++) {
        tx_net_choice choice = {.net = tx_net_find(name), .cut = cut, .classes = 1000, .size = 75};
        CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s: %s", name, tx_error_message());
        CHECK(cut || tx_graph_trained(n.graph) == (size_t)published[k].parameters, "%s: %zu parameters", name,
              tx_graph_trained(n.graph));
        int dropouts = 0;
        double p = 0;
        for (int i = 0; i < tx_graph_nodes(n.graph); i++) {
            const tx_node *node = tx_graph_node(n.graph, i);
            const tx_batchnorm_args *a = node->args;
            CHECK(node->op != &tx_op_batchnorm ||
                      (fabs(a->eps - published[k].eps) < 1e-12 && fabs(a->momentum - published[k].momentum) < 1e-12),
                  "%s: %s has eps %g, momentum %g", name, node->name, a->eps, a->momentum);
            if (node->op != &tx_op_dropout)
                continue;
            dropouts++;
            p = ((const tx_dropout_args *)node->args)->p;
        }
        double want = cut ? 0 : published[k].dropout;
        CHECK(dropouts == (want > 0) && fabs(p - want) < 1e-12, "%s, %d cut: %d dropouts, the last with %g", name, cut,
              dropouts, p);
        tx_network_free(&n);
    }
}

static void check_places(void)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        tx_network n;
        tx_net_choice choice = {.net = tx_net_find(places[i].net), .classes = 1, .size = 320};
        CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s: %s", places[i].net, tx_error_message());
        const tx_node *node = node_named(n.graph, places[i].node);
        CHECK(node && node->h == places[i].side && node->w == places[i].side && node->c == places[i].channels,
              "%s, %s: %d x %d x %d", places[i].net, places[i].node, node ? node->h : -1, node ? node->w : -1,
              node ? node->c : -1);
        tx_network_free(&n);
    }
}

/* Stochastic depth stands before the sums alone, with 0.2 i / L of block i of the whole network, cut or not. */
static void check_depth(void)
{
    static const int summed[2][16] = {{2, 4, 6, 7, 9, 10, 12, 13, 14},
                                      {1, 3, 4, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 20, 22}};
    for (int net = 0; net < 2; net++)
        for (int cut = 0; cut < 2; cut++) {
            tx_network n;
            tx_net_choice choice = {
                .net = tx_net_find(net ? "efficientnet_b1" : "efficientnet_b0"), .cut = cut, .classes = 1, .size = 32};
            CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
            int at = 0, right = 1;
            for (int i = 0; i < tx_graph_nodes(n.graph); i++) {
                const tx_node *node = tx_graph_node(n.graph, i);
                if (node->op != &tx_op_stochastic_depth)
                    continue;
                double p = ((const tx_stochastic_depth_args *)node->args)->p;
                right &= at < 16 && fabs(p - 0.2 * summed[net][at] / (net ? 23 : 16)) < 1e-12 &&
                         tx_graph_node(n.graph, i + 1)->op == &tx_op_add &&
                         tx_graph_node(n.graph, i + 1)->input[0] == node;
                at++;
            }
            CHECK(right && at == (net ? cut ? 15 : 16 : 9), "%s, %d cut: %d drops", choice.net->name, cut, at);
            tx_network_free(&n);
        }
}

/* A head with a hidden layer: mean, linear layer, activation, dropout, linear layer, both initialised alike; behind cut blocks
 * the mean and the last one alone. */
static void check_hidden(void)
{
    tx_net_info net = *tx_net_find("mobilenet_v2");
    net.head.hidden = "classifier.0";
    net.head.width = 7;
    net.head.act = TX_ACT_HARDSWISH;
    for (int cut = 0; cut < 2; cut++) {
        tx_graph *g = tx_graph_new();
        tx_net_nodes nodes = tx_net_build(g, tx_input(g, 3, 32, 32), &net, cut, 5);
        CHECK(nodes.logits && nodes.logits->index == tx_graph_nodes(g) - 1, "%s", tx_error_message());
        static const tx_op *const whole[] = {&tx_op_mean, &tx_op_linear, &tx_op_hardswish, &tx_op_dropout,
                                             &tx_op_linear};
        static const tx_op *const last[] = {&tx_op_mean, &tx_op_linear};
        const tx_op *const *want = cut ? last : whole;
        int count = cut ? 2 : 5;
        CHECK(tx_graph_nodes(g) == nodes.features->index + 1 + count, "%d nodes behind the features",
              tx_graph_nodes(g) - nodes.features->index - 1);
        for (int i = 0; i < count; i++)
            CHECK(tx_graph_node(g, nodes.features->index + 1 + i)->op == want[i], "%d cut: node %d of the head", cut,
                  i);
        int hidden = tx_graph_find(g, "classifier.0.weight");
        const tx_param *p = hidden < 0 ? NULL : tx_graph_param(g, hidden);
        CHECK(cut ? !p
                  : p && p->shape[0] == 7 && p->shape[1] == 1280 && p->init.kind == TX_INIT_NORMAL && p->init.a == 0.01,
              "%d cut: the hidden layer", cut);
        CHECK(nodes.logits->input[0]->c == (cut ? 160 : 7), "%d cut: what the last layer reads", cut);
        tx_graph_free(g);
    }
}

/* Rows of padding before the map of depthwise and pooling windows at stride 2, rows and columns each for themselves: one less
 * on even sides, but in NASNet's first cell; behind it half the kernel. So every side n becomes ceil(n / 2). */
static void check_halving(void)
{
    static const int sides[][2] = {{3, 3}, {4, 6}, {5, 9}, {18, 31}, {33, 44}, {71, 93}, {130, 97}};
    for (size_t k = 0; k < sizeof sides / sizeof sides[0]; k++) {
        tx_graph *g = tx_graph_new();
        tx_net_nodes nodes =
            tx_net_build(g, tx_input(g, 3, sides[k][0], sides[k][1]), tx_net_find("nasnet_a_mobile"), 0, 1);
        CHECK(nodes.logits, "%s", tx_error_message());
        int h = (sides[k][0] - 3) / 2 + 1, w = (sides[k][1] - 3) / 2 + 1;
        for (int i = 0; i < 5; i++) {
            static const char *const reduced[5] = {"cell_stem_0", "cell_stem_1", "reduction_cell_0", "reduction_cell_1",
                                                   ""};
            char name[80];
            h = i == 4 ? h : (h + 1) / 2;
            w = i == 4 ? w : (w + 1) / 2;
            snprintf(name, sizeof name, "%s.comb_iter_0_right.separable_1.depthwise_conv2d", reduced[i]);
            const tx_node *node = i == 4 ? nodes.features : node_named(g, name);
            CHECK(node && node->h == h && node->w == w, "%d x %d: %s is %d x %d", sides[k][0], sides[k][1], name,
                  node ? node->h : -1, node ? node->w : -1);
        }
        tx_graph_free(g);
    }
}

/* Concatenations are written by what they join: each with a buffer of its own, they alone would take more. */
static void check_dense_memory(void)
{
    tx_network n;
    tx_net_choice choice = {.net = tx_net_find("densenet121"), .classes = 14, .size = 224};
    CHECK(tx_network_build(&n, &choice, 1, NULL) == TX_OK, "%s", tx_error_message());
    double macs = 0;
    size_t arena = 0, joined = 0;
    CHECK(tx_network_costs(&n, (tx_session_args){.batch = 4, .mode = TX_TRAIN}, &macs, &arena) == TX_OK, "%s",
          tx_error_message());
    for (int i = 0; i < tx_graph_nodes(n.graph); i++) {
        const tx_node *node = tx_graph_node(n.graph, i);
        if (node->op == &tx_op_concat)
            joined += (size_t)4 * (size_t)node->h * (size_t)node->w * (size_t)node->c * sizeof(float);
    }
    CHECK(arena > 0 && arena < joined, "an arena of %zu bytes, the concatenations are %zu", arena, joined);
    tx_network_free(&n);
}

/* Initial values: mean and deviation of a tensor. */
static const struct {
    const char *net;
    int cut;
    const char *name;
    double mean, variance;
} initial[] = {
    {"resnet18", 2, "conv1.weight", 0, 2.0 / (64 * 49)},
    {"resnet18", 2, "layer1.0.conv2.weight", 0, 2.0 / (64 * 9)},
    {"resnet18", 2, "layer2.0.downsample.0.weight", 0, 2.0 / 128},
    {"resnet18", 2, "fc.weight", 0, 1.0 / 128 / 3},
    {"resnet18", 2, "bn1.weight", 1, 0},
    {"resnet18", 2, "bn1.running_var", 1, 0},
    {"resnet18", 2, "bn1.bias", 0, 0},
    {"resnet18", 2, "layer2.1.bn2.running_mean", 0, 0},
    {"densenet121", 0, "features.conv0.weight", 0, 2.0 / (3 * 49)},
    {"densenet121", 0, "features.denseblock1.denselayer2.conv1.weight", 0, 2.0 / 96},
    {"densenet121", 0, "features.denseblock1.denselayer2.conv2.weight", 0, 2.0 / (128 * 9)},
    {"densenet121", 0, "features.transition1.conv.weight", 0, 2.0 / 256},
    {"densenet121", 0, "classifier.weight", 0, 1.0 / 1024 / 3},
    {"densenet121", 0, "classifier.bias", 0, 0},
    {"densenet121", 3, "features.norm5.weight", 1, 0},
    {"densenet121", 3, "classifier.weight", 0, 1.0 / 256 / 3},
    {"densenet121", 3, "classifier.bias", 0, 1.0 / 256 / 3},
    {"inception_v3", 0, "Mixed_5b.branch5x5_2.conv.weight", 0, 0.01},
    {"inception_v3", 0, "fc.weight", 0, 0.01},
    {"inception_v3", 0, "fc.bias", 0, 1.0 / 2048 / 3},
    {"inception_v3", 2, "fc.weight", 0, 1.0 / 288 / 3},
    {"inception_v4", 2, "features.1.conv.weight", 0, 1.0 / (32 * 9) / 3},
    {"inception_v4", 2, "features.4.branch1.1.conv.weight", 0, 1.0 / (64 * 7) / 3},
    {"inception_v4", 2, "last_linear.bias", 0, 1.0 / 384 / 3},
    {"mnasnet1_0", 0, "layers.3.weight", 0, 2.0 / (32 * 9)},
    {"mnasnet1_0", 0, "layers.9.0.layers.3.weight", 0, 2.0 / (72 * 25)},
    {"mnasnet1_0", 0, "classifier.1.weight", 0, 1.0 / 14},
    {"mnasnet1_0", 0, "classifier.1.bias", 0, 0},
    {"efficientnet_b0", 0, "features.2.0.block.1.0.weight", 0, 2.0 / (96 * 9)},
    {"efficientnet_b0", 0, "features.6.1.block.2.fc1.weight", 0, 2.0 / 48},
    {"efficientnet_b0", 0, "features.6.1.block.2.fc2.weight", 0, 2.0 / 1152},
    {"efficientnet_b0", 0, "features.6.1.block.2.fc1.bias", 0, 0},
    {"efficientnet_b0", 0, "features.6.1.block.2.fc2.bias", 0, 0},
    {"efficientnet_b0", 0, "classifier.1.weight", 0, 1.0 / 14 / 3},
    {"efficientnet_b0", 0, "classifier.1.bias", 0, 0},
    {"efficientnet_b0", 1, "classifier.1.weight", 0, 1.0 / 192 / 3},
    {"efficientnet_b0", 1, "classifier.1.bias", 0, 1.0 / 192 / 3},
    {"mobilenet_v2", 0, "features.3.conv.0.0.weight", 0, 2.0 / 144},
    {"mobilenet_v2", 0, "features.3.conv.1.0.weight", 0, 2.0 / (144 * 9)},
    {"mobilenet_v2", 0, "features.3.conv.2.weight", 0, 2.0 / 24},
    {"mobilenet_v2", 0, "classifier.1.weight", 0, 1e-4},
    {"mobilenet_v2", 0, "classifier.1.bias", 0, 0},
    {"mobilenet_v2", 1, "classifier.1.bias", 0, 1.0 / 160 / 3},
    {"mobilenet_v3_large", 0, "features.4.block.2.fc1.weight", 0, 2.0 / 24},
    {"mobilenet_v3_large", 0, "features.4.block.2.fc2.bias", 0, 0},
    {"mobilenet_v3_large", 0, "features.13.block.1.0.weight", 0, 2.0 / (672 * 25)},
    {"mobilenet_v3_large", 0, "classifier.0.weight", 0, 1e-4},
    {"mobilenet_v3_large", 0, "classifier.0.bias", 0, 0},
    {"mobilenet_v3_large", 0, "classifier.3.weight", 0, 1e-4},
    {"mobilenet_v3_large", 1, "classifier.3.bias", 0, 1.0 / 112 / 3},
    {"nasnet_a_mobile", 0, "conv0.conv.weight", 0, 1.0 / 27 / 3},
    {"nasnet_a_mobile", 0, "cell_12.comb_iter_1_left.separable_2.depthwise_conv2d.weight", 0, 1.0 / 25 / 3},
    {"nasnet_a_mobile", 0, "cell_12.comb_iter_1_left.separable_2.pointwise_conv2d.weight", 0, 1.0 / 176 / 3},
    {"nasnet_a_mobile", 0, "cell_12.path_2.conv.weight", 0, 1.0 / 528 / 3},
    {"nasnet_a_mobile", 0, "last_linear.weight", 0, 1.0 / 1056 / 3},
    {"nasnet_a_mobile", 0, "last_linear.bias", 0, 1.0 / 1056 / 3},
    /* and, marked by -1, a whole network whose head is to be trained behind other weights */
    {"mobilenet_v2", -1, "classifier.1.weight", 0, 1.0 / 1280 / 3},
    {"mobilenet_v2", -1, "classifier.1.bias", 0, 1.0 / 1280 / 3},
};

static void check_tensor(const tx_network *n, const tx_weights *w, size_t i)
{
    int at = tx_graph_find(n->graph, initial[i].name);
    CHECK(at >= 0, "there is no %s", initial[i].name);
    const tx_param *p = tx_graph_param(n->graph, at < 0 ? 0 : at);
    double sum = 0, square = 0, m = (double)p->count, most = sqrt(initial[i].variance);
    for (size_t e = 0; e < p->count; e++) {
        sum += (double)tx_weights_param(w, p)[e];
        square += (double)tx_weights_param(w, p)[e] * (double)tx_weights_param(w, p)[e];
    }
    double mean = sum / m, deviation = sqrt(fmax(0, square / m - mean * mean));
    CHECK(fabs(mean - initial[i].mean) <= 5 * most / sqrt(m) && fabs(deviation - most) <= 4 * most / sqrt(m),
          "%s, %s: mean %g, deviation %g, expected %g and %g", initial[i].net, initial[i].name, mean, deviation,
          initial[i].mean, most);
}

static void check_initial(void)
{
    tx_network n = {.graph = NULL};
    tx_weights *w = NULL;
    for (size_t i = 0; i < sizeof initial / sizeof initial[0]; i++) {
        const tx_net_info *net = tx_net_find(initial[i].net);
        if (i == 0 || net != n.choice.net || initial[i].cut != initial[i - 1].cut) {
            tx_weights_free(w);
            tx_network_free(&n);
            tx_net_choice choice = {
                .net = net, .cut = initial[i].cut < 0 ? 0 : initial[i].cut, .classes = 14, .size = 75};
            CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
            CHECK(initial[i].cut >= 0 || tx_network_new_head(&n) == TX_OK, "%s", tx_error_message());
            w = tx_weights_new(n.graph, 0);
            tx_weights_init(w, 1);
        }
        check_tensor(&n, w, i);
    }
    tx_weights_free(w);
    tx_network_free(&n);
}

/* How many batch norms have that eps and momentum; every network has as many with any. */
static int norms_with(const tx_network *n, double eps, double momentum)
{
    int norms = 0;
    for (int i = 0; i < tx_graph_nodes(n->graph); i++) {
        const tx_node *node = tx_graph_node(n->graph, i);
        const tx_batchnorm_args *a = node->args;
        norms += node->op == &tx_op_batchnorm && a->eps == eps && a->momentum == momentum;
    }
    return norms;
}

static void check_norms(void)
{
    tx_network n;
    tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 2, .classes = 14, .size = 32};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    CHECK(norms_with(&n, 1e-5, 0.1) == 10, "%d of 10 batch norms are the network's", norms_with(&n, 1e-5, 0.1));
    CHECK(tx_network_bn_momentum(&n, 0.25) == TX_OK && norms_with(&n, 1e-5, 0.25) == 10, "another momentum");
    CHECK(tx_network_bn_eps(&n, 1e-3) == TX_OK && norms_with(&n, 1e-3, 0.25) == 10, "another eps");
    CHECK(tx_network_bn_eps(&n, 0) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "eps 0, expected more than 0") &&
              norms_with(&n, 1e-3, 0.25) == 10,
          "eps 0: %s", tx_error_message());
    tx_network_free(&n);
    choice.eps = 0.25;
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK && norms_with(&n, 0.25, 0.1) == 10, "eps of a choice");
    tx_network_free(&n);
    choice.eps = -1;
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_ERR_ARGUMENT && !n.graph && strstr(tx_error_message(), "eps -1"),
          "eps -1: %s", tx_error_message());
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
    refuse((tx_net_choice){.net = net, .cut = 5, .classes = 14, .size = 0}, 3, 32, 32,
           "4 final blocks to cut, found 5");
    refuse((tx_net_choice){.net = net, .cut = -1, .classes = 14, .size = 0}, 3, 32, 32, "found -1");
    refuse((tx_net_choice){.net = net, .classes = 0, .size = 0}, 3, 32, 32, "resnet18 with 0 outputs");
    refuse((tx_net_choice){.net = net, .classes = 14, .size = 0}, 2, 32, 32, "found 2 channels of 32 x 32");
    tx_net_info larger = *net;
    larger.smallest = 33;
    refuse((tx_net_choice){.net = &larger, .classes = 14, .size = 0}, 3, 40, 32,
           "at least 33 x 33 pixels, found 3 channels of 40 x 32");
    refuse((tx_net_choice){.net = &larger, .classes = 14, .size = 0}, 3, 32, 40,
           "at least 33 x 33 pixels, found 3 channels of 32 x 40");
    tx_network n;
    CHECK(tx_network_build(&n, &(tx_net_choice){.net = net, .cut = 5, .classes = 14, .size = 32}, 1, NULL) ==
                  TX_ERR_ARGUMENT &&
              !n.graph,
          "a network that cannot be built");
    float weights[14] = {1, 1, -1};
    CHECK(tx_network_build(&n, &(tx_net_choice){.net = net, .cut = 4, .classes = 14, .size = 32}, 1, weights) ==
                  TX_ERR_ARGUMENT &&
              !n.graph,
          "a network whose loss cannot be built");
    long live = tx_alloc_live(), fail = 0;
    tx_status status = TX_ERR_MEMORY;
    for (; status == TX_ERR_MEMORY && fail < 1000; fail++) {
        tx_alloc_fail_after(fail);
        status = tx_network_build(&n, &(tx_net_choice){.net = net, .cut = 3, .classes = 14, .size = 32}, 1, NULL);
        if (status == TX_OK)
            tx_network_free(&n);
        CHECK(tx_alloc_live() == live, "%d blocks are left when allocation %ld fails", (int)(tx_alloc_live() - live),
              fail);
    }
    tx_alloc_fail_after(-1);
    CHECK(status == TX_OK && fail > 30, "status %d after %ld allocations", (int)status, fail);
}

/* One channel: the first convolution's weight has one, and all else is as it was. */
static void check_one_channel(void)
{
    for (int i = 0; i < tx_nets(); i++) {
        const tx_net_info *net = tx_net_at(i);
        int cut = net->blocks, size = net->smallest;
        tx_network one, three;
        CHECK(tx_network_build(&one,
                               &(tx_net_choice){.net = net, .cut = cut, .classes = 2, .size = size, .channels = 1}, 0,
                               NULL) == TX_OK &&
                  tx_network_build(&three, &(tx_net_choice){.net = net, .cut = cut, .classes = 2, .size = size}, 0,
                                   NULL) == TX_OK,
              "%s", tx_error_message());
        int params = one.graph ? tx_graph_params(one.graph) : 0, other = 0;
        for (int k = 0; k < params; k++) {
            const tx_param *a = tx_graph_param(one.graph, k), *b = tx_graph_param(three.graph, k);
            if (a->count == b->count)
                continue;
            other++;
            CHECK(3 * a->count == b->count && a->dims == 4 && a->shape[1] == 1 && b->shape[1] == 3,
                  "%s of one channel: %s", net->name, a->name);
        }
        CHECK(params && tx_graph_params(three.graph) == params && other == 1,
              "%s of one channel: %d tensors of another shape", net->name, other);
        tx_network_free(&one);
        tx_network_free(&three);
    }
    CHECK(tx_net_channels(&(tx_net_choice){0}) == 3 && tx_net_channels(&(tx_net_choice){.channels = 1}) == 1,
          "channels");
    tx_network n;
    CHECK(tx_network_build(&n,
                           &(tx_net_choice){.net = tx_net_find("resnet18"), .classes = 2, .size = 32, .channels = 4}, 0,
                           NULL) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "found 4 channels"),
          "%s", tx_error_message());
}

static void check_registry(void)
{
    CHECK(tx_nets() == NETS, "%d networks", tx_nets());
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
    for (int k = 0; k < NETS; k++)
        check_published(k);
    for (int k = 0; k < NET_ROWS; k++)
        check_row(&net_rows[k]);
    check_places();
    check_depth();
    check_hidden();
    check_halving();
    check_dense_memory();
    check_initial();
    check_norms();
    check_refusals();
    check_one_channel();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("nets_build");
}
