/* study_preset.c - presets: files of options for all jobs, for those of one network, for the making of source weights. */
#include "environment.h"
#include "study.h"
#include "../nets/nets.h"

#include <stdio.h>
#include <string.h>

static const char of_pretrain[] = "pretrain";

/* One line's key: what it sets, and for whom. */
typedef struct key {
    char name[TX_NEAR_NAME];
    char whose[TX_NEAR_NAME]; /* a network, "pretrain", or "": every job */
} key;

/* Takes the next line from *at: its first byte and length without the newline; 0 at the end. */
static int next_line(const char **at, const char **line, size_t *length)
{
    if (!**at)
        return 0;
    *line = *at;
    *length = strcspn(*at, "\n");
    *at += *length + ((*at)[*length] == '\n');
    return 1;
}

/* The key of a line; its name is empty where the line sets nothing. A key too long to be one is cut, so it is unknown. */
static void read_key(const char *line, size_t length, key *k)
{
    char text[2 * TX_NEAR_NAME];
    size_t blanks = 0, n = 0;
    memset(k, 0, sizeof *k);
    while (blanks < length && strchr(" \t\r", line[blanks]))
        blanks++;
    while (blanks + n < length && line[blanks + n] != '=' && n + 1 < sizeof text)
        n++;
    if (n == 0 || line[blanks] == '#' || blanks + n == length)
        return;
    memcpy(text, line + blanks, n);
    text[n] = 0;
    text[strcspn(text, " \t\r")] = 0;
    char *dot = strchr(text, '.');
    const char *behind = dot ? dot + 1 : "";
    if (dot)
        *dot = 0;
    int makes_source = dot && strcmp(text, of_pretrain) == 0;
    snprintf(k->name, sizeof k->name, "%.*s", TX_NEAR_NAME - 1, makes_source ? behind : text);
    snprintf(k->whose, sizeof k->whose, "%.*s", TX_NEAR_NAME - 1, makes_source ? of_pretrain : behind);
}

static int has_key(const char *text, const key *wanted)
{
    const char *line;
    size_t length;
    key k;
    while (next_line(&text, &line, &length)) {
        read_key(line, length, &k);
        if (strcmp(k.name, wanted->name) == 0 && strcmp(k.whose, wanted->whose) == 0)
            return 1;
    }
    return 0;
}

/* Every line keeps its number: one that is for others becomes empty, and so one that a network's own takes the place of. */
char *preset_lines(const study *s, const char *net)
{
    tx_buffer out = {0};
    const char *at = s->text, *line, *whose = net ? net : of_pretrain;
    size_t length;
    key k;
    tx_buffer_append(&out, "");
    while (next_line(&at, &line, &length)) {
        read_key(line, length, &k);
        key own = k;
        snprintf(own.whose, sizeof own.whose, "%s", whose);
        int taken = strcmp(k.whose, whose) == 0 || (net && !k.whose[0] && k.name[0] && !has_key(s->text, &own));
        const char *value = taken ? memchr(line, '=', length) : NULL;
        if (value)
            tx_buffer_add(&out, "%s %.*s", k.name, (int)(line + length - value), value);
        tx_buffer_append(&out, "\n");
    }
    if (out.status)
        tx_buffer_free(&out);
    return out.data;
}

static int check_keys(const study *s)
{
    char escaped[TX_TEXT], near[TX_HINT];
    const char *at = s->text, *line;
    size_t length;
    key k;
    for (int number = 1; next_line(&at, &line, &length); number++) {
        read_key(line, length, &k);
        if (!k.whose[0])
            continue;
        if (option_find(k.name) < 0)
            return complain(EXIT_FAILED, "%s line %d: unknown option '%s'", s->file, number,
                            tx_escape(escaped, sizeof escaped, k.name));
        if (strcmp(k.whose, of_pretrain) && !tx_net_find(k.whose))
            return complain(EXIT_FAILED, "%s line %d: %s of an unknown network '%s'%s", s->file, number, k.name,
                            tx_escape(escaped, sizeof escaped, k.whose),
                            tx_nearest_hint(near, k.whose, tx_nets(), net_name, NULL));
    }
    return EXIT_DONE;
}

tx_status preset_note(const study *s, settings *note)
{
    char name[2 * TX_NEAR_NAME];
    const char *at = s->text, *line;
    size_t length;
    key k;
    tx_status status = TX_OK;
    while (status == TX_OK && next_line(&at, &line, &length)) {
        read_key(line, length, &k);
        if (!k.whose[0])
            continue;
        const char *value = (const char *)memchr(line, '=', length) + 1;
        value += strspn(value, " \t");
        size_t n = (size_t)(line + length - value);
        while (n > 0 && strchr(" \t\r", value[n - 1]))
            n--;
        int source = strcmp(k.whose, of_pretrain) == 0;
        snprintf(name, sizeof name, "%s.%s", source ? k.whose : k.name, source ? k.name : k.whose);
        status = settings_format(note, name, "%.*s", (int)n, value);
    }
    return status;
}

int preset_read(study *s, options *o)
{
    char file[TX_NEAR_NAME + 8];
    const char *name = option_text(o, "preset");
    unsigned char *text = NULL;
    size_t bytes = 0;
    if (!strchr(name, '/') && strlen(name) < TX_NEAR_NAME) {
        snprintf(file, sizeof file, "%s.txt", name);
        s->file = preset_file(file);
    }
    s->named = s->file != NULL;
    if (!s->named)
        s->file = tx_strdup(name);
    if (!s->file || tx_file_read(s->file, (size_t)1 << 20, &text, &bytes))
        return complain_failed();
    s->text = (char *)text;
    if (strlen(s->text) != bytes)
        return complain(EXIT_FAILED, "%s: found a byte 0, expected lines `key = value`", s->file);
    if (check_keys(s) != EXIT_DONE)
        return EXIT_FAILED;
    char *common = preset_lines(s, "");
    int code = common ? options_beneath(o, common, s->file) : complain_failed();
    tx_free(common);
    return code;
}
