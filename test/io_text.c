/* io_text.c - numbers as text against the C library's, which is exact in glibc and musl, and against known cases. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include <locale.h>

static double from_bits(uint64_t u)
{
    double v;
    memcpy(&v, &u, sizeof v);
    return v;
}

static void print_random(void)
{
    char wanted[64], found[64];
    for (int i = 0; i < 40000; i++) {
        uint64_t u = temp_random();
        double v = i % 4 == 0   ? from_bits(u)
                   : i % 4 == 1 ? (double)(float)(from_bits((u >> 12) | (uint64_t)1023 << 52) - 1)
                   : i % 4 == 2 ? (double)(int64_t)(u >> 40) / 64
                                : from_bits(u >> 12);
        int digits = i % 17 + 1;
        if (v != v)
            continue;
        snprintf(wanted, sizeof wanted, "%.*g", digits, v);
        tx_number_print(found, sizeof found, v, digits);
        CHECK(strcmp(wanted, found) == 0, "%a with %d digits: '%s', expected '%s'", v, digits, found, wanted);
        double back = 0;
        snprintf(wanted, sizeof wanted, "%.17g", v);
        if (v - v == 0)
            CHECK(tx_number_parse(wanted, &back) == 0 && memcmp(&back, &v, sizeof v) == 0, "%s came back as %a", wanted,
                  back);
    }
}

static void print_fixed(void)
{
    char wanted[400], found[400];
    for (int i = 0; i < 5000; i++) {
        double v = (double)(int64_t)(temp_random() >> 30) / (double)((int64_t)1 << (i % 40)) * (i % 2 ? 1 : -1);
        snprintf(wanted, sizeof wanted, "%.*f", i % 12, v);
        tx_number_fixed(found, sizeof found, v, i % 12);
        CHECK(strcmp(wanted, found) == 0, "%a with %d decimals: '%s', expected '%s'", v, i % 12, found, wanted);
    }
    const double odd[] = {0.5, 1.5, 2.5, 0.05, 0.25, 9.5, 0.999, 0.0009, 99.95, 1e300, 0, 5e-324};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (int decimals = 0; decimals < 4; decimals++) {
            snprintf(wanted, sizeof wanted, "%.*f", decimals, odd[i]);
            tx_number_fixed(found, sizeof found, odd[i], decimals);
            CHECK(strcmp(wanted, found) == 0, "%a: '%s', expected '%s'", odd[i], found, wanted);
        }
    CHECK(strcmp(tx_number_fixed(found, TX_NUMBER, 1e300, 2), "1e+300") == 0, "what does not fit: '%s'", found);
}

static void parse_random(void)
{
    for (int i = 0; i < 40000; i++) {
        char text[1100];
        size_t n = 0, digits = i % 50 == 0 ? 900 : 1 + temp_random() % 30;
        for (size_t d = 0; d < digits; d++) {
            text[n++] = (char)('0' + temp_random() % 10);
            if (d == digits / 2 && i % 3)
                text[n++] = '.';
        }
        snprintf(text + n, 16, "e%d", (int)(temp_random() % (i % 7 ? 40 : 700)) - (i % 7 ? 20 : 350));
        double found = 0, wanted = strtod(text, NULL);
        int status = tx_number_parse(text, &found);
        if (wanted <= 1.7976931348623157e308)
            CHECK(status == 0 && memcmp(&found, &wanted, sizeof found) == 0, "%.60s: %a, expected %a", text, found,
                  wanted);
        else
            CHECK(status == -1, "%.60s should not fit", text);
    }
}

/* Numbers that lie exactly between two doubles, and a hair beside. */
static void parse_ties(void)
{
    static const char *const text[] = {
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000000001",
        "9007199254740992.99999999999999999999999",
        "1e23",
        "8.5e22",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "0.1",
        "-0",
        "000.00e99999",
        "5.",
        ".5",
        "1e-400",
        "1e-99999999999999999999",
        "6631236846766476.5",
        "9214843084008499",
        "1e0000000000000000001",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        double found = 7, wanted = strtod(text[i], NULL);
        CHECK(tx_number_parse(text[i], &found) == 0 && memcmp(&found, &wanted, sizeof found) == 0,
              "%s: %a, expected %a", text[i], found, wanted);
    }
    static const char *const none[] = {
        "",      " 1",
        "1 ",    "+",
        "-",     ".",
        "e5",    "1e",
        "1e+",   "0x10",
        "nan",   "inf",
        "1,5",   "1.5.2",
        "--1",   "1.7976931348623159e308",
        "1e309", "1e99999999999999999999",
        "1f",    "1d5",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        double found;
        CHECK(tx_number_parse(none[i], &found) == -1, "'%s' is no number", none[i]);
    }
}

static void special(void)
{
    char out[TX_NUMBER], small[8];
    double inf = from_bits((uint64_t)2047 << 52), nan = from_bits((uint64_t)4095 << 51);
    CHECK(strcmp(tx_number_print(out, sizeof out, nan, 9), "nan") == 0, "%s", out);
    CHECK(strcmp(tx_number_print(out, sizeof out, -nan, 9), "nan") == 0, "%s", out);
    CHECK(strcmp(tx_number_print(out, sizeof out, inf, 9), "inf") == 0, "%s", out);
    CHECK(strcmp(tx_number_fixed(out, sizeof out, -inf, 3), "-inf") == 0, "%s", out);
    CHECK(strlen(tx_number_print(small, sizeof small, -1.2345678e-300, 17)) == 7, "cut at the room that there is");
    CHECK(strlen(tx_number_print(out, sizeof out, -2.2250738585072014e-308, 17)) < TX_NUMBER - 1, "%s", out);
}

static void integers(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},  {"-1", -1}, {"+7", 7}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
        {"007", 7}};
    static const char *const bad[] = {"",    "-",  "9223372036854775808",    "-9223372036854775809", "1.0",
                                      "1e3", " 1", "99999999999999999999999"};
    int64_t v;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(tx_integer_parse(good[i].text, &v) == 0 && v == good[i].value, "%s", good[i].text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(tx_integer_parse(bad[i], &v) == -1, "'%s' is no integer", bad[i]);
}

int main(void)
{
    print_random();
    print_fixed();
    parse_random();
    parse_ties();
    special();
    integers();
    if (setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8")) {
        char out[TX_NUMBER];
        double v;
        CHECK(strcmp(tx_number_print(out, sizeof out, 1.5, 9), "1.5") == 0, "a locale changed the point: %s", out);
        CHECK(tx_number_parse("1.5", &v) == 0 && v == 1.5, "a locale changed the parser");
    }
    return test_done("io_text");
}
