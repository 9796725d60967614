/* options.c - lines: those before an empty one are a command line, the others a configuration file. */
#include "fuzz.h"
#include "../../bench/commands.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const seeds[] = {
        "train\n--net\nresnet18\n--out=x\n--json\n--\n-a\n\n# comment\nlr = 1e-4\nnormalize = 0.5,0.5,0.5/1,2,3\n",
        "summary\nresnet18\n--size\n64\n--cut\n1\n\n\xef\xbb\xbf" "batch = 3\r\nseed = 18446744073709551615\n",
        "eval\nRUN\n--tasks\nEdema,No Finding\n--ensemble\n--bach\n3\n\nviews = frontal\nquiet = on\n",
        "train\n--betas\n0.9,0.999\n--augment\nflip,rotate=5\n--schedule\ncosine\n--freeze\nconv1,bn1\n\nkeep = 10\n"};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "options%zu", i);
        fuzz_seed(name, seeds[i], strlen(seeds[i]));
    }
    (void)argc;
    (void)argv;
    return 0;
}

/* What was accepted has one spelling, which is accepted as well and stays. */
static void use(const options *o)
{
    for (int i = 0; i < option_count(); i++) {
        char first[64], line[64], again[64];
        if (!command_takes(o->command, i) || option_at(i)->kind == OPTION_TEXT || !o->value[i])
            continue;
        const char *value = option_canonical(o, i, first);
        options same = *o;
        snprintf(line, sizeof line, "%s", value);
        same.value[i] = line;
        if (strcmp(option_canonical(&same, i, again), value) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORDS = 64 };
    char *text = tx_alloc(size + 1, 1), *word[WORDS];
    int words = 0;
    if (!text)
        return 0;
    memcpy(text, data, size);
    char *at = text, *end;
    while (words < WORDS - 2 && *at && *at != '\n' && (end = strchr(at, '\n'))) {
        *end = 0;
        word[words++] = at;
        at = end + 1;
    }
    const char *config = fuzz_file("config.txt", at, size - (size_t)(at - text));
    const command *c = words ? command_find(word[0]) : NULL;
    if (c && c->what) {
        char name[] = "--config";
        word[words++] = name;
        word[words++] = (char *)(uintptr_t)config;
        options o;
        if (options_read(&o, c, words - 1, word + 1, NULL) == EXIT_DONE && !o.help)
            use(&o);
        options_free(&o);
    }
    tx_free(text);
    return 0;
}
