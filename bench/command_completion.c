/* command_completion.c - `thorax completion SHELL`: a script for bash, zsh or fish that completes commands, options and
 * their values, written from the tables of commands and options. */
#include "audit.h"
#include "bench.h"
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* What may stand somewhere: some words, and files or folders. */
typedef struct choice {
    tx_buffer words; /* blanks between */
    enum { NO_PATHS, FILES, FOLDERS } paths;
    int repeats; /* and there may be more of them */
} choice;

static void add_words(choice *to, const char *list, char separator)
{
    char word[TX_NEAR_NAME];
    while (next_item(&list, separator, word, sizeof word) > 0)
        tx_buffer_add(&to->words, "%s%s", to->words.length ? " " : "", word);
}

static void add_commands(choice *to)
{
    for (int i = 0; i < command_count(); i++)
        add_words(to, command_at(i)->name, ' ');
}

/* What a word of a usage or an option's value stands for: NET, DIR, .. or itself, in small letters. */
static void add_value(choice *to, const char *value)
{
    static const char *const files[] = {"FILE", "RUN", "MODEL", "IMAGE"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strncmp(value, files[i], strlen(files[i])) == 0)
            to->paths = FILES;
    if (strncmp(value, "DIR", 3) == 0)
        to->paths = FOLDERS;
    else if (strncmp(value, "COMMAND", 7) == 0)
        add_commands(to);
    else if (strncmp(value, "NET", 3) == 0)
        for (int i = 0; i < tx_nets(); i++)
            add_words(to, tx_net_at(i)->name, ' ');
    else if (strcmp(value, "OP") == 0)
        for (int i = 0; i < audit_cases(); i++) {
            if (i == 0 || audit_case_at(i)->op != audit_case_at(i - 1)->op)
                add_words(to, audit_case_at(i)->op->name, ' ');
        }
    else if (*value >= 'a' && *value <= 'z')
        add_words(to, value, '|');
}

static void option_choice(const option *p, choice *out)
{
    memset(out, 0, sizeof *out);
    if (p->choices)
        add_words(out, p->choices, '|');
    if (p->value)
        add_value(out, p->value);
}

/* Argument k of a command, from 0 on. Returns 0 if it has none. */
static int argument_choice(const command *c, int k, choice *out)
{
    char word[TX_NEAR_NAME];
    const char *list = c->usage;
    memset(out, 0, sizeof *out);
    while (next_item(&list, ' ', word, sizeof word) > 0 && *word != '-') {
        char *name = word + (*word == '[');
        if (*name == '-' || !*name)
            return 0;
        out->repeats = strstr(name, "...") != NULL;
        if (k-- > 0)
            continue;
        name[strcspn(name, "]")] = 0;
        add_value(out, name);
        return 1;
    }
    return 0;
}

static const char *words_of(const choice *c)
{
    return c->words.data ? c->words.data : "";
}

/* Text within quotes of a shell; a backslash goes before those of `special`. */
static void put_quoted(const char *text, const char *special)
{
    putchar('\'');
    for (; *text; text++) {
        if (strchr(special, *text))
            putchar('\\');
        fputs(*text == '\'' ? "'\\''" : (const char[]){*text, 0}, stdout);
    }
    putchar('\'');
}

static int shown(const command *c, int i)
{
    return option_at(i)->help && command_takes(c, i);
}

/* -------------------------------------------------------------------------------------------- bash */
static void bash_case(const char *pattern, const choice *c)
{
    printf("    %s) words='%s'", pattern, words_of(c));
    if (c->paths != NO_PATHS)
        printf("; paths=-%c", c->paths == FILES ? 'f' : 'd');
    printf(" ;;\n");
}

static void bash_values(void)
{
    printf("_thorax_value() { # an option: what it may be, and whether it has a value at all\n    case $1 in\n");
    for (int i = 0; i < option_count(); i++) {
        const option *p = option_at(i);
        char pattern[TX_NEAR_NAME];
        choice c;
        if (p->kind == OPTION_SWITCH)
            continue;
        option_choice(p, &c);
        snprintf(pattern, sizeof pattern, "--%s", p->name);
        bash_case(pattern, &c);
        tx_buffer_free(&c.words);
    }
    printf("    *) return 1 ;;\n    esac\n}\n");
}

