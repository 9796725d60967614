/* help.c - what --help prints, from the tables of commands and options. No line is longer than 80 columns. */
#include "help.h"
#include "commands.h"

#include <string.h>

enum { COLUMNS = 80, TEXT_AT = 26, TIE = '\1' /* a blank at which no line ends */ };

static const char *const headings[OPTION_GROUPS] = {"Network", "Data",   "Images",  "Training",
                                                    "Run",     "Output", "Machine", "General"};

/* Prints words from column `at` on, lines that follow beginning at column `indent`; '\n' in the text ends a line. */
static void put_words(FILE *to, const char *text, int at, int indent)
{
    int begun = 0;
    while (*text) {
        int n = (int)strcspn(text, " \n");
        if (begun && at + 1 + n > COLUMNS) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
            begun = 0;
        }
        if (begun)
            putc(' ', to);
        for (int i = 0; i < n; i++)
            putc(text[i] == TIE ? ' ' : text[i], to);
        at += n + begun;
        begun = 1;
        text += n;
        if (*text == '\n') {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
            begun = 0;
        }
        text += *text != 0;
    }
    putc('\n', to);
}

/* A name at the left, what it is at the right; below, where the name is too long. */
static void put_entry(FILE *to, const char *left, const char *text, int indent)
{
    int n = fprintf(to, "  %s", left);
    if (n + 2 > indent)
        fprintf(to, "\n%*s", indent, "");
    else
        fprintf(to, "%*s", indent - n, "");
    put_words(to, text, indent, indent);
}

/* "a, b or c" of "a|b|c". */
static void add_choices(tx_buffer *out, const char *choices)
{
    word_list list;
    words_split(&list, choices, '|');
    for (int i = 0; i < list.count; i++)
        tx_buffer_add(out, "%s%s", i == 0 ? "" : i + 1 < list.count ? ", " : " or ", list.word[i]);
}

static void put_option(FILE *to, const option *p, const char *standard)
{
    char left[TX_TEXT];
    tx_buffer text = {0};
    snprintf(left, sizeof left, "--%s%s%s", p->name, p->value ? " " : "", p->value ? p->value : "");
    tx_buffer_append(&text, p->help);
    if (p->kind == OPTION_CHOICE) {
        tx_buffer_append(&text, ": ");
        add_choices(&text, p->choices);
    }
    if (standard && p->kind != OPTION_SWITCH)
        tx_buffer_add(&text, " (default:%c%s)", TIE, standard);
    put_entry(to, left, text.data ? text.data : "", TEXT_AT);
    tx_buffer_free(&text);
}

static void put_group(FILE *to, const command *c, const options *o, int group)
{
    int begun = 0;
    for (int i = 0; i < option_count(); i++) {
        const option *p = option_at(i);
        if ((int)p->group != group || !command_takes(c, i))
            continue;
        if (!begun++)
            fprintf(to, "\n%s:\n", headings[group]);
        put_option(to, p, o->value[i]);
    }
    if (group == ABOUT_GENERAL) {
        if (!begun)
            fprintf(to, "\n%s:\n", headings[group]);
        put_entry(to, "-h, --help", "this page", TEXT_AT);
    }
}

void help_command(const command *c, FILE *to)
{
    options o;
    if (options_standards(&o, c) == EXIT_DONE) {
        fprintf(to, "thorax %s%s%s\n\n", c->name, *c->usage ? " " : "", c->usage);
        put_words(to, c->what, 0, 0);
        if (c->notes) {
            putc('\n', to);
            put_words(to, c->notes, 0, 0);
        }
        for (int group = 0; group < OPTION_GROUPS; group++)
            put_group(to, c, &o, group);
        fprintf(to, "\nExample:\n  ");
        put_words(to, c->example, 2, 2);
    }
    options_free(&o);
}

void help_program(FILE *to)
{
    fprintf(to, "thorax COMMAND [ARGUMENT]... [--option VALUE]...\n\n"
                "Deep learning on chest radiographs, in plain C: on every machine the same bits.\n\n"
                "Commands:\n");
    for (int i = 0; i < command_count(); i++)
        put_entry(to, command_at(i)->name, command_at(i)->what, 14);
    fprintf(to, "\nGeneral:\n");
    put_entry(to, "-h, --help", "this page; thorax COMMAND --help a command's options", 17);
    put_entry(to, "-V, --version", "the version", 17);
    putc('\n', to);
    put_words(to,
              "Arguments and options stand in any order; --option=VALUE is the same, and -- ends the options. Exit "
              "status: 0 done, 1 failed, 2 wrong usage, 130 interrupted with its state saved. "
              "TX_ISA=portable|avx2|avx512|neon in the environment chooses the instruction set; results do not depend "
              "on it.",
              0, 0);
    fprintf(to, "\nExample:\n  thorax train --net resnet18 --size 128 --epochs 10 --out run\n"
                "  thorax eval run --split test\n");
}
