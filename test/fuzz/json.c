/* json.c - tokens of a text until its end or its error; and the texts as numbers. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const seeds[] = {
        "{\"a\": [1, -2.5e-3, true, false, null], \"b\": {\"\\u00e9\\ud83d\\ude00\\n\": \"\xc3\xa9\"}}", "[[[[]]], {}]",
        "\"x\"", "1e400", " 0 "};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "json%zu", i);
        fuzz_seed(name, seeds[i], strlen(seeds[i]));
    }
    (void)argc;
    (void)argv;
    return 0;
}

/* Printed with enough digits, a number reads back as itself. */
static void number(const char *text)
{
    double value, again;
    int64_t whole;
    char printed[TX_NUMBER];
    if (tx_integer_parse(text, &whole) == 0 && tx_number_parse(text, &value))
        abort();
    if (tx_number_parse(text, &value) == 0 &&
        (tx_number_parse(tx_number_print(printed, sizeof printed, value, 17), &again) || again != value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = tx_alloc(size + 1, 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    number(text);
    tx_json json;
    tx_json_begin(&json, text, size);
    tx_json_token token;
    while ((token = tx_json_next(&json)) > TX_JSON_END)
        if (token == TX_JSON_KEY || token == TX_JSON_STRING || token == TX_JSON_NUMBER) {
            if (json.string < text || json.string + json.length > text + size || strlen(json.string) != json.length)
                abort();
            number(json.string);
        }
    fuzz_check(token == TX_JSON_ERROR);
    if (tx_json_next(&json) != token)
        abort();
    tx_free(text);
    return 0;
}
