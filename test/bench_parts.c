/* bench_parts.c - the parts of the program that can be tested alone: options, nearest names, charts, pages. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/commands.h"
#include "../bench/message.h"
#include "../bench/svg.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/thorax-parts-XXXXXX";

static void write_file(const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL, "%s cannot be written", path);
    if (f) {
        fputs(content, f);
        fclose(f);
    }
}

static const char *word_at(const void *context, int i)
{
    return ((const char *const *)context)[i];
}

static void test_nearest(void)
{
    static const char *const words[] = {"train", "eval", "epochs", "eval-every", "speed"};
    static const struct {
        const char *typed, *wanted;
    } cases[] = {{"trian", "train"},  {"trai", "train"},   {"eval-evry", "eval-every"},
                 {"epoch", "epochs"}, {"ev", "eval"},      {"sped", "speed"},
                 {"zzzzzz", NULL},    {"", NULL},          {"Eval_every", "eval-every"},
                 {"och", NULL},       {"pochs", "epochs"}, {"evl_evry", "eval-every"},
                 {"poch", NULL},      {"ra", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = tx_nearest_name(cases[i].typed, 5, word_at, words);
        CHECK((!got && !cases[i].wanted) || (got && cases[i].wanted && strcmp(got, cases[i].wanted) == 0),
              "nearest to '%s' is %s", cases[i].typed, got ? got : "nothing");
    }
}

static void test_numbers(void)
{
    long whole;
    double real;
    uint64_t seed;
    CHECK(parse_whole("12", 1, 20, &whole) == 0 && whole == 12, "12");
    static const char *const not_whole[] = {"",   "1.0", "1e3", " 1", "1 ", "0x10", "21", "0", "99999999999999999999",
                                            "-1", "+"};
    for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++)
        CHECK(parse_whole(not_whole[i], 1, 20, &whole) != 0, "'%s' was taken for a number from 1 to 20", not_whole[i]);
    CHECK(parse_real("1e-4", 0, 1, &real) == 0 && real == 1e-4, "1e-4");
    static const char *const not_real[] = {"", "nan", "inf", "1e999", "1,0", "0x1p3", "1e-4x", "2", "-0.1"};
    for (size_t i = 0; i < sizeof not_real / sizeof not_real[0]; i++)
        CHECK(parse_real(not_real[i], 0, 1, &real) != 0, "'%s' was taken for a number from 0 to 1", not_real[i]);
    CHECK(parse_seed("18446744073709551615", &seed) == 0 && seed == UINT64_MAX, "the largest seed");
    CHECK(parse_seed("18446744073709551616", &seed) != 0 && parse_seed("-1", &seed) != 0 && parse_seed("", &seed) != 0,
          "no seeds");
    char text[TX_NUMBER];
    CHECK(strcmp(tx_number_shortest(text, sizeof text, 0.1), "0.1") == 0, "0.1 is printed %s", text);
    CHECK(strcmp(tx_number_shortest(text, sizeof text, 1.0 / 3), "0.3333333333333333") == 0, "1/3 is printed %s", text);
    CHECK(strcmp(tx_number_shortest(text, sizeof text, (double)NAN), "nan") == 0, "nan is printed %s", text);
}

static void test_items(void)
{
    char item[8];
    const char *list = " a, bc ,,d";
    static const char *const wanted[] = {"a", "bc", "", "d"};
    for (int i = 0; i < 4; i++)
        CHECK(next_item(&list, ',', item, sizeof item) == 1 && strcmp(item, wanted[i]) == 0, "item %d is '%s'", i,
              item);
    CHECK(next_item(&list, ',', item, sizeof item) == 0, "a fifth item");
    list = "too long an item";
    CHECK(next_item(&list, ',', item, sizeof item) == -1, "an item longer than its room");
}

/* What --help shows as an example is a command line that the command takes. */
static void test_examples(void)
{
    for (int i = 0; i < command_count(); i++) {
        const command *c = command_at(i);
        word_list words;
        char *argv[WORDS_AT_MOST], line[128];
        for (const char *at = c->what ? c->example : NULL; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
            options o;
            snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n>"), at);
            CHECK(strcspn(at, "\n") <= 78, "the example '%s' is wider than --help", line);
            line[strlen(line) - (line[strlen(line) - 1] == ' ')] = 0;
            words_split(&words, line, ' ');
            for (int k = 0; k < words.count; k++)
                argv[k] = words.word[k];
            CHECK(strcmp(argv[0], "thorax") == 0 && strcmp(argv[1], c->name) == 0, "the example of %s is '%s'", c->name,
                  line);
            CHECK(options_read(&o, c, words.count - 2, argv + 2, NULL) == EXIT_DONE, "'%s' is refused", line);
            options_free(&o);
        }
    }
}