static void bash_options(void)
{
    printf("_thorax_options() { # of a command\n    case $1 in\n");
    for (int i = 0; i < command_count(); i++) {
        const command *c = command_at(i);
        choice names = {0};
        for (int k = 0; k < option_count(); k++)
            if (shown(c, k))
                tx_buffer_add(&names.words, "--%s ", option_at(k)->name);
        tx_buffer_append(&names.words, "--help");
        bash_case(c->name, &names);
        tx_buffer_free(&names.words);
    }
    printf("    esac\n}\n");
}

static void bash_arguments(void)
{
    printf("_thorax_argument() { # the next argument of COMMAND.NUMBER\n    case $1 in\n");
    for (int i = 0; i < command_count(); i++) {
        const command *c = command_at(i);
        choice what = {0};
        for (int k = 0; !what.repeats && argument_choice(c, k, &what); k++) {
            char pattern[2 * TX_NEAR_NAME], number[12];
            snprintf(number, sizeof number, "%d", k);
            snprintf(pattern, sizeof pattern, "%s.%s", c->name, what.repeats ? "*" : number);
            bash_case(pattern, &what);
            tx_buffer_free(&what.words);
        }
    }
    printf("    esac\n}\n");
}

static void print_bash(void)
{
    choice commands = {0};
    add_commands(&commands);
    printf("# bash completion for thorax, written by `thorax completion bash`\n");
    bash_options();
    bash_values();
    bash_arguments();
    printf("_thorax() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev= command= words= paths= count=0 i word IFS=$' \\t\\n'\n"
           "    COMPREPLY=()\n"
           "    [ \"$COMP_CWORD\" -gt 0 ] && prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    # bash takes the = of --option=VALUE for a word\n"
           "    if [ \"$cur\" = = ]; then\n"
           "        cur=\n"
           "    elif [ \"$prev\" = = ]; then\n"
           "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "    fi\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        word=${COMP_WORDS[i]}\n"
           "        if [ \"${COMP_WORDS[i + 1]}\" = = ]; then\n"
           "            i=$((i + 2))\n"
           "        elif [[ $word == -* ]]; then\n"
           "            _thorax_value \"$word\" && i=$((i + 1))\n"
           "        elif [ -z \"$command\" ]; then\n"
           "            command=$word\n"
           "        else\n"
           "            count=$((count + 1))\n"
           "        fi\n"
           "    done\n"
           "    words= paths=\n"
           "    if _thorax_value \"$prev\"; then\n"
           "        :\n"
           "    elif [ -z \"$command\" ]; then\n"
           "        words='%s'\n"
           "        [[ $cur == -* ]] && words='--help --version'\n"
           "    elif [[ $cur == -* ]]; then\n"
           "        _thorax_options \"$command\"\n"
           "    else\n"
           "        _thorax_argument \"$command.$count\"\n"
           "    fi\n",
           words_of(&commands));
    printf("    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "    if [ -n \"$paths\" ]; then\n"
           "        compopt -o filenames 2>/dev/null\n"
           "        IFS=$'\\n'\n"
           "        COMPREPLY+=($(compgen $paths -- \"$cur\"))\n"
           "    fi\n"
           "}\n"
           "complete -F _thorax thorax\n");
    tx_buffer_free(&commands.words);
}

/* ---------------------------------------------------------------------------------------------- zsh */
/* ":MESSAGE:ACTION" of what may stand somewhere. */
static void zsh_choice(const char *message, const choice *c)
{
    printf(":%s:", message);
    if (c->words.length && c->paths != NO_PATHS)
        printf("{ compadd -- %s; _files%s }", words_of(c), c->paths == FOLDERS ? " -/" : "");
    else if (c->words.length)
        printf("(%s)", words_of(c));
    else
        printf("%s", c->paths == FILES ? "_files" : c->paths == FOLDERS ? "_files -/" : " ");
}

static void zsh_option(int i)
{
    const option *p = option_at(i);
    choice c;
    printf(" \\\n            '--%s%s['", p->name, p->kind == OPTION_SWITCH ? "" : "=");
    put_quoted(p->help, "\\[]:");
    printf("']'");
    if (p->kind == OPTION_SWITCH)
        return;
    option_choice(p, &c);
    putchar('\'');
    zsh_choice(p->value, &c);
    putchar('\'');
    tx_buffer_free(&c.words);
}

static void zsh_command(const command *c)
{
    choice what = {0};
    printf("        %s)\n            _arguments '(-h --help)'{-h,--help}'[this page]'", c->name);
    for (int i = 0; i < option_count(); i++)
        if (shown(c, i))
            zsh_option(i);
    for (int k = 0; !what.repeats && argument_choice(c, k, &what); k++) {
        printf(" \\\n            '");
        if (what.repeats)
            putchar('*');
        else
            printf("%d", k + 1);
        zsh_choice("argument", &what);
        putchar('\'');
        tx_buffer_free(&what.words);
    }
    printf(" ;;\n");
}

static void print_zsh(void)
{
    printf("#compdef thorax\n# zsh completion for thorax, written by `thorax completion zsh`\n_thorax() {\n"
           "    local context state line\n    typeset -A opt_args\n    local -a commands\n    commands=(\n");
    for (int i = 0; i < command_count(); i++) {
        printf("        '%s:'", command_at(i)->name);
        put_quoted(command_at(i)->what, "");
        putchar('\n');
    }
    printf("    )\n    _arguments -C '(-h --help)'{-h,--help}'[the commands]' "
           "'(-V --version)'{-V,--version}'[the version]' \\\n"
           "        '1:command:->command' '*::argument:->argument'\n"
           "    case $state in\n    command) _describe -t commands command commands ;;\n    argument)\n"
           "        case $words[1] in\n");
    for (int i = 0; i < command_count(); i++)
        zsh_command(command_at(i));
    printf("        esac ;;\n    esac\n}\n"
           "if [ \"$funcstack[1]\" = _thorax ]; then _thorax \"$@\"; else compdef _thorax thorax; fi\n");
}

/* --------------------------------------------------------------------------------------------- fish */
/* What may stand there: -a WORDS and paths. Files are off unless they are asked for. */
static void fish_choice(const choice *c)
{
    if (c->words.length || c->paths == FOLDERS) {
        printf(" -a '%s%s%s'", words_of(c), c->words.length && c->paths == FOLDERS ? " " : "",
               c->paths == FOLDERS ? "(__fish_complete_directories)" : "");
    }
    if (c->paths == FILES)
        printf(" -F");
}

static void fish_command(const command *c)
{
    char seen[2 * TX_NEAR_NAME];
    choice what = {0};
    snprintf(seen, sizeof seen, "complete -c thorax -n '__fish_seen_subcommand_from %s'", c->name);
    for (int k = 0; !what.repeats && argument_choice(c, k, &what); k++) {
        printf("%s", seen);
        fish_choice(&what);
        putchar('\n');
        tx_buffer_free(&what.words);
    }
    for (int i = 0; i < option_count(); i++) {
        const option *p = option_at(i);
        if (!shown(c, i))
            continue;
        printf("%s -l %s", seen, p->name);
        option_choice(p, &what);
        if (p->kind != OPTION_SWITCH) {
            printf(what.paths == FILES ? " -r" : " -x");
            fish_choice(&what);
        }
        printf(" -d ");
        put_quoted(p->help, "\\");
        putchar('\n');
        tx_buffer_free(&what.words);
    }
}

static void print_fish(void)
{
    printf("# fish completion for thorax, written by `thorax completion fish`\ncomplete -c thorax -f\n"
           "complete -c thorax -s h -l help -d 'this page'\n"
           "complete -c thorax -n __fish_use_subcommand -s V -l version -d 'the version'\n");
    for (int i = 0; i < command_count(); i++) {
        printf("complete -c thorax -n __fish_use_subcommand -a %s -d ", command_at(i)->name);
        put_quoted(command_at(i)->what, "\\");
        putchar('\n');
    }
    for (int i = 0; i < command_count(); i++)
        fish_command(command_at(i));
}

int command_completion(const options *o)
{
    char escaped[TX_TEXT], near[TX_HINT];
    const char *shell = o->argument[0];
    word_list shells;
    words_split(&shells, o->command->usage, '|');
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return complain(EXIT_USAGE, "unknown shell '%s', expected %s%s", tx_escape(escaped, sizeof escaped, shell),
                        o->command->usage, tx_nearest_hint(near, shell, shells.count, words_at, &shells));
    return EXIT_DONE;
}
