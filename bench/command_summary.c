/* command_summary.c - `thorax summary NET`: a row a layer, the planned memory to the byte, and what a step moves. */
#include "bench.h"
#include "../core/op.h"
#include "model.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

typedef struct summary {
    tx_network net;
    tx_plan *plan;
    int batch;
    tx_mode mode;
    size_t parameters, buffers;
    double macs, forward, backward; /* bytes that a step moves */
    double stream;                  /* bytes of all that batch norms read, once */
} summary;

/* What computes a node: its algorithm, or that it happens within another step. */
static const char *algorithm_of(const summary *s, const tx_node *node)
{
    const tx_workspace *need = tx_plan_workspace(s->plan, node);
    return !need ? "joined" : need->algorithm ? need->algorithm : "direct";
}

static tx_status print_layers(const summary *s)
{
    table t = {.align = "lllrrl"};
    static const char *const head[] = {"name", "op", "H,W,C", "parameters", "MACs", "algorithm"};
    for (int i = 0; i < 6; i++)
        table_cell(&t, "%s", head[i]);
    table_row(&t);
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        const tx_node *node = tx_graph_node(s->net.graph, i);
        const tx_workspace *need = tx_plan_workspace(s->plan, node);
        char shown[LAYER_NAME];
        table_cell(&t, "%s", layer_name(shown, node->name, 22));
        table_cell(&t, "%s", tx_node_operation(node));
        table_cell(&t, "%d,%d,%d", node->h, node->w, node->c);
        table_cell(&t, "%zu", tx_node_parameters(node));
        table_number(&t, need ? need->macs : 0, 0);
        table_cell(&t, "%s", algorithm_of(s, node));
        table_row(&t);
    }
    return table_print(&t, stdout);
}

static tx_status print_table(const summary *s)
{
    char name[64];
    printf("%s, %d outputs, %d x %d pixels, batch %d, %s\n\n", tx_net_choice_name(&s->net.choice, name),
           s->net.choice.classes, s->net.choice.size, s->net.choice.size, s->batch,
           s->mode == TX_TRAIN ? "train" : "infer");
    tx_status status = print_layers(s);
    printf("\nparameters   %13zu\n", s->parameters);
    printf("MACs an image%13.0f (%.3f GMACs)\n", s->macs, s->macs / 1e9);
    printf("arena        %13zu bytes (%.1f MiB: activations, gradients, scratch)\n", tx_plan_bytes(s->plan),
           (double)tx_plan_bytes(s->plan) / 1048576);
    size_t copies = s->mode == TX_TRAIN ? 4 : 1;
    size_t state = 4 * (copies * s->parameters + s->buffers);
    printf("weights      %13zu bytes (%.1f MiB%s)\n", state, (double)state / 1048576,
           s->mode == TX_TRAIN ? ": values, gradients, Adam's moments" : "");
    printf("moved        %13.0f bytes (%.2f GB forward, %.2f GB backward)\n", s->forward + s->backward,
           1e-9 * s->forward, 1e-9 * s->backward);
    if (s->stream > 0)
        printf("streams      %13.2f of %.0f bytes: what batch norms read, once\n",
               (s->forward + s->backward) / s->stream, s->stream);
    return status;
}

