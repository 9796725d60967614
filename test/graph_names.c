/* graph_names.c - scopes: what nodes and parameters are called, names of any length, and what spoils a graph. */
#include "../layers/layers.h"
#include "test.h"

#include <string.h>

static const char *conv(tx_graph *g, tx_node *x, const char *name)
{
    const tx_node *y = tx_conv2d(g, x, name, (tx_conv2d_args){.out = 2, .kernel = 1});
    return y ? y->name : "none";
}

static void check_prefixes(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 4, 4);
    CHECK(strcmp(conv(g, x, "a"), "a") == 0, "before any scope");
    CHECK(tx_graph_enter(g, "layer%d.%s", 12, "x") == TX_OK && strcmp(conv(g, x, "a"), "layer12.x.a") == 0,
          "one scope");
    CHECK(tx_graph_find(g, "layer12.x.a.weight") >= 0 && tx_graph_find(g, "layer12.x.a.bias") >= 0, "its parameters");
    CHECK(tx_graph_enter(g, "%d", 0) == TX_OK && strcmp(conv(g, x, "a"), "layer12.x.0.a") == 0, "one in another");
    CHECK(tx_graph_enter(g, "%s", "") == TX_OK && strcmp(conv(g, x, "b"), "layer12.x.0.b") == 0, "an empty one");
    CHECK(strcmp(conv(g, x, ""), "") == 0 && tx_graph_find(g, "layer12.x.0.weight") >= 0,
          "a node without a name, whose parameters are the scope's");
    CHECK(tx_relu(g, x)->name[0] == 0, "an operation without a name");
    CHECK(tx_graph_leave(g) == TX_OK && strcmp(conv(g, x, "c"), "layer12.x.0.c") == 0, "the empty one is left");
    CHECK(tx_graph_leave(g) == TX_OK && strcmp(conv(g, x, "c"), "layer12.x.c") == 0, "the inner one is left");
    CHECK(tx_graph_leave(g) == TX_OK && strcmp(conv(g, x, "c"), "c") == 0, "all are left");
    CHECK(tx_graph_enter(g, "%s", "") == TX_OK && strcmp(conv(g, x, "d"), "d") == 0, "an empty scope alone");
    CHECK(tx_graph_enter(g, "e") == TX_OK && strcmp(conv(g, x, "d"), "e.d") == 0, "one in an empty one");
    CHECK(tx_graph_leave(g) == TX_OK && tx_graph_leave(g) == TX_OK, "left again");
    CHECK(tx_graph_leave(g) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "no scope was entered"), "'%s'",
          tx_error_message());
    CHECK(tx_graph_status(g) == TX_ERR_ARGUMENT && strcmp(conv(g, x, "f"), "none") == 0, "the graph is spoiled");
    tx_graph_free(g);
}

/* Longer than any buffer that one would make for a name. */
static void check_long(void)
{
    enum { LENGTH = 5000, DEPTH = 40 };
    static char part[LENGTH + 1];
    memset(part, 'p', LENGTH);
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 4, 4);
    for (int i = 0; i < DEPTH; i++)
        tx_graph_enter(g, "%s%d", part, i % 10);
    const char *name = conv(g, x, part);
    CHECK(strlen(name) == DEPTH * (LENGTH + 2) + LENGTH && strncmp(name + DEPTH * (LENGTH + 2) - 2, "9.p", 3) == 0,
          "a name of %d characters has %d", DEPTH * (LENGTH + 2) + LENGTH, (int)strlen(name));
    const char *weight = tx_graph_param(g, 0)->name;
    CHECK(strncmp(weight, name, strlen(name)) == 0 && strcmp(weight + strlen(name), ".weight") == 0, "its weight");
    for (int i = 0; i < DEPTH; i++)
        tx_graph_leave(g);
    CHECK(strcmp(conv(g, x, "a"), "a") == 0, "left again");
    tx_graph_free(g);
}

static void check_refusals(void)
{
    CHECK(tx_graph_enter(NULL, "a") == TX_ERR_ARGUMENT && tx_graph_leave(NULL) == TX_ERR_ARGUMENT, "no graph");
    tx_graph *g = tx_graph_new();
    const char *nothing = NULL;
    CHECK(tx_graph_enter(g, nothing) == TX_ERR_ARGUMENT && tx_graph_status(g) == TX_ERR_ARGUMENT, "no name");
    CHECK(tx_graph_enter(g, "a") == TX_ERR_ARGUMENT && tx_graph_leave(g) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "tx_graph_enter: no name"),
          "in a spoiled graph: '%s'", tx_error_message());
    tx_graph_free(g);
    /* two parameters of one name: the same layer twice in a scope, but not in two */
    g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 4, 4);
    for (int i = 0; i < 2; i++) {
        tx_graph_enter(g, "%d", i);
        conv(g, x, "a");
        tx_graph_leave(g);
    }
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    tx_graph_enter(g, "0");
    CHECK(strcmp(conv(g, x, "a"), "none") == 0 && strstr(tx_error_message(), "two parameters of the name 0.a.weight"),
          "'%s'", tx_error_message());
    tx_graph_free(g);
    long live = tx_alloc_live();
    tx_status status = TX_ERR_MEMORY;
    for (long fail = 0; status == TX_ERR_MEMORY && fail < 100; fail++) {
        tx_alloc_fail_after(fail);
        g = tx_graph_new();
        tx_graph_enter(g, "outer");
        tx_graph_enter(g, "a rather long name, so that the room for names grows: %100d", 1);
        conv(g, tx_input(g, 3, 4, 4), "a");
        tx_graph_leave(g);
        status = g ? tx_graph_status(g) : TX_ERR_MEMORY;
        tx_graph_free(g);
        CHECK(tx_alloc_live() == live, "%ld blocks are left when allocation %ld fails", tx_alloc_live() - live, fail);
    }
    tx_alloc_fail_after(-1);
    CHECK(status == TX_OK, "%s", tx_error_message());
}

int main(void)
{
    check_prefixes();
    check_long();
    check_refusals();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_names");
}
