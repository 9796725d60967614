/* command_convert.c - `thorax convert`: weights from one file to another, by name. */
#include "bench.h"
#include "../core/op.h"
#include "model.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

typedef struct conversion {
    const options *o;
    const char *out;
    model from;
    tx_net_choice to;
    int torch, timm; /* the form of what is written */
    tx_network net;
    tx_weights *weights;
    settings meta;
    tx_checkpoint_report report;
} conversion;

/* What is to be written, and as what. */
static int check_usage(conversion *c)
{
    char escaped[TX_TEXT];
    c->torch = ends_in(c->out, ".pth") || ends_in(c->out, ".pt");
    if (!c->torch && !ends_in(c->out, ".safetensors"))
        return complain(EXIT_USAGE, "%s: expected a name that ends in .pth, .pt or .safetensors",
                        tx_escape(escaped, sizeof escaped, c->out));
    c->timm = strcmp(option_text(c->o, "names"), "timm") == 0;
    return EXIT_DONE;
}

/* The network of the file that is written: the one that is read, with more blocks cut or other outputs where that is
 * wanted. */
static int choose_target(conversion *c)
{
    char escaped[TX_TEXT], name[64];
    const options *o = c->o;
    c->to = c->from.choice;
    if (option_given(o, "cut"))
        c->to.cut = (int)option_whole(o, "cut");
    if (option_given(o, "classes"))
        c->to.classes = (int)option_whole(o, "classes");
    c->to.size = c->to.net->smallest;
    if (net_choice_check(&c->to) != EXIT_DONE)
        return EXIT_USAGE;
    if (c->to.cut < c->from.choice.cut)
        return complain(EXIT_FAILED, "%s: holds %s, whose cut blocks --cut %d would need",
                        tx_escape(escaped, sizeof escaped, c->from.file[0]), tx_net_choice_name(&c->from.choice, name),
                        c->to.cut);
    if (c->timm && !c->to.net->timm)
        return complain(EXIT_FAILED, "--names timm: timm does not have %s", c->to.net->name);
    return EXIT_DONE;
}

static tx_status read_weights(conversion *c)
{
    int cut = c->to.cut > c->from.choice.cut, other = cut || c->to.classes != c->from.choice.classes;
    int flags = (other ? TX_CHECKPOINT_NEW_HEAD : 0) | (cut ? TX_CHECKPOINT_EXTRA : 0) |
                (option_on(c->o, "partial") ? TX_CHECKPOINT_PARTIAL : 0);
    tx_status status = tx_network_build(&c->net, &c->to, 0, NULL);
    if (status == TX_OK && other)
        status = tx_network_new_head(&c->net);
    c->weights = status == TX_OK ? tx_weights_new(c->net.graph, 0) : NULL;
    status = status ? status : c->weights ? tx_weights_init(c->weights, option_seed(c->o, "seed")) : TX_ERR_MEMORY;
    return status ? status : net_checkpoint(c->from.file[0], &c->to, c->weights, flags, &c->report);
}

/* eps of the batch norms of the network that is written. */
static double eps_of(const conversion *c)
{
    for (int i = 0; i < tx_graph_nodes(c->net.graph); i++) {
        const tx_node *node = tx_graph_node(c->net.graph, i);
        if (node->op == &tx_op_batchnorm)
            return ((const tx_batchnorm_args *)node->args)->eps;
    }
    return 0;
}

/* Whether the network has another eps in timm than in torchvision: files say then which of them the weights want. */
static int eps_differs(const conversion *c)
{
    for (const tx_net_alias *row = c->to.net->timm_alias; row && row->name; row++)
        if (row->eps > 0)
            return 1;
    return 0;
}