static void print_json(const summary *s)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "net", s->net.choice.net->name);
    json_whole(&j, "cut", s->net.choice.cut);
    json_whole(&j, "classes", s->net.choice.classes);
    json_whole(&j, "size", s->net.choice.size);
    json_whole(&j, "batch", s->batch);
    json_string(&j, "mode", s->mode == TX_TRAIN ? "train" : "infer");
    json_whole(&j, "parameters", (long long)s->parameters);
    json_real(&j, "macs", s->macs);
    json_whole(&j, "arena_bytes", (long long)tx_plan_bytes(s->plan));
    json_whole(&j, "forward_bytes", (long long)s->forward);
    json_whole(&j, "backward_bytes", (long long)s->backward);
    json_whole(&j, "stream_bytes", (long long)s->stream);
    json_open(&j, "layers", '[');
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        const tx_node *node = tx_graph_node(s->net.graph, i);
        const tx_workspace *need = tx_plan_workspace(s->plan, node);
        tx_cost cost = {0};
        json_open(&j, NULL, '{');
        json_string(&j, "name", node->name);
        json_string(&j, "op", tx_node_operation(node));
        json_open(&j, "shape", '[');
        json_whole(&j, NULL, node == s->net.loss ? 1 : s->batch);
        json_whole(&j, NULL, node->h);
        json_whole(&j, NULL, node->w);
        json_whole(&j, NULL, node->c);
        json_close(&j, ']');
        json_whole(&j, "parameters", (long long)tx_node_parameters(node));
        json_real(&j, "macs", need ? need->macs : 0);
        tx_plan_cost(s->plan, node, &cost);
        json_whole(&j, "forward_bytes", (long long)cost.bytes_forward);
        json_whole(&j, "backward_bytes", (long long)cost.bytes_backward);
        json_string(&j, "algorithm", algorithm_of(s, node));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
}

/* What stands below the table. */
static tx_status add_up(summary *s)
{
    const tx_graph *g = s->net.graph;
    s->parameters = tx_graph_trained(g);
    for (int i = 0; i < tx_graph_params(g); i++)
        if (tx_graph_param(g, i)->role == TX_ROLE_BUFFER)
            s->buffers += tx_graph_param(g, i)->count;
    for (int i = 0; i < tx_graph_nodes(g); i++) {
        const tx_node *node = tx_graph_node(g, i);
        const tx_workspace *need = tx_plan_workspace(s->plan, node);
        tx_cost cost;
        tx_status status = tx_plan_cost(s->plan, node, &cost);
        if (status)
            return status;
        s->macs += need ? need->macs : 0;
        s->forward += cost.bytes_forward;
        s->backward += cost.bytes_backward;
        if (node->op == &tx_op_batchnorm)
            s->stream += (double)TX_ELEMENT * s->batch * node->h * node->w * node->c;
    }
    return TX_OK;
}

/* The network that the argument names, or that of the RUN or weights file that it names. */
static int choose(const options *o, tx_net_choice *choice)
{
    char escaped[TX_TEXT], near[TX_HINT];
    const char *name = o->argument[0];
    *choice = (tx_net_choice){.net = tx_net_find(name),
                              .cut = (int)option_whole(o, "cut"),
                              .classes = (int)option_whole(o, "classes"),
                              .size = (int)option_whole(o, "size")};
    if (choice->net)
        return net_choice_check(choice);
    if (!tx_path_exists(name))
        return complain(EXIT_USAGE, "unknown network '%s'%s (thorax nets lists them)",
                        tx_escape(escaped, sizeof escaped, name),
                        tx_nearest_hint(near, name, tx_nets(), net_name, NULL));
    model m;
    int code = model_open(&m, name, o);
    *choice = m.choice;
    if (code == EXIT_DONE && option_given(o, "classes") && option_whole(o, "classes") != choice->classes)
        code = complain(EXIT_FAILED, "%s: has %d outputs, but --classes says %ld", m.file[0], choice->classes,
                        option_whole(o, "classes"));
    model_free(&m);
    return code;
}

int command_summary(const options *o)
{
    tx_net_choice choice;
    int code = choose(o, &choice);
    if (code != EXIT_DONE)
        return code;
    summary s = {.batch = (int)option_whole(o, "batch")};
    s.mode = strcmp(option_text(o, "mode"), "train") == 0 ? TX_TRAIN : TX_INFER;
    if (tx_network_build(&s.net, &choice, s.mode == TX_TRAIN, NULL))
        return complain_failed();
    s.plan = tx_plan_new(s.net.graph, (tx_session_args){.batch = s.batch, .mode = s.mode});
    if (!s.plan) {
        tx_network_free(&s.net);
        return complain_failed();
    }
    work_begins();
    tx_status status = add_up(&s);
    if (status == TX_OK && option_on(o, "json"))
        print_json(&s);
    else if (status == TX_OK)
        status = print_table(&s);
    tx_plan_free(s.plan);
    tx_network_free(&s.net);
    return status ? complain_failed() : EXIT_DONE;
}
