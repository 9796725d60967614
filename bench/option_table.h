/* option_table.h - the table of all options. Private to bench. */
#ifndef THORAX_BENCH_OPTION_TABLE_H
#define THORAX_BENCH_OPTION_TABLE_H

#include "../nets/nets.h"

typedef enum option_kind {
    OPTION_SWITCH, /* takes no value */
    OPTION_WHOLE,  /* an integer in [low, high] */
    OPTION_SEED,   /* 0 .. 2^64 - 1 */
    OPTION_REAL,   /* a finite number in [low, high] */
    OPTION_CHOICE, /* one of choices */
    OPTION_TEXT    /* anything, or what check accepts */
} option_kind;

/* What an option is about: the headings of --help. */
typedef enum option_group {
    ABOUT_NETWORK,
    ABOUT_DATA,
    ABOUT_IMAGES,
    ABOUT_TRAINING,
    ABOUT_RUN,
    ABOUT_OUTPUT,
    ABOUT_MACHINE,
    ABOUT_GENERAL,
    OPTION_GROUPS
} option_group;

/* One option that some command takes. standard is its value where nobody gives one (NULL: none). */
typedef struct option {
    const char *name;
    option_kind kind;
    option_group group;
    const char *value;   /* what stands for the value in --help and says what to complete: NET, DIR, FILE, .. */
    const char *choices; /* OPTION_CHOICE: the list, "a|b|c"; of a text words that it may be among others */
    double low, high;
    const char *standard;
    const char *help; /* what --help says of it */
    /* What is wrong with a value ("expected .."), or NULL if nothing is. NULL: everything is right. */
    const char *(*check)(const char *value);
} option;

enum { OPTIONS_AT_MOST = 96 };
/* The largest --at-once. */
enum { JOBS_AT_ONCE = 64 };

/* The table of all options. */
int option_count(void);
const option *option_at(int i);
/* Position in the table, or -1. */
int option_find(const char *name);
/* Whether option i can change what a training makes: where and how fast that is done, how it is begun and what is said of it
 * cannot. */
int option_matters(int i);
/* Whether cut and size are within what the network takes: EXIT_DONE, or a line and EXIT_USAGE. */
int net_choice_check(const tx_net_choice *choice);
/* Name of network i, for tx_nearest_hint. */
const char *net_name(const void *context, int i);

#endif
