/* command_nets.c - `thorax nets`: the networks of the registry and their sizes. */
#include "bench.h"
#include "table.h"

#include <math.h>
#include <stdio.h>

typedef struct net_row {
    size_t parameters_14, parameters_1000;
    double gmacs;
} net_row;

enum { SIZE = 320 };

static tx_status count(const tx_net_info *net, net_row *row)
{
    for (int pass = 0; pass < 2; pass++) {
        tx_net_choice choice = {.net = net, .classes = pass ? 1000 : 14, .size = SIZE};
        tx_network n;
        size_t arena;
        tx_status status = tx_network_build(&n, &choice, 0, NULL);
        if (status)
            return status;
        *(pass ? &row->parameters_1000 : &row->parameters_14) = tx_graph_trained(n.graph);
        if (pass == 0)
            status = tx_network_costs(&n, (tx_session_args){.batch = 1}, &row->gmacs, &arena);
        tx_network_free(&n);
        if (status)
            return status;
    }
    row->gmacs /= 1e9;
    return TX_OK;
}

static void add_row(table *t, const tx_net_info *net, const net_row *row)
{
    table_cell(t, "%s", net->name);
    table_cell(t, "%s", net->family);
    table_cell(t, "%zu", row->parameters_14);
    table_cell(t, "%zu", row->parameters_1000);
    table_number(t, row->gmacs, 3);
    table_cell(t, "%d", net->smallest);
    table_number(t, net->top1, 3);
    table_row(t);
}

static void add_heads(table *t)
{
    static const char *const heads[] = {"name", "family", "params (14)", "params (1000)", "GMACs", "least", "top-1"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_cell(t, "%s", heads[i]);
    table_row(t);
}

static void print_json_row(json *j, const tx_net_info *net, const net_row *row)
{
    json_open(j, NULL, '{');
    json_string(j, "name", net->name);
    json_string(j, "family", net->family);
    json_whole(j, "parameters_14", (long long)row->parameters_14);
    json_whole(j, "parameters_1000", (long long)row->parameters_1000);
    json_real(j, "gmacs", row->gmacs);
    json_whole(j, "size", SIZE);
    json_whole(j, "smallest", net->smallest);
    json_real(j, "top1", net->top1);
    json_whole(j, "blocks", net->blocks);
    json_close(j, '}');
}

int command_nets(const options *o)
{
    int as_json = option_on(o, "json");
    json j = {0};
    table t = {.align = "llrrrrr"};
    work_begins();
    if (as_json) {
        json_open(&j, NULL, '{');
        json_open(&j, "nets", '[');
    } else {
        add_heads(&t);
    }
    for (int i = 0; i < tx_nets(); i++) {
        net_row row;
        if (count(tx_net_at(i), &row)) {
            table_free(&t);
            return complain_failed();
        }
        if (as_json)
            print_json_row(&j, tx_net_at(i), &row);
        else
            add_row(&t, tx_net_at(i), &row);
    }
    if (as_json) {
        json_close(&j, ']');
        json_close(&j, '}');
        json_end();
    }
    return table_print(&t, stdout) ? complain_failed() : EXIT_DONE;
}
