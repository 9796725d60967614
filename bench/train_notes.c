/* train_notes.c - what a training says of its numbers before it begins: lengths that nothing reaches, a batch of one. */
#include "effects.h"
#include "trainer.h"
#include "../layers/layers.h"

/* "--states N": the option as it was meant, 0 if nobody did. */
static uint64_t meant(const trainer *t, const char *name)
{
    return option_meant(t->o, name) ? (uint64_t)option_whole(t->o, name) : 0;
}

static void note_images(const trainer *t)
{
    uint64_t limit = meant(t, "limit"), overfit = meant(t, "overfit"), batch = (uint64_t)option_whole(t->o, "batch");
    if (limit && overfit && limit >= overfit)
        say("--limit %llu has no effect with --overfit %llu", (unsigned long long)limit, (unsigned long long)overfit);
    else if (limit > t->images && !overfit)
        say("--limit %llu has no effect: there are %zu training images", (unsigned long long)limit, t->images);
    if (overfit > t->images)
        say("--overfit %llu: there are %zu training images", (unsigned long long)overfit, t->images);
    if (batch > t->images)
        say("--batch %llu: the %zu training images are one batch", (unsigned long long)batch, t->images);
}

static void note_lengths(const trainer *t)
{
    static const char *const every[] = {"states", "digest-every"};
    uint64_t warmup = meant(t, "warmup"), evaluate = meant(t, "eval-every"), examples = trainer_examples(t, t->total);
    if (warmup > t->total)
        say("--warmup %llu: the learning rate does not reach --lr in %llu steps", (unsigned long long)warmup,
            (unsigned long long)t->total);
    if (evaluate > examples)
        say("--eval-every %llu has no effect: the run has %llu examples", (unsigned long long)evaluate,
            (unsigned long long)examples);
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++)
        if (meant(t, every[i]) > t->total)
            say("--%s %llu has no effect: the run has %llu steps", every[i], (unsigned long long)meant(t, every[i]),
                (unsigned long long)t->total);
}

/* The first batch norm that sees one value a channel when a batch is one image, or NULL. */
static const tx_node *single_norm(const tx_graph *g)
{
    for (int i = 0; i < tx_graph_nodes(g); i++) {
        const tx_node *node = tx_graph_node(g, i);
        if (node->op == &tx_op_batchnorm && node->h == 1 && node->w == 1)
            return node;
    }
    return NULL;
}

void trainer_note_single(const trainer *t)
{
    const tx_node *node = single_norm(t->fitted.graph);
    if (node)
        say_once("a batch of one image: %s normalises one value a channel to 0, so it passes on its bias alone and its "
                 "running variance shrinks (another --batch or --size avoids it)",
                 node->name);
}

void trainer_notes(const trainer *t)
{
    note_images(t);
    note_lengths(t);
    if (t->images % t->batch == 1 || t->batch == 1)
        trainer_note_single(t);
}
