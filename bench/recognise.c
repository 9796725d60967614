/* recognise.c - which network's weights a file holds: by its tensors' names and shapes, else by its own name. */
#include "recognise.h"
#include "message.h"
#include "words.h"
#include "xrv.h"

#include <stdio.h>
#include <string.h>

tx_tensor_file *weights_open(const char *path)
{
    char escaped[TX_TEXT];
    tx_tensor_file *file = tx_tensor_file_open(path);
    const char *format = file ? tx_tensor_file_meta(file, "format") : NULL;
    if (!file || strncmp(last_part(path), "tf_", 3) || (format && strcmp(format, TX_CHECKPOINT_FORMAT) == 0))
        return file;
    tx_tensor_file_close(file);
    tx_fail(TX_ERR_FORMAT,
            "%s: by its name (tf_) for a network with TensorFlow's padding, which this version does not have",
            tx_escape(escaped, sizeof escaped, path));
    return NULL;
}

static tx_checkpoint_names names_of(const tx_net_choice *choice)
{
    return (tx_checkpoint_names){
        .other = tx_net_other_name, .context = choice, .beside = xrv_beside, .ignored = choice->net->ignored};
}

tx_status net_checkpoint(const char *path, const tx_net_choice *choice, tx_weights *weights, int flags,
                         tx_checkpoint_report *report)
{
    tx_tensor_file *file = weights_open(path);
    if (!file)
        return tx_error_status();
    const tx_checkpoint_names names = names_of(choice);
    tx_status status = tx_checkpoint_read(file, weights, flags, &names, report);
    tx_tensor_file_close(file);
    return status;
}

/* The file's weight of the network's first convolution, or NULL. */
static const tx_stored *first_convolution(const tx_tensor_file *file, const tx_net_choice *choice)
{
    tx_network n;
    const tx_checkpoint_names names = names_of(choice);
    const tx_stored *t = NULL;
    if (tx_network_build(&n, choice, 0, NULL))
        return NULL;
    for (int i = 0; i < tx_graph_params(n.graph); i++)
        if (tx_graph_param(n.graph, i)->dims == 4) {
            tx_checkpoint_find(file, &names, tx_graph_param(n.graph, i)->name, &t);
            break;
        }
    tx_network_free(&n);
    return t && t->dims == 4 ? t : NULL;
}

int net_channels(const tx_tensor_file *file, const tx_net_choice *choice)
{
    const tx_stored *t = first_convolution(file, choice);
    return t && t->shape[1] == 1 ? 1 : 3;
}

/* How the file's tensors are those of the network, whatever its number of outputs. TX_OK: they all are, and no others. */
static tx_status compare(const tx_tensor_file *file, tx_net_choice *choice, tx_checkpoint_report *report)
{
    tx_network n;
    choice->classes = 1;
    choice->size = choice->net->smallest;
    memset(report, 0, sizeof *report);
    tx_status status = tx_network_build(&n, choice, 0, NULL);
    if (status)
        return status;
    const tx_checkpoint_names names = names_of(choice);
    status = tx_checkpoint_compare(file, n.graph, TX_CHECKPOINT_NEW_HEAD, &names, report);
    if (status == TX_OK && (report->outputs_in_file == 0 || report->features_in_file != (size_t)n.features->c))
        status = choice->net->head.hidden && !choice->cut && report->outputs_in_file &&
                         report->features_in_file == (size_t)choice->net->head.width
                     ? TX_OK
                     : tx_fail(TX_ERR_FORMAT, "%s: its last layer is not that of %s", tx_tensor_file_name(file),
                               choice->net->name);
    tx_network_free(&n);
    return status;
}

/* By the names of the tensors, which wrappers may have put something before. */
static double eps_by_names(const tx_tensor_file *file, const tx_net_info *net)
{
    double eps = 0;
    for (size_t i = 0; i < tx_tensor_file_count(file) && eps == 0; i++)
        for (const char *p = tx_tensor_file_at(file, i)->name, *dot; p && eps == 0; p = dot ? dot + 1 : NULL) {
            eps = tx_net_eps_by_name(net, p);
            dot = strchr(p, '.');
        }
    return eps;
}

