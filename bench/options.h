/* options.h - the command line: options, arguments, --config files, help. Private to bench. */
#ifndef THORAX_BENCH_OPTIONS_H
#define THORAX_BENCH_OPTIONS_H

#include "../core/core.h"

/* Exit statuses of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

typedef enum option_kind {
    OPTION_SWITCH, /* takes no value */
    OPTION_WHOLE,  /* an integer in [low, high] */
    OPTION_SEED,   /* 0 .. 2^64 - 1 */
    OPTION_REAL,   /* a finite number in [low, high] */
    OPTION_CHOICE, /* one of values, "a|b|c" */
    OPTION_TEXT    /* anything, or what check accepts */
} option_kind;

/* One option that some command takes. standard is its value where nobody gives one (NULL: none). */
typedef struct option {
    const char *name;
    option_kind kind;
    const char *values; /* OPTION_CHOICE: the list; else what stands for the value in --help */
    double low, high;
    const char *standard;
    const char *help;
    /* What is wrong with a value ("expected .."), or NULL if nothing is. NULL: everything is right. */
    const char *(*check)(const char *value);
} option;

enum { OPTIONS_AT_MOST = 64 };

typedef enum option_source { FROM_NOWHERE, FROM_STANDARD, FROM_CONFIG, FROM_LINE } option_source;

typedef struct options options;

/* A command: its name, the line after it in the usage, what it does, the options that it takes, by name and
 * separated by blanks ("name=value" where its standard value differs, "name=" where it has none), and the least and
 * largest number of arguments. run NULL: a command that this version does not have. */
typedef struct command {
    const char *name, *usage, *what, *options;
    int least, most;
    int (*run)(const options *o);
    const char *notes; /* more for --help, or NULL */
} command;

struct options {
    const command *command;
    const char *value[OPTIONS_AT_MOST]; /* by position in the table of options */
    unsigned char source[OPTIONS_AT_MOST];
    char **argument; /* not options */
    int arguments;
    size_t room;
    char *config; /* text of the --config file, which values may point into */
    char *names;  /* the command's own standard values */
    int help;
};

/* The table of all options. */
int option_count(void);
const option *option_at(int i);
/* Position in the table, or -1. */
int option_find(const char *name);
/* Whether the command takes option i. */
int command_takes(const command *c, int i);

/* Reads the arguments after the command's name; preset (may be NULL) stands for a --config file where none is
 * given. Returns EXIT_DONE, or prints one line and returns an exit status. Values point into argv. */
int options_read(options *o, const command *c, int argc, char **argv, const char *preset);
void options_free(options *o);

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

/* Strict numbers: the whole text, decimal, within the range. 0, or -1. */
int parse_whole(const char *text, double low, double high, long *value);
int parse_real(const char *text, double low, double high, double *value);
int parse_seed(const char *text, uint64_t *value);
/* Takes the next of a list separated by `separator` from *list into out, blanks trimmed; 0 at the end, -1 if it
 * does not fit, else 1. */
int next_item(const char **list, char separator, char *out, size_t size);

/* Which of the names is nearest to what was typed, by edit distance with neighbours exchanged counted once; NULL if
 * none is near. */
typedef const char *name_at(const void *context, int i);
const char *nearest_name(const char *typed, int names, name_at *name, const void *context);

/* Prints "thorax [COMMAND]: TEXT" as one line on standard error; control characters are escaped. Returns status. */
int complain(int status, const char *format, ...) TX_PRINTF(2, 3);
/* The library's last message as that line; returns EXIT_FAILED. */
int complain_failed(void);
/* From now on messages name this command. */
void complain_as(const char *command);

void help_command(const command *c);

#endif
