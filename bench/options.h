/* options.h - the command line: options, arguments, --config files. Private to bench. */
#ifndef THORAX_BENCH_OPTIONS_H
#define THORAX_BENCH_OPTIONS_H

#include "message.h"
#include "option_table.h"
#include "words.h"

typedef enum option_source { FROM_NOWHERE, FROM_STANDARD, FROM_BENEATH, FROM_CONFIG, FROM_LINE } option_source;

typedef struct options options;

/* A command. */
typedef struct command {
    const char *name;
    const char *usage; /* the line after the name; its first words, up to one that begins with [ or -, are arguments */
    const char *what;  /* what it does; NULL: this version does not have it */
    const char *notes; /* more for --help, or NULL */
    const char *example; /* command lines, at most 78 columns each */
    /* The options that it takes, by name and separated by blanks: "name=value" where its standard value differs,
     * "name=" where it has none. */
    const char *options;
    int least, most; /* number of arguments; most < 0: any */
} command;

struct options {
    const command *command;
    const char *value[OPTIONS_AT_MOST]; /* by position in the table of options */
    unsigned char source[OPTIONS_AT_MOST];
    char **argument; /* not options */
    int arguments;
    size_t room;
    char *config; /* text of the --config file, which values may point into, */
    char *below;  /* and of what options_beneath was given */
    char *names;  /* the command's own standard values */
    int help;     /* --help is among the words: nothing else was read */
};

/* Whether the command takes option i. */
int command_takes(const command *c, int i);
/* Every value as it is where nobody gives one. Returns EXIT_DONE, or a line and an exit status. */
int options_standards(options *o, const command *c);
void options_free(options *o);

/* ------------------------------------------------------------------------- the command line (options_read.c) */
/* The command of that name which this version has; else NULL, after a line, and the exit status. The words are those
 * behind the name: they may tell what was meant. */
const command *command_wanted(const char *name, int argc, char **argv, int *status);
/* Whether an option that is answered whatever else stands there, in either spelling, is among the words before "--". */
int options_ask(int argc, char **argv, const char *brief, const char *name);

/* Reads the arguments after the command's name; preset (may be NULL) stands for a --config file where none is
 * given. Returns EXIT_DONE, or prints one line and returns an exit status. Values point into argv. */
int options_read(options *o, const command *c, int argc, char **argv, const char *preset);
/* Values from lines `key = value` for options that nobody gave: they are not `given` by it. file stands in messages. Returns
 * an exit status as options_read does. */
int options_beneath(options *o, const char *text, const char *file);

/* ---------------------------------------------------------------------------------- values */
/* Values by the option's name. Numbers have been checked. A value is NULL (number 0) if nobody gave one. */
const char *option_text(const options *o, const char *name);
long option_whole(const options *o, const char *name);
double option_real(const options *o, const char *name);
uint64_t option_seed(const options *o, const char *name);
int option_on(const options *o, const char *name);
int option_given(const options *o, const char *name); /* by the line or the config file */
/* Value of option i in the one spelling in which config.txt keeps it ("" without a value): 1e-4 and 0.0001 are the
 * same. out needs 64 bytes for numbers; a text is returned as it stands. */
const char *option_canonical(const options *o, int i, char out[64]);

#endif
