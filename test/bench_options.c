/* bench_options.c - the command line: which of several values counts, numbers at both ends of their ranges, names that begin
 * as others do, lines of files of options; and what is said of it all, word for word. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/commands.h"
#include "../bench/message.h"
#include "../bench/recipe.h"

#include <math.h>
#include <fcntl.h>

/* What the last reading said on standard error. */
static char said[4000];

static int reading(options *o, const char *name, const char *line, const char *preset)
{
    static char words[1000];
    static char *argv[40];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *p = words; *p;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = 0;
    }
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "''") == 0)
            argv[i] = (char *)"";
    int stream = dup(2), file = open(temp_path("said"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    dup2(file, 2);
    int status = options_read(o, command_find(name), argc, argv, preset);
    work_begins();
    dup2(stream, 2);
    close(stream);
    ssize_t n = pread(file, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    close(file);
    return status;
}

static void refused(const char *name, const char *line, const char *message)
{
    options o;
    char wanted[500];
    snprintf(wanted, sizeof wanted, "thorax: %s\n", message);
    int status = reading(&o, name, line, NULL);
    CHECK(status == EXIT_USAGE && strcmp(said, wanted) == 0, "%s %s: %d\n%sexpected\n%s", name, line, status, said,
          wanted);
    options_free(&o);
}

/* Every whole or real number of a command at its limits and just beyond. */
static void limits(void)
{
    const command *c = command_find("train");
    for (int i = 0; i < option_count(); i++) {
        const option *p = option_at(i);
        if (!command_takes(c, i) || (p->kind != OPTION_WHOLE && p->kind != OPTION_REAL))
            continue;
        const double value[] = {p->low, p->high, p->low - 1, p->high + 1};
        for (int k = 0; k < 4; k++) {
            char line[100];
            options o;
            snprintf(line, sizeof line, "--%s=%.0f", p->name, value[k]);
            int status = reading(&o, "train", line, NULL);
            CHECK((status == EXIT_DONE) == (k < 2), "%s: %d %s", line, status, said);
            CHECK(k > 1 || (p->kind == OPTION_WHOLE ? (double)option_whole(&o, p->name) : option_real(&o, p->name)) ==
                               value[k],
                  "%s is taken as another number", line);
            options_free(&o);
        }
    }
    options o;
    CHECK(reading(&o, "train", "--seed 18446744073709551615", NULL) == EXIT_DONE &&
              option_seed(&o, "seed") == UINT64_MAX,
          "the largest seed");
    options_free(&o);
    refused("train", "--seed 18446744073709551616",
            "--seed 18446744073709551616: expected a whole number from 0 to 2^64 - 1");
    refused("train", "--batch 0", "--batch 0: expected a whole number from 1 to 65536");
    refused("train", "--momentum 1.5", "--momentum 1.5: expected a number from 0 to 1");
    refused("train", "--lr nan", "--lr nan: expected a number from 0 to 1000000");
    refused("train", "--lr ''", "--lr '': expected a number from 0 to 1000000");
}

static void precedence(void)
{
    options o;
    char line[400];
    temp_text(temp_path("o"),
              "\xef\xbb\xbf# batch = 1\nbatch = 8\n size\t=  64 \r\nlr=0.5\nquiet = on\nkernels = on\nout = \" a b\"\n"
              "\n\t\nsplit = test\nepochs = 7");
    snprintf(line, sizeof line, "--batch 4 --config %s --size=96 --steps 5 --steps 6", temp_path("o"));
    CHECK(reading(&o, "train", line, "batch = 3\nkeep = 2\n") == EXIT_DONE, "%s", said);
    CHECK(option_whole(&o, "batch") == 4 && option_whole(&o, "size") == 96 && option_real(&o, "lr") == 0.5 &&
              option_on(&o, "quiet") && !option_on(&o, "json") && option_whole(&o, "epochs") == 7,
          "the line wins over the file, and the file over what is standard");
    CHECK(option_whole(&o, "steps") == 6 && strstr(said, "--steps is given twice; 6, the last one, counts"), "%s",
          said);
    CHECK(option_whole(&o, "keep") == 10 && !option_given(&o, "keep"), "a preset beside a file counts for nothing");
    CHECK(option_text(&o, "out") && strcmp(option_text(&o, "out"), " a b") == 0, "a value between quotation marks");
    CHECK(option_given(&o, "lr") && option_given(&o, "batch") && !option_given(&o, "momentum"), "given, or not");
    CHECK(!option_text(&o, "data") && option_whole(&o, "limit") == 0 && !option_given(&o, "nothing") &&
              !option_text(&o, "nothing"),
          "no value");
    options_free(&o);
    CHECK(reading(&o, "train", "--batch 4", "batch = 3\nkeep = 2\nkeep = 3\n") == EXIT_DONE &&
              option_whole(&o, "batch") == 4 && option_whole(&o, "keep") == 3 &&
              strstr(said, "preset line 3: keep was set before; the last one counts"),
          "a preset: %s", said);
    options_free(&o);
    /* Standard values that are a command's own. */
    CHECK(reading(&o, "predict", "a b c", NULL) == EXIT_DONE && strcmp(option_text(&o, "unit"), "image") == 0 &&
              !option_text(&o, "size") && !option_text(&o, "split") && o.arguments == 3 && !option_given(&o, "unit"),
          "predict's");
    options_free(&o);
    CHECK(reading(&o, "eval", "a", NULL) == EXIT_DONE && strcmp(option_text(&o, "unit"), "study") == 0 &&
              strcmp(option_text(&o, "split"), "valid") == 0 && !option_text(&o, "tasks"),
          "eval's");
    options_free(&o);
    CHECK(reading(&o, "speed", "", NULL) == EXIT_DONE && strcmp(option_text(&o, "net"), "resnet18") == 0 &&
              option_whole(&o, "size") == 320,
          "speed's");
    options_free(&o);
    CHECK(reading(&o, "predict", "- -- --json -x", NULL) == EXIT_DONE && o.arguments == 3 &&
              !strcmp(o.argument[0], "-") && !strcmp(o.argument[1], "--json") && !strcmp(o.argument[2], "-x") &&
              !option_on(&o, "json"),
          "what is behind --");
    options_free(&o);
    CHECK(reading(&o, "train", "--nonsense --help", NULL) == EXIT_DONE && o.help, "help whatever else is said");
    options_free(&o);
    CHECK(reading(&o, "predict", "a -- --help -h", NULL) == EXIT_DONE && !o.help, "not behind --");
    options_free(&o);
    CHECK(reading(&o, "train", "--quiet --quiet --json", NULL) == EXIT_DONE && option_on(&o, "json") &&
              strcmp(said, "--quiet is given twice\n") == 0,
          "%s", said);
    options_free(&o);
}

static void names(void)
{
    refused("train", "--epoch 3", "unknown option --epoch, here it is --epochs");
    refused("train", "--epochss 3", "unknown option --epochss, nearest is --epochs");
    refused("train", "--eps1 3", "unknown option --eps1, nearest is --eps");
    refused("train", "--ep=3", "unknown option --ep=3, nearest is --epochs");
    refused("train", "--split test", "unknown option --split: eval takes --split, train does not");
    refused("summary", "resnet18 --net resnet18",
            "unknown option --net: it is an argument here, expected thorax summary NET|RUN|FILE [--option VALUE]...");
    refused("train", "-batch 3", "unknown option -batch, expected --batch");
    refused("train",
            "\xe2\x80\x93"
            "batch 3",
            "unknown option \\xe2\\x80\\x93batch: its dash is not -");
    refused("train", "--batch", "--batch needs a value");
    refused("train", "--batch --size 3", "--batch needs a value, found the option --size");
    refused("train", "--out --size=3", "--out needs a value, found the option --size=3");
    refused("train", "--json=on", "--json takes no value, found 'on'");
    refused("train", "--optimizer ada", "--optimizer ada: expected one of adam|adamw|sgd|rmsprop, nearest is adam");
    refused("train", "--optimizer adamww",
            "--optimizer adamww: expected one of adam|adamw|sgd|rmsprop, nearest is adamw");
    refused("train", "--net resnet1", "--net resnet1: unknown network, nearest is resnet18 (thorax nets lists them)");
    refused("train", "--net resnet180",
            "--net resnet180: unknown network, nearest is resnet18 (thorax nets lists them)");
    refused("train", "--betas 0.9", "--betas 0.9: expected two numbers below 1, as 0.9,0.999");
    refused("summary", "''", "an argument is empty, expected thorax summary NET|RUN|FILE [--option VALUE]...");
    refused("summary", "", "missing argument, expected thorax summary NET|RUN|FILE [--option VALUE]...");
    refused("nets", "x", "unexpected argument 'x', expected thorax nets");
    refused("train", "resnet18", "unexpected argument 'resnet18', perhaps --net resnet18");
    refused("summary", "resnet18 resnet34",
            "unexpected argument 'resnet34', expected thorax summary NET|RUN|FILE [--option VALUE]...");
    options o;
    CHECK(reading(&o, "train", "--out --sized", NULL) == EXIT_DONE && strcmp(option_text(&o, "out"), "--sized") == 0,
          "a value that is no option: %s", said);
    options_free(&o);
    CHECK(reading(&o, "train", "--out -x --eps=0 --epochs 9", NULL) == EXIT_DONE &&
              !strcmp(option_text(&o, "out"), "-x") && option_real(&o, "eps") == 0 && option_whole(&o, "epochs") == 9,
          "names that begin alike: %s", said);
    options_free(&o);
    CHECK(reading(&o, "train", "--out a=b --data=c=d", NULL) == EXIT_DONE && !strcmp(option_text(&o, "out"), "a=b") &&
              !strcmp(option_text(&o, "data"), "c=d"),
          "values with a sign of their own: %s", said);
    options_free(&o);
    /* Names of just the room that there is for them, and longer. */
    for (size_t n = TX_NEAR_NAME - 2; n < TX_NEAR_NAME + 3; n++) {
        char line[100] = "--", wanted[200];
        memset(line + 2, 'q', n);
        snprintf(wanted, sizeof wanted, "thorax: unknown option %s (thorax train --help lists them)\n", line);
        int status = reading(&o, "train", line, NULL);
        CHECK(status == EXIT_USAGE && strcmp(said, wanted) == 0, "%zu letters: %s", n, said);
        options_free(&o);
        line[0] = line[1] = 'q';
        CHECK(reading(&o, "predict", line, NULL) == EXIT_DONE && !strcmp(o.argument[0], line),
              "an argument of %zu letters", n + 2);
        options_free(&o);
    }
    for (int i = 0; i < option_count(); i++) {
        char longer[80], shorter[80];
        snprintf(longer, sizeof longer, "%sx", option_at(i)->name);
        snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(option_at(i)->name) - 1, option_at(i)->name);
        CHECK(option_find(option_at(i)->name) == i && option_find(longer) == -1 && option_find(shorter) != i, "%s",
              option_at(i)->name);
    }
    for (int i = 0; i < command_count(); i++) {
        char longer[80];
        snprintf(longer, sizeof longer, "%sx", command_at(i)->name);
        CHECK(command_find(command_at(i)->name) == command_at(i) && !command_find(longer), "%s", command_at(i)->name);
    }
    CHECK(!command_find("") && !command_find("tra") && option_find("") == -1, "nothing");
}

static void files(void)
{
    static const struct {
        const char *text, *message; /* of the file named o; NULL: it is right */
    } cases[] = {{"", NULL},
                 {"\n \r\n# x\n", NULL},
                 {"batch = 8\nbatches = 9\n", "o line 2: unknown option 'batches', nearest is batch"},
                 {"batch\n", "o line 1: found 'batch', expected key = value"},
                 {"\nbatch = 0\n", "o line 2: batch = 0: expected a whole number from 1 to 65536"},
                 {"kernels = maybe\n", NULL},
                 {"quiet = yes\n", "o line 1: quiet = yes: expected on or off"},
                 {"config = x\n", "o line 1: a file of options names no other"},
                 {"out = \"x\n", "o line 1: out: expected a text between quotation marks"},
                 {"learning-rate = 1\n", "o line 1: unknown option 'learning-rate', here it is lr"},
                 {"batch = 1\nlr = 1\n\neps = x", "o line 4: eps = x: expected a number from 0 to 1000000"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[400];
        options o;
        temp_text(temp_path("o"), cases[i].text);
        snprintf(line, sizeof line, "--config %s", temp_path("o"));
        int status = reading(&o, "train", line, NULL);
        size_t folder = strlen(temp_folder) + 1, n = strlen("thorax: ");
        if (cases[i].message)
            CHECK(status == EXIT_FAILED && strlen(said) > n + folder &&
                      strncmp(said + n + folder, cases[i].message, strlen(cases[i].message)) == 0 &&
                      strcmp(said + n + folder + strlen(cases[i].message), "\n") == 0,
                  "'%s': %d %s", cases[i].text, status, said);
        else
            CHECK(status == EXIT_DONE && !said[0], "'%s': %d %s", cases[i].text, status, said);
        options_free(&o);
    }
}

static void spellings(void)
{
    options o;
    char room[64];
    static const char *const pairs[][2] = {{"lr", "1e-4"},  {"batch", "16"},    {"seed", "12"},
                                           {"quiet", "on"}, {"restart", "off"}, {"net", "resnet18"},
                                           {"warmup", "3"}, {"out", ""},        {"eps", "0"}};
    static const char *const wanted[] = {"0.0001", "16", "12", "on", "off", "resnet18", "3", "", "0"};
    CHECK(reading(&o, "train", "--lr 0.000100 --batch +016 --seed 0012 --quiet --net resnet18 --warmup 03 --eps -0",
                  NULL) == EXIT_DONE,
          "%s", said);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const char *spelt = option_canonical(&o, option_find(pairs[i][0]), room);
        CHECK(strcmp(spelt, wanted[i]) == 0 || (i == 8 && strcmp(spelt, "-0") == 0), "%s is spelt '%s'", pairs[i][0],
              spelt);
    }
    options_free(&o);
}

/* A command with several values of its own, whose options begin as others do. */
static void own_values(void)
{
    const command c = {
        .name = "c", .usage = "", .options = "netx cuts=3 out= size=97 batch=5 split=test epochs json", .most = -1};
    options o;
    CHECK(options_standards(&o, &c) == EXIT_DONE, "%s", tx_error_message());
    CHECK(option_whole(&o, "size") == 97 && option_whole(&o, "batch") == 5 &&
              !strcmp(option_text(&o, "split"), "test") && option_whole(&o, "epochs") == 3 && !option_text(&o, "out"),
          "values of its own: %ld %ld", option_whole(&o, "size"), option_whole(&o, "batch"));
    CHECK(!command_takes(&c, option_find("net")) && !command_takes(&c, option_find("cut")) &&
              !command_takes(&c, option_find("eps")) && command_takes(&c, option_find("out")) &&
              command_takes(&c, option_find("json")) && command_takes(&c, option_find("size")),
          "options that begin alike");
    CHECK(!option_text(&o, "net") && !option_text(&o, "cut"), "what it does not take");
    options_free(&o);
    const tx_net_info *net = tx_net_find("resnet18");
    int stream = dup(2), null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    for (int cut = 0; cut <= net->blocks + 1; cut++)
        CHECK((net_choice_check(&(tx_net_choice){.net = net, .cut = cut, .classes = 1, .size = net->smallest}) ==
               EXIT_DONE) == (cut <= net->blocks),
              "--cut %d", cut);
    for (int side = net->smallest - 1; side <= net->smallest + 1; side++)
        CHECK((net_choice_check(&(tx_net_choice){.net = net, .classes = 1, .size = side}) == EXIT_DONE) ==
                  (side >= net->smallest),
              "--size %d", side);
    dup2(stream, 2);
    close(stream);
    close(null);
}

/* What was said once is not said again; what begins as it does is. */
static void said_once(void)
{
    int stream = dup(2), file = open(temp_path("once"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    dup2(file, 2);
    work_begins();
    say_once("abc");
    say_once("ab");
    say_once("abc");
    say_once("bc");
    say_once("abcd");
    say_once("ab");
    say("abc");
    say_lines("x\ny\n");
    say_quietly(1);
    say("not this");
    say_quietly(0);
    dup2(stream, 2);
    close(stream);
    close(file);
    CHECK(temp_holds(temp_path("once"), "abc\nab\nbc\nabcd\nabc\nx\ny\n", 23), "other lines were said");
}

/* What a checkpoint carries beside its weights comes back; what is given wins; what is not known is named. */
static void recipes(void)
{
    options o;
    recipe r, back;
    settings carried = {0};
    char text[200], again[200];
    CHECK(
        reading(&o, "train",
                "--size 97 --resize stretch --interpolation lanczos --normalize 0.5,0.25,0.125/1,2,3e0 --views lateral "
                "--blank ignore --uncertain ones:Edema --tasks Edema,Hernia",
                NULL) == EXIT_DONE,
        "%s", said);
    CHECK(recipe_read(&r, &o, NULL, "imagenet") == TX_OK && recipe_write(&r, &carried) == TX_OK, "%s",
          tx_error_message());
    CHECK(r.how.size == 97 && r.how.stretch && r.how.interpolation == TX_LANCZOS && r.views == TX_VIEWS_LATERAL &&
              r.blank == TX_BLANK_IGNORE && !strcmp(r.uncertain, "ones:Edema") && !strcmp(r.tasks, "Edema,Hernia") &&
              !strcmp(r.normalize, "0.5,0.25,0.125/1,2,3") && r.how.normalize.std[2] == 3 &&
              r.how.normalize.mean[2] == 0.125,
          "a recipe: %s", r.normalize);
    options_free(&o);
    reading(&o, "predict", "a", NULL);
    CHECK(recipe_read(&back, &o, &carried, "imagenet") == TX_OK && !memcmp(&back.how, &r.how, sizeof r.how) &&
              !strcmp(back.normalize, r.normalize) && back.views == r.views && back.blank == r.blank &&
              !strcmp(back.tasks, r.tasks) && !strcmp(back.uncertain, r.uncertain),
          "it comes back as another: %s", tx_error_message());
    CHECK(strcmp(recipe_describe(&back, again, sizeof again), recipe_describe(&r, text, sizeof text)) == 0 &&
              !strcmp(text, "97 x 97 pixels, stretch, lanczos, normalize 0.5,0.25,0.125/1,2,3"),
          "%s", text);
    recipe_free(&back);
    recipe_free(&r);
    options_free(&o);
    reading(&o, "predict", "a --size 31 --views all", NULL);
    CHECK(recipe_read(&back, &o, &carried, "imagenet") == TX_OK && back.how.size == 31 && back.views == TX_VIEWS_ALL &&
              back.how.stretch,
          "what is given wins: %s", tx_error_message());
    recipe_free(&back);
    CHECK(recipe_read(&back, &o, NULL, "chexpert") == TX_OK && back.how.size == 31 && !back.how.stretch &&
              !strcmp(back.normalize, "chexpert") && !strcmp(back.tasks, "all") &&
              back.how.interpolation == TX_BILINEAR,
          "nothing carried: %s", tx_error_message());
    recipe_free(&back);
    static const char *const bad[][2] = {{"resize", "shor"},         {"resize", "shorter"},  {"interpolation", "bi"},
                                         {"views", "alle"},          {"blank", "zero"},      {"normalize", "imagenets"},
                                         {"normalize", "1,1,1/1,1"}, {"uncertain", "oness"}, {"interpolation", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        settings odd = {0};
        recipe_read(&r, &o, NULL, "imagenet");
        recipe_write(&r, &odd);
        recipe_free(&r);
        settings_set(&odd, bad[i][0], bad[i][1]);
        options plain;
        reading(&plain, "predict", "a", NULL);
        CHECK(recipe_read(&back, &plain, &odd, "imagenet") != TX_OK, "%s = '%s' is taken", bad[i][0], bad[i][1]);
        recipe_free(&back);
        options_free(&plain);
        settings_free(&odd);
    }
    static const char *const sizes[] = {"0", "1", "65535", "99999999", "", "-1", "12.0"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        options plain;
        reading(&plain, "predict", "a", NULL);
        settings_set(&carried, "size", sizes[i]);
        long side = strtol(sizes[i], NULL, 10);
        int fits = side >= 1 && side <= TX_SIZE_MAX && !strchr(sizes[i], '.');
        CHECK((recipe_read(&back, &plain, &carried, "imagenet") == TX_OK) == fits && (!fits || back.how.size == side),
              "size '%s': %s", sizes[i], tx_error_message());
        recipe_free(&back);
        options_free(&plain);
    }
    options_free(&o);
    settings_free(&carried);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_options");
    limits();
    precedence();
    names();
    files();
    spellings();
    own_values();
    said_once();
    recipes();
    output_done();
    temp_end();
    return test_done("bench_options");
}