static void test_options(void)
{
    options o;
    char config[300], *argv[] = {(char *)"--batch=4", (char *)"--", (char *)"resnet18", (char *)"--json"};
    char room[64];
    snprintf(config, sizeof config, "%s/options", folder);
    write_file("options", "# of a run\nbatch = 8\r\nsize=64\nlr = 0.5\njson = on\n");
    const command *c = command_find("summary");
    CHECK(options_read(&o, c, 3, argv, "batch = 8\nsize = 64\n") == EXIT_DONE, "arguments and a preset");
    CHECK(option_whole(&o, "batch") == 4 && option_whole(&o, "size") == 64, "what is typed does not win");
    CHECK(o.arguments == 1 && strcmp(o.argument[0], "resnet18") == 0, "the argument behind --");
    CHECK(option_given(&o, "size") && !option_given(&o, "classes") && option_whole(&o, "classes") == 14,
          "standard values");
    options_free(&o);
    char *with_file[] = {(char *)"resnet18", (char *)"--config", config};
    CHECK(options_read(&o, c, 3, with_file, NULL) == EXIT_DONE, "a config file");
    CHECK(option_whole(&o, "batch") == 8 && option_on(&o, "json"),
          "values of the file; keys of other commands are passed over");
    options_free(&o);
    char *train[] = {(char *)"--lr", (char *)"0.00010"};
    CHECK(options_read(&o, command_find("train"), 2, train, NULL) == EXIT_DONE, "train");
    CHECK(strcmp(option_canonical(&o, option_find("lr"), room), "0.0001") == 0, "one spelling of a number: %s", room);
    CHECK(strcmp(option_canonical(&o, option_find("steps"), room), "") == 0, "no value has no spelling");
    options_free(&o);
    for (int i = 0; i < command_count(); i++)
        for (const char *p = command_at(i)->options; *p;) {
            char name[64];
            size_t n = strcspn(p, " ="), word = strcspn(p, " ");
            snprintf(name, sizeof name, "%.*s", (int)n, p);
            CHECK(n == 0 || option_find(name) >= 0, "%s takes --%s, which is not in the table", command_at(i)->name,
                  name);
            p += word;
            p += strspn(p, " ");
        }
}

static void test_pages(void)
{
    static const double x[] = {1, 2, 3, 4}, y[] = {0.5, NAN, 0.75, 1};
    const svg_curve curve = {"a <b> & \"c\"", 1, 4, x, y, NULL, NULL};
    tx_buffer p = {0};
    svg_lines(&p, &(svg_chart){.title = "t", .x_name = "x", .y_name = "y", .curve = &curve, .curves = 1});
    CHECK(p.status == TX_OK && strncmp(p.data, "<svg ", 5) == 0 && strcmp(p.data + p.length - 7, "</svg>\n") == 0,
          "an svg element");
    CHECK(strstr(p.data, "a &lt;b&gt; &amp; &quot;c&quot;") && !strstr(p.data, "nan"),
          "names are escaped, gaps are gaps");
    tx_buffer_free(&p);
    svg_lines(&p, &(svg_chart){.title = "nothing", .x_name = "x", .y_name = "y", .curve = NULL, .curves = 0});
    CHECK(p.status == TX_OK, "an empty chart");
    tx_buffer_free(&p);
    tx_buffer_csv(&p, "plain");
    tx_buffer_csv(&p, "a,\"b\"");
    CHECK(strcmp(p.data, "plain\"a,\"\"b\"\"\"") == 0, "CSV fields: %s", p.data);
    tx_buffer_free(&p);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_nearest();
    test_numbers();
    test_items();
    test_options();
    test_examples();
    test_pages();
    static const char *const names[] = {"options"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("bench_parts");
}
