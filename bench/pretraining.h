/* pretraining.h - a pretraining at work, and the files that it keeps. Private to pretrain*.c. */
#ifndef THORAX_BENCH_PRETRAINING_H
#define THORAX_BENCH_PRETRAINING_H

#include "../nets/nets.h"
#include "../optim/optim.h"
#include "fractal.h"
#include "options.h"
#include "settings.h"

/* As which pixels weights expect them: FILE's `normalize`. */
#define PRETRAIN_NORMALIZE "half"

typedef struct pretraining {
    const options *o;
    const char *label;    /* before the progress bar */
    int of_study;         /* prints no results */
    char *file, *state;   /* FILE, FILE.state */
    tx_lock *lock;        /* on FILE.lock */
    settings made;        /* every option that makes a difference, in the order of the table */
    tx_net_choice choice; /* its outputs are the classes */
    uint64_t seed;
    size_t instances, held; /* pictures a class to train on, and behind them to measure by */
    size_t images, batch;   /* of an epoch, of a step */
    uint64_t per_epoch, total, step;
    tx_schedule schedule;

    fractal *system; /* choice.classes of them */
    tx_network net;
    tx_node *label_of; /* its targets; net.loss follows */
    tx_weights *weights;
    tx_optimizer *optimizer;
    tx_session *training, *inference;
    uint32_t *order;       /* of the pictures of an epoch */
    uint64_t ordered;      /* the epoch that order holds, + 1; 0: none */
    unsigned char *pixels; /* of a batch */
    tx_status *failed;     /* of each picture of a batch, or class */
    tx_progress bar;
    double saved;          /* seconds, when the last state was written */
    double loss, accuracy; /* on the pictures that are held out */
} pretraining;

/* ------------------------------------------------------------------------------------ files (pretrain_file.c) */
/* What stands under a file's name. */
typedef enum pretrain_found {
    PRETRAIN_NOTHING,
    PRETRAIN_SAME,   /* made by these options, and sound */
    PRETRAIN_OTHER,  /* made by others, or damaged: --restart takes its place. The reason is stored as an error */
    PRETRAIN_FOREIGN /* no pretraining's, or it cannot be read now: an error is stored */
} pretrain_found;
/* FILE: *loss and *accuracy are what it notes. */
pretrain_found pretrain_look(pretraining *p);
/* FILE.state. */
pretrain_found pretrain_look_state(const pretraining *p);
/* Weights, optimiser and step of the state, found to be the same. */
tx_status pretrain_resume(pretraining *p);
tx_status pretrain_save_state(pretraining *p);
/* Writes FILE, then removes the state. */
tx_status pretrain_save(pretraining *p);
tx_status pretrain_drop_state(const pretraining *p);
/* Removes what writers of FILE and its state left when they were killed; for whoever has the lock. */
tx_status pretrain_sweep(const pretraining *p);

#endif