double net_eps(const tx_tensor_file *file, const tx_net_info *net)
{
    double eps = 0;
    const char *says = tx_tensor_file_meta(file, "eps");
    if (says && tx_number_parse(says, &eps) == 0 && eps > 0 && eps <= 1)
        return eps;
    return eps_by_names(file, net);
}

int net_outputs(const tx_tensor_file *file, tx_net_choice *choice)
{
    tx_checkpoint_report report;
    choice->eps = net_eps(file, choice->net);
    choice->channels = 0;
    choice->classes = 1;
    choice->size = choice->net->smallest;
    choice->channels = net_channels(file, choice);
    compare(file, choice, &report);
    return report.outputs_in_file <= 1000000 ? (int)report.outputs_in_file : 0;
}

/* ------------------------------------------------------------------------------------------ by tensors */
/* The next of the networks from number *net, with *cut blocks cut, on that the file is of; 0: none. */
static int next_fit(const tx_tensor_file *file, const tx_net_info *asked, long wanted, int *net, int *cut,
                    tx_net_choice *choice)
{
    tx_checkpoint_report report;
    for (; *net < tx_nets(); ++*net, *cut = 0) {
        const tx_net_info *info = tx_net_at(*net);
        *choice = (tx_net_choice){.net = info, .cut = info->blocks, .classes = 1, .size = info->smallest};
        const tx_stored *first = asked && asked != info ? NULL : first_convolution(file, choice);
        if (!first)
            continue;
        choice->channels = first->shape[1] == 1 ? 1 : 3;
        for (; *cut <= info->blocks; ++*cut) {
            choice->cut = *cut;
            if ((wanted >= 0 && wanted != *cut) || compare(file, choice, &report) || report.outputs_in_file > 1000000)
                continue;
            choice->classes = (int)report.outputs_in_file;
            ++*cut;
            return 1;
        }
    }
    return 0;
}