/* What the file that is written carries: what the other did, as far as it still holds. */
static tx_status carry(conversion *c)
{
    static const char *const ours[] = {"format",     "net",  "cut",   "seal",     "tasks",
                                       "op_threshs", "step", "score", "selection"};
    int same = c->to.cut == c->from.choice.cut && c->to.classes == c->from.choice.classes;
    char number[TX_NUMBER];
    tx_status status = settings_set(&c->meta, "net", c->to.net->name);
    if (status == TX_OK)
        status = settings_format(&c->meta, "cut", "%d", c->to.cut);
    if (status == TX_OK && eps_differs(c))
        status = settings_set(&c->meta, "eps", tx_number_shortest(number, sizeof number, eps_of(c)));
    for (size_t i = 0; status == TX_OK && i < c->from.carried.count; i++) {
        const tx_pair *p = &c->from.carried.pair[i];
        size_t k = 0, most = same ? 4 : sizeof ours / sizeof ours[0];
        while (k < most && strcmp(p->key, ours[k]))
            k++;
        if (k == most)
            status = settings_set(&c->meta, p->key, p->value);
    }
    return status;
}

static tx_status timm_name(const void *context, const char *name, char **text, int *dims)
{
    const tx_net_choice *choice = context;
    tx_status status = tx_net_timm_name(choice, name, text);
    /* The layer before the last one is a 1x1 convolution there. */
    if (status == TX_OK && *dims == 2 && strcmp(*text, "conv_head.weight") == 0)
        *dims = 4;
    return status;
}

/* What others than this program will not find as it was, or in it. */
static void say_differences(const conversion *c)
{
    char number[TX_NUMBER];
    if (c->report.replaced)
        say("%s: the file has %zu outputs, the new last layer has %d", c->report.replaced, c->report.outputs_in_file,
            c->to.classes);
    if (c->report.renamed)
        say("%s: found by its shape, as the file calls it otherwise", c->report.renamed);
    if (option_on(c->o, "partial") && c->report.unmatched[0])
        say("did not match: %s", c->report.unmatched);
    else if (c->report.extra)
        say("%zu tensors of the blocks that are cut were passed over", c->report.extra);
    if (eps_differs(c) && c->timm == (c->to.eps == 0))
        say("its batch norms have eps %s, %s's %s has another: it gives other logits there",
            tx_number_shortest(number, sizeof number, eps_of(c)), c->timm ? "timm" : "torchvision",
            c->timm ? c->to.net->timm : c->to.net->name);
    if (c->timm && c->to.cut)
        say("timm has no truncated networks: the names are those of its %s without the last blocks", c->to.net->timm);
    const settings *from = &c->from.carried;
    if (c->torch && (settings_get(from, "format") || settings_get(from, "tasks") || settings_get(from, "op_threshs")))
        say("a .pth file carries weights alone: how images come to the network and its tasks are not in it");
}

static int write_weights(conversion *c)
{
    char name[64], out[TX_TEXT];
    const tx_checkpoint_form form = {.torch = c->torch, .called = c->timm ? timm_name : NULL, .context = &c->to};
    if (tx_checkpoint_write(c->out, c->weights, c->meta.pair, c->meta.count, &form))
        return complain_failed();
    printf("%s: %s, %d outputs, %d tensors with %s names\n", tx_escape(out, sizeof out, c->out),
           tx_net_choice_name(&c->to, name), c->to.classes, tx_graph_params(c->net.graph),
           c->timm ? "timm's" : "torchvision's");
    return EXIT_DONE;
}

static int convert(conversion *c)
{
    int code = check_usage(c);
    if (code == EXIT_DONE)
        code = model_open_any(&c->from, c->o->argument[0], c->o);
    if (code == EXIT_DONE)
        code = choose_target(c);
    if (code != EXIT_DONE)
        return code;
    if (read_weights(c) || carry(c))
        return complain_failed();
    say_differences(c);
    work_begins();
    return write_weights(c);
}

int command_convert(const options *o)
{
    conversion c = {.o = o, .out = o->argument[1]};
    int code = convert(&c);
    tx_weights_free(c.weights);
    tx_network_free(&c.net);
    settings_free(&c.meta);
    model_free(&c.from);
    return code;
}
