/* options_read.c - a command line: its command, arguments in any order, --option VALUE, --option=VALUE, --, switches,
 * --config files, and messages that name the nearest option. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "effects.h"
#include "hints.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

enum { CONFIG_AT_MOST = 1 << 20 };

const command *command_wanted(const char *name, int argc, char **argv, int *status)
{
    char escaped[TX_TEXT], hint[HINT];
    const command *c = command_find(name);
    if (!c)
        *status = complain(EXIT_USAGE, "unknown command '%s'%s", tx_escape(escaped, sizeof escaped, name),
                           hint_command(hint, name, argc, argv));
    return c;
}

/* ------------------------------------------------------------------------------------------- checking */
static const char *nearest_choice(const option *p, const char *value, char out[TX_HINT])
{
    word_list list;
    words_split(&list, p->choices ? p->choices : "", '|');
    return tx_nearest_hint(out, value, list.count, words_at, &list);
}

static int is_choice(const option *p, const char *value)
{
    word_list list;
    words_split(&list, p->choices, '|');
    for (int i = 0; i < list.count; i++)
        if (strcmp(list.word[i], value) == 0)
            return 1;
    return 0;
}

/* Writes into `wrong` what is expected of the option, if value is not that. Returns 1 if the value is right. */
static int value_right(const option *p, const char *value, char *wrong, size_t size)
{
    double real;
    long whole;
    uint64_t seed;
    const char *expected;
    char near[TX_HINT];
    switch (p->kind) {
    case OPTION_WHOLE:
        snprintf(wrong, size, "expected a whole number from %.0f to %.0f", p->low, p->high);
        return parse_whole(value, p->low, p->high, &whole) == 0;
    case OPTION_SEED:
        snprintf(wrong, size, "expected a whole number from 0 to 2^64 - 1");
        return parse_seed(value, &seed) == 0;
    case OPTION_REAL:
        snprintf(wrong, size, "expected a number from %.15g to %.15g", p->low, p->high);
        return parse_real(value, p->low, p->high, &real) == 0;
    case OPTION_CHOICE:
        snprintf(wrong, size, "expected %s%s%s", strchr(p->choices, '|') ? "one of " : "", p->choices,
                 nearest_choice(p, value, near));
        return is_choice(p, value);
    case OPTION_TEXT:
        expected = *value ? p->check ? p->check(value) : NULL : "expected a text";
        if (expected)
            snprintf(wrong, size, "%s%s", expected, nearest_choice(p, value, near));
        return expected == NULL;
    case OPTION_SWITCH:
        snprintf(wrong, size, "expected on or off");
        return strcmp(value, "on") == 0 || strcmp(value, "off") == 0;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------- config files */
static int read_config(options *o, const char *path)
{
    char name[TX_TEXT];
    unsigned char *data;
    size_t n;
    if (tx_file_read(path, CONFIG_AT_MOST, &data, &n))
        return complain_failed();
    o->config = (char *)data;
    if (memchr(data, 0, n))
        return complain(EXIT_FAILED, "%s: found a byte 0, expected lines `key = value`",
                        tx_escape(name, sizeof name, path));
    return EXIT_DONE;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = 0;
    return text;
}

/* Of a key that was met before in the same file. */
static void say_doubled(const options *o, int i, const char *file, int number)
{
    say_once("%s line %d: %s was set before; %s counts", file, number, option_at(i)->name,
             o->source[i] == FROM_LINE ? "the command line" : "the last one");
}

/* One line of the file, cut at '\n'. Keys of other commands are passed over, so that one file serves several. */
static int config_line(options *o, option_source as, char *line, const char *file, int number,
                       char met[OPTIONS_AT_MOST])
{
    char escaped[TX_TEXT], wrong[256];
    line = trim(line);
    if (!*line || *line == '#')
        return EXIT_DONE;
    char *equals = strchr(line, '=');
    if (!equals)
        return complain(EXIT_FAILED, "%s line %d: found '%s', expected key = value", file, number,
                        tx_escape(escaped, sizeof escaped, line));
    *equals = 0;
    char *key = trim(line), *value = settings_unquote(trim(equals + 1));
    if (!value)
        return complain(EXIT_FAILED, "%s line %d: %s: expected a text between quotation marks", file, number,
                        tx_escape(escaped, sizeof escaped, key));
    int i = option_find(key);
    if (i < 0) {
        char hint[HINT];
        return complain(EXIT_FAILED, "%s line %d: unknown option '%s'%s", file, number,
                        tx_escape(escaped, sizeof escaped, key), hint_key(hint, key));
    }
    if (strcmp(key, "config") == 0)
        return complain(EXIT_FAILED, "%s line %d: a file of options names no other", file, number);
    if (!command_takes(o->command, i))
        return EXIT_DONE;
    if (met[i])
        say_doubled(o, i, file, number);
    met[i] = 1;
    if (o->source[i] > as)
        return EXIT_DONE;
    if (!value_right(option_at(i), value, wrong, sizeof wrong))
        return complain(EXIT_FAILED, "%s line %d: %s = %s: %s", file, number, key,
                        tx_escape(escaped, sizeof escaped, value), wrong);
    o->value[i] = value;
    o->source[i] = (unsigned char)as;
    return EXIT_DONE;
}

/* The lines of a text, which `name` stands for in messages. */
static int apply_lines(options *o, option_source as, char *line, const char *name)
{
    int status = EXIT_DONE;
    char met[OPTIONS_AT_MOST] = {0};
    if (line && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    for (int number = 1; status == EXIT_DONE && line && *line; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        status = config_line(o, as, line, name, number, met);
        line = end ? end + 1 : NULL;
    }
    return status;
}

/* -------------------------------------------------------------------------------------- command line */
/* typed: with its dashes. */
static int unknown_option(const command *c, const char *typed)
{
    char escaped[TX_TEXT], name[TX_NEAR_NAME], hint[HINT];
    const char *from = typed + strspn(typed, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(from, "="), from);
    return complain(EXIT_USAGE, "unknown option %s%s", tx_escape(escaped, sizeof escaped, typed),
                    hint_option(hint, c, name));
}

/* A dash that a text program has made of the minus: U+2010 to U+2015, U+2212. */
static int begins_with_dash(const char *text)
{
    return strncmp(text, "\xe2\x80", 2) == 0 ? (text[2] & 0xf8) == 0x90 : strncmp(text, "\xe2\x88\x92", 3) == 0;
}

/* The value of --name that follows as a word of its own; NULL, after a line, if an option follows. */
static char *value_behind(const char *name, int argc, char **argv, int at)
{
    char escaped[TX_TEXT], next[TX_NEAR_NAME];
    if (at >= argc) {
        complain(EXIT_USAGE, "--%s needs a value", name);
        return NULL;
    }
    size_t n = strcspn(argv[at], "=");
    snprintf(next, sizeof next, "%.*s", (int)n, argv[at]);
    if (strncmp(next, "--", 2) || n >= sizeof next || option_find(next + 2) < 0)
        return argv[at];
    tx_escape(escaped, sizeof escaped, argv[at]);
    complain(EXIT_USAGE, "--%s needs a value, found the option %s", name, escaped);
    return NULL;
}

/* Option argv[*at], "--name" or "--name=value"; moves *at over a value of its own. */
static int read_option(options *o, const command *c, int argc, char **argv, int *at)
{
    char name[TX_NEAR_NAME], escaped[TX_TEXT], wrong[256];
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);
    if (n >= sizeof name)
        return unknown_option(c, argv[*at]);
    memcpy(name, text, n);
    name[n] = 0;
    int i = option_find(name);
    if (i < 0 || !command_takes(c, i))
        return unknown_option(c, argv[*at]);
    const option *p = option_at(i);
    const char *value = equals ? equals + 1 : NULL;
    if (p->kind == OPTION_SWITCH) {
        if (value)
            return complain(EXIT_USAGE, "--%s takes no value, found '%s'", name,
                            tx_escape(escaped, sizeof escaped, value));
        value = "on";
    } else if (!value) {
        value = value_behind(name, argc, argv, ++*at);
        if (!value)
            return EXIT_USAGE;
    }
    if (!value_right(p, value, wrong, sizeof wrong))
        return complain(EXIT_USAGE, "--%s %s: %s", name, *value ? tx_escape(escaped, sizeof escaped, value) : "''",
                        wrong);
    if (o->source[i] == FROM_LINE && p->kind == OPTION_SWITCH)
        say_once("--%s is given twice", name);
    else if (o->source[i] == FROM_LINE)
        say_once("--%s is given twice; %s, the last one, counts", name, tx_escape(escaped, sizeof escaped, value));
    o->value[i] = value;
    o->source[i] = FROM_LINE;
    return EXIT_DONE;
}

static int read_arguments(options *o, const command *c, int argc, char **argv)
{
    char escaped[TX_TEXT];
    int only_arguments = 0;
    for (int at = 0; at < argc; at++) {
        char *text = argv[at];
        if (!only_arguments && strcmp(text, "--") == 0) {
            only_arguments = 1;
        } else if (!only_arguments && strncmp(text, "--", 2) == 0) {
            int status = read_option(o, c, argc, argv, &at);
            if (status != EXIT_DONE)
                return status;
        } else if (!only_arguments && text[0] == '-' && text[1]) {
            return unknown_option(c, text);
        } else if (!only_arguments && begins_with_dash(text)) {
            return complain(EXIT_USAGE, "unknown option %s: its dash is not -",
                            tx_escape(escaped, sizeof escaped, text));
        } else if (!*text) {
            return complain(EXIT_USAGE, "an argument is empty, expected thorax %s %s", c->name, c->usage);
        } else {
            if (tx_grow((void **)&o->argument, &o->room, (size_t)o->arguments + 1, sizeof *o->argument))
                return complain_failed();
            o->argument[o->arguments++] = text;
        }
    }
    return EXIT_DONE;
}

static int count_arguments(const options *o, const command *c)
{
    char escaped[TX_TEXT], hint[HINT];
    if (o->arguments < c->least)
        return complain(EXIT_USAGE, "missing argument, expected thorax %s %s", c->name, c->usage);
    if (c->most < 0 || o->arguments <= c->most)
        return EXIT_DONE;
    const char *word = o->argument[c->most], *meant = hint_argument(hint, c, word);
    tx_escape(escaped, sizeof escaped, word);
    return meant ? complain(EXIT_USAGE, "unexpected argument '%s', perhaps %s", escaped, meant)
                 : complain(EXIT_USAGE, "unexpected argument '%s', expected thorax %s%s%s", escaped, c->name,
                            *c->usage ? " " : "", c->usage);
}

int options_ask(int argc, char **argv, const char *brief, const char *name)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (strcmp(argv[i], brief) == 0 || strcmp(argv[i], name) == 0)
            return 1;
    return 0;
}

int options_read(options *o, const command *c, int argc, char **argv, const char *preset)
{
    char escaped[TX_TEXT];
    int status = options_standards(o, c);
    if (status != EXIT_DONE)
        return status;
    o->help = options_ask(argc, argv, "-h", "--help");
    if (o->help)
        return EXIT_DONE;
    status = read_arguments(o, c, argc, argv);
    if (status != EXIT_DONE)
        return status;
    const char *config = option_text(o, "config");
    if (config) {
        status = read_config(o, config);
        if (status == EXIT_DONE)
            status = apply_lines(o, FROM_CONFIG, o->config, tx_escape(escaped, sizeof escaped, config));
    } else if (preset) {
        o->config = tx_strdup(preset);
        status = o->config ? apply_lines(o, FROM_CONFIG, o->config, "preset") : complain_failed();
    }
    if (status != EXIT_DONE)
        return status;
    status = count_arguments(o, c);
    if (status == EXIT_DONE)
        effects_say(o);
    return status;
}

int options_beneath(options *o, const char *text, const char *file)
{
    char escaped[TX_TEXT];
    o->below = tx_strdup(text);
    return o->below ? apply_lines(o, FROM_BENEATH, o->below, tx_escape(escaped, sizeof escaped, file))
                    : complain_failed();
}