/* Whether the name begins with those words, whole. */
static int begins(const char *name, const char *with)
{
    size_t n = with ? strlen(with) : 0;
    return n && strncmp(name, with, n) == 0 && (!name[n] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789", name[n]));
}

const tx_net_info *net_named(const char *path)
{
    const char *name = last_part(path);
    for (int i = 0; i < tx_nets(); i++)
        if (begins(name, tx_net_at(i)->name) || begins(name, tx_net_at(i)->timm))
            return tx_net_at(i);
    return tx_net_of_file(name);
}

/* What does not fit in a file that is said to hold a network. */
static int misfit(const tx_tensor_file *file, const tx_net_info *net, long cut)
{
    tx_checkpoint_report report;
    tx_net_choice choice = {.net = net, .cut = cut > 0 ? (int)cut : 0, .classes = 1, .size = net->smallest};
    choice.channels = net_channels(file, &choice);
    compare(file, &choice, &report);
    return complain(EXIT_FAILED, "not %s's weights: %s", net->name, tx_error_message());
}

int recognise(const tx_tensor_file *file, const char *path, const tx_net_info *asked, long cut, tx_net_choice *choice)
{
    char escaped[TX_TEXT], one[64], two[64];
    int net = 0, k = 0;
    const tx_net_info *named = net_named(path);
    tx_net_choice next, rival = {.net = NULL};
    tx_escape(escaped, sizeof escaped, path);
    if (!next_fit(file, asked, cut, &net, &k, choice)) {
        if (asked || named)
            return misfit(file, asked ? asked : named, cut);
        return complain(EXIT_FAILED, "%s: its tensors are those of no network that this version has; --net says which",
                        escaped);
    }
    /* Networks of one family with the same tensors are the same; of two they are not, as tensors do not tell activations. */
    while (next_fit(file, asked, cut, &net, &k, &next)) {
        if (next.net == named && choice->net != named)
            *choice = next;
        if (strcmp(next.net->family, choice->net->family))
            rival = next;
    }
    if (rival.net && choice->net != named)
        return complain(EXIT_FAILED, "%s: its tensors are those of %s and of %s; --net and --cut say which", escaped,
                        tx_net_choice_name(choice, one), tx_net_choice_name(&rival, two));
    return EXIT_DONE;
}

/* ------------------------------------------------------------------------------------------- published */
/* Whether the file is what its name says. */
static int holds(const char *path, const tx_net_info *net)
{
    int at = 0, cut = 0;
    tx_net_choice choice;
    tx_tensor_file *file = weights_open(path);
    int fits = file && next_fit(file, net, 0, &at, &cut, &choice);
    tx_tensor_file_close(file);
    return fits;
}

/* The first file among the names that begins so and holds the network, .pth before .safetensors. *other, if it is NULL
 * yet: the first that begins so and does not, the caller's. */
static tx_status find_called(const char *folder, char **names, size_t count, const tx_net_info *net, const char *begin,
                             size_t n, char **path, char **other)
{
    static const char *const ending[] = {".pth", ".safetensors"};
    for (size_t e = 0; e < sizeof ending / sizeof ending[0]; e++)
        for (size_t i = 0; i < count; i++) {
            if (strncmp(names[i], begin, n) || !ends_in(names[i], ending[e]))
                continue;
            *path = tx_path_join(folder, names[i]);
            if (!*path)
                return TX_ERR_MEMORY;
            if (holds(*path, net))
                return TX_OK;
            if (*other)
                tx_free(*path);
            else
                *other = *path;
            *path = NULL;
        }
    return TX_OK;
}

/* The network's file among the names: of several that fit the one whose beginning its list has first; where that has none,
 * one that is called by the network's own name. */
static tx_status find_file(const char *folder, char **names, size_t count, const tx_net_info *net, char **path,
                           char **other)
{
    tx_status status = TX_OK;
    *path = NULL;
    for (const char *p = net->file; status == TX_OK && !*path && p && *p; p += strspn(p, "|")) {
        size_t n = strcspn(p, "|");
        status = find_called(folder, names, count, net, p, n, path, other);
        p += n;
    }
    const char after[] = ".-_";
    for (size_t i = 0; status == TX_OK && !*path && after[i]; i++) {
        char begin[TX_NEAR_NAME];
        snprintf(begin, sizeof begin, "%s%c", net->name, after[i]);
        status = find_called(folder, names, count, net, begin, strlen(begin), path, other);
    }
    return status;
}

/* Why a folder has no weights of the network. other: a file whose name says that it has them; may be NULL. */
static void say_unfound(const char *folder, const tx_net_info *net, const char *other)
{
    char escaped[TX_TEXT];
    tx_escape(escaped, sizeof escaped, net && other ? other : folder);
    if (!net) {
        tx_fail(TX_ERR_FILE,
                "%s: no checkpoint in this folder, expected one of a run (checkpoints/step-*.safetensors) or published "
                "weights",
                escaped);
    } else if (!other) {
        tx_fail(TX_ERR_FILE,
                "%s: no checkpoint in this folder, expected one of a run (checkpoints/step-*.safetensors) or published "
                "weights of %s (%.*s*.pth or .safetensors)",
                escaped, net->name, (int)strcspn(net->file ? net->file : "", "|"), net->file ? net->file : "");
    } else {
        tx_tensor_file *file = weights_open(other);
        if (file)
            tx_fail(TX_ERR_FORMAT, "%s: expected the weights of %s, which its name says, found other tensors", escaped,
                    net->name);
        tx_tensor_file_close(file);
    }
}

char *published_find(const char *folder, const tx_net_info *net)
{
    char escaped[TX_TEXT], **names, *found = NULL, *path, *other = NULL;
    size_t count;
    const tx_net_info *of = NULL;
    tx_status status = tx_folder_list(folder, &names, &count);
    if (status)
        return NULL;
    tx_escape(escaped, sizeof escaped, folder);
    for (int i = 0; status == TX_OK && i < tx_nets(); i++) {
        if (net && net != tx_net_at(i))
            continue;
        status = find_file(folder, names, count, tx_net_at(i), &path, &other);
        if (status || !path)
            continue;
        if (found)
            status = tx_fail(TX_ERR_FILE, "%s: weights of %s and of %s; --net says which", escaped, of->name,
                             tx_net_at(i)->name);
        tx_free(found);
        found = path;
        of = tx_net_at(i);
    }
    tx_folder_names_free(names, count);
    if (status == TX_OK && !found)
        say_unfound(folder, net, other);
    tx_free(other);
    if (status) {
        tx_free(found);
        found = NULL;
    }
    return found;
}
