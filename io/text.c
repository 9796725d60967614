/* text.c - numbers to text and back by exact integer arithmetic, the same under every locale and libc; UTF-8.
 *
 * A double is m * 2^e, so its decimal expansion is finite: at most 309 digits before the point and 1074 behind it.
 * Printing writes it out in full and rounds once. Parsing takes the decimal number as an integer of many words,
 * multiplies or divides it by a power of ten and rounds the quotient once, with a sticky bit for what lies below. */
#include "io_private.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- printing */

enum { EXPANSION = 1408, BILLION = 1000000000 };

/* 0.d[0]d[1].. * 10^point, d[0] != 0; n == 0 is zero. */
typedef struct decimal {
    char d[EXPANSION];
    int n, point;
} decimal;

/* m * 2^shift as little-endian words; returns their number. */
static int words_from(uint32_t *w, int room, uint64_t m, int shift)
{
    memset(w, 0, (size_t)room * sizeof *w);
    for (int bit = 0; bit < 64; bit++)
        if (m >> bit & 1)
            w[(bit + shift) / 32] |= (uint32_t)1 << (bit + shift) % 32;
    int n = room;
    while (n > 0 && w[n - 1] == 0)
        n--;
    return n;
}

/* w = floor(w / by); returns the remainder. */
static uint32_t words_divide(uint32_t *w, int *n, uint32_t by)
{
    uint64_t rest = 0;
    for (int i = *n - 1; i >= 0; i--) {
        uint64_t part = rest << 32 | w[i];
        w[i] = (uint32_t)(part / by);
        rest = part % by;
    }
    while (*n > 0 && w[*n - 1] == 0)
        --*n;
    return (uint32_t)rest;
}

/* Digits before the point, most significant first. */
static void expand_integer(decimal *x, uint64_t m, int shift)
{
    uint32_t w[36], group[40];
    int n = words_from(w, 36, m, shift), groups = 0;
    while (n > 0)
        group[groups++] = words_divide(w, &n, BILLION);
    for (int i = groups - 1; i >= 0; i--)
        for (uint32_t unit = BILLION / 10; unit > 0; unit /= 10) {
            char digit = (char)(group[i] / unit % 10);
            if (x->n > 0 || digit != 0)
                x->d[x->n++] = digit;
        }
    x->point = x->n;
}

/* Digits of fraction / 2^bits, fraction < 2^bits: each multiplication by 10^9 pushes nine over the point. */
static void expand_fraction(decimal *x, uint64_t fraction, int bits)
{
    uint32_t w[36];
    int words = (bits + 31) / 32, low = 0;
    words_from(w, 36, fraction, words * 32 - bits);
    for (;;) {
        while (low < words && w[low] == 0)
            low++;
        if (low == words)
            return;
        uint64_t carry = 0;
        for (int i = low; i < words; i++) {
            carry += (uint64_t)w[i] * BILLION;
            w[i] = (uint32_t)carry;
            carry >>= 32;
        }
        for (uint32_t unit = BILLION / 10; unit > 0; unit /= 10) {
            char digit = (char)(carry / unit % 10);
            if (x->n > 0 || digit != 0)
                x->d[x->n++] = digit;
            else
                x->point--;
        }
    }
}

/* The exact digits of a finite value > 0. */
static void expand(decimal *x, double value)
{
    uint64_t u;
    memcpy(&u, &value, sizeof u);
    int e = (int)(u >> 52 & 2047);
    uint64_t m = u & (((uint64_t)1 << 52) - 1);
    if (e == 0)
        e = 1;
    else
        m |= (uint64_t)1 << 52;
    e -= 1075;
    x->n = x->point = 0;
    if (e >= 0) {
        expand_integer(x, m, e);
    } else if (e > -53) {
        expand_integer(x, m >> -e, 0);
        expand_fraction(x, m & (((uint64_t)1 << -e) - 1), -e);
    } else {
        expand_fraction(x, m, -e);
    }
    while (x->n > 0 && x->d[x->n - 1] == 0)
        x->n--;
}

/* Rounds to the first `keep` digits, ties to even. keep may be 0 or negative. */
static void round_digits(decimal *x, int keep)
{
    if (keep >= x->n)
        return;
    int up = 0;
    if (keep >= 0) {
        int odd = keep > 0 && x->d[keep - 1] % 2 == 1;
        up = x->d[keep] > 5 || (x->d[keep] == 5 && (keep + 1 < x->n || odd));
    }
    x->n = keep > 0 ? keep : 0;
    while (up && x->n > 0 && x->d[x->n - 1] == 9)
        x->n--;
    if (up && x->n > 0) {
        x->d[x->n - 1]++;
    } else if (up) {
        x->d[0] = 1;
        x->n = 1;
        x->point++;
    }
    while (x->n > 0 && x->d[x->n - 1] == 0)
        x->n--;
}

/* A text that grows within bounds; `cut` tells that something did not fit. */
typedef struct line {
    char *out;
    size_t size, used;
    int cut;
} line;

static void put(line *t, char c)
{
    if (t->used + 1 < t->size)
        t->out[t->used++] = c;
    else
        t->cut = 1;
}

static void put_text(line *t, const char *text)
{
    while (*text)
        put(t, *text++);
}

static char digit_at(const decimal *x, int i)
{
    return (char)('0' + (i >= 0 && i < x->n ? x->d[i] : 0));
}

/* The digits in positional notation with exactly `decimals` behind the point. */
static void put_positional(line *t, const decimal *x, int decimals)
{
    int point = x->n ? x->point : 0;
    if (point <= 0)
        put(t, '0');
    for (int i = 0; i < point; i++)
        put(t, digit_at(x, i));
    if (decimals > 0)
        put(t, '.');
    for (int i = point; i < point + decimals; i++)
        put(t, digit_at(x, i));
}

static void put_scientific(line *t, const decimal *x)
{
    put(t, digit_at(x, 0));
    if (x->n > 1)
        put(t, '.');
    for (int i = 1; i < x->n; i++)
        put(t, digit_at(x, i));
    int e = x->point - 1;
    put(t, 'e');
    put(t, e < 0 ? '-' : '+');
    if (e < 0)
        e = -e;
    if (e >= 100)
        put(t, (char)('0' + e / 100));
    put(t, (char)('0' + e / 10 % 10));
    put(t, (char)('0' + e % 10));
}

/* Sign, and the values that have no digits; 1 if the number is complete with that. */
static int put_special(line *t, double *value)
{
    uint64_t u;
    memcpy(&u, value, sizeof u);
    if (*value != *value) {
        put_text(t, "nan");
        return 1;
    }
    if (u >> 63) {
        put(t, '-');
        *value = -*value;
    }
    if (*value <= 1.7976931348623157e308)
        return 0;
    put_text(t, "inf");
    return 1;
}

const char *tx_number_print(char *out, size_t size, double value, int digits)
{
    if (!out || size == 0) {
        tx_fail_null("tx_number_print", "room for a number");
        return "";
    }
    line t = {out, size, 0, 0};
    if (digits < 1)
        digits = 1;
    if (!put_special(&t, &value)) {
        decimal x;
        expand(&x, value);
        round_digits(&x, digits);
        if (x.n == 0)
            put(&t, '0');
        else if (x.point - 1 < -4 || x.point > digits)
            put_scientific(&t, &x);
        else
            put_positional(&t, &x, x.n > x.point ? x.n - x.point : 0);
    }
    out[t.used] = 0;
    return out;
}

const char *tx_number_fixed(char *out, size_t size, double value, int decimals)
{
    if (!out || size == 0) {
        tx_fail_null("tx_number_fixed", "room for a number");
        return "";
    }
    line t = {out, size, 0, 0};
    double magnitude = value;
    decimals = decimals < 0 ? 0 : decimals > EXPANSION ? EXPANSION : decimals;
    if (!put_special(&t, &magnitude)) {
        decimal x;
        expand(&x, magnitude);
        round_digits(&x, x.point + decimals);
        put_positional(&t, &x, decimals);
        if (t.cut)
            return tx_number_print(out, size, value, 9);
    }
    out[t.used] = 0;
    return out;
}

/* --------------------------------------------------------------------------------------- parsing */

/* A tie between two doubles has at most 767 significant digits, so 800 and "something follows" decide every case. */
enum { DIGITS = 800, WORDS = 192, FIVES = 13 };
#define FIVE_13 1220703125u

static const uint32_t power_of_5[FIVES] = {1,     5,      25,      125,     625,      3125,     15625,
                                           78125, 390625, 1953125, 9765625, 48828125, 244140625};

/* w = w * by + add */
static void words_multiply(uint32_t *w, int *n, uint32_t by, uint32_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < *n; i++) {
        carry += (uint64_t)w[i] * by;
        w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        w[(*n)++] = (uint32_t)carry;
}

/* (w + something below one, if sticky) * 2^e, rounded to double, ties to even. w is not 0. */
static double words_round(const uint32_t *w, int n, int e, int sticky)
{
    uint64_t top = 0;
    int taken = 0, i = n - 1;
    for (; i >= 0 && taken < 2; i--, taken++)
        top = top << 32 | w[i];
    e += 32 * (i + 1);
    uint32_t below = i >= 0 ? w[i--] : 0;
    int shift = 0;
    while (top >> 63 == 0) {
        top = top << 1 | below >> 31;
        below <<= 1;
        shift++;
    }
    e -= shift;
    sticky |= below != 0;
    for (; i >= 0; i--)
        sticky |= w[i] != 0;
    /* 53 bits are kept, fewer where the last of them would be worth less than 2^-1074 */
    int drop = e + 11 < -1074 ? -1074 - e : 11;
    if (drop > 64)
        return 0;
    uint64_t kept = drop == 64 ? 0 : top >> drop, half = (uint64_t)1 << (drop - 1);
    uint64_t rest = drop == 64 ? top : top & (((uint64_t)1 << drop) - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1))))
        kept++;
    return ldexp((double)kept, e + drop);
}

/* digits * 10^exponent as a double; digits is an integer of n words. */
static double scale(uint32_t *w, int n, int exponent, int sticky)
{
    if (exponent >= 0) {
        int e = exponent;
        for (; exponent >= FIVES; exponent -= FIVES)
            words_multiply(w, &n, FIVE_13, 0);
        words_multiply(w, &n, power_of_5[exponent], 0);
        return words_round(w, n, e, sticky);
    }
    int k = -exponent, up = k * 7 / 96 + 4; /* 5^k < 2^(7k/3): the quotient keeps more than 64 bits */
    memmove(w + up, w, (size_t)n * sizeof *w);
    memset(w, 0, (size_t)up * sizeof *w);
    n += up;
    int fives = k;
    for (; fives >= FIVES; fives -= FIVES)
        sticky |= words_divide(w, &n, FIVE_13) != 0;
    sticky |= words_divide(w, &n, power_of_5[fives]) != 0;
    return words_round(w, n, -32 * up - k, sticky);
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* e+12 and the like; NULL if it is none. Far exponents are cut to where the result no longer changes. */
static const char *parse_exponent(const char *p, int64_t *exponent)
{
    int negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (!is_digit(*p))
        return NULL;
    int64_t e = 0;
    for (; is_digit(*p); p++)
        if (e < (int64_t)1 << 40)
            e = e * 10 + (*p - '0');
    *exponent += negative ? -e : e;
    return p;
}

int tx_number_parse(const char *text, double *value)
{
    if (!text || !value) {
        tx_fail_null("tx_number_parse", text ? "room for a number" : "text");
        return -1;
    }
    uint32_t w[WORDS];
    const char *p = text;
    int negative = *p == '-', n = 0, kept = 0, any = 0, sticky = 0, behind = 0;
    int64_t exponent = 0;
    if (*p == '-' || *p == '+')
        p++;
    for (; is_digit(*p) || (*p == '.' && !behind); p++) {
        if (*p == '.') {
            behind = 1;
            continue;
        }
        any = 1;
        exponent -= behind;
        if (kept == 0 && *p == '0')
            continue;
        if (kept < DIGITS) {
            words_multiply(w, &n, 10, (uint32_t)(*p - '0'));
            kept++;
        } else {
            sticky |= *p != '0';
            exponent++;
        }
    }
    if (any && (*p == 'e' || *p == 'E'))
        p = parse_exponent(p + 1, &exponent);
    if (!any || !p || *p || exponent + kept > 400)
        if (!any || !p || *p || kept > 0)
            return -1;
    double v = kept == 0 || exponent + kept < -400 ? 0 : scale(w, n, (int)exponent, sticky);
    if (v > 1.7976931348623157e308)
        return -1;
    *value = negative ? -v : v;
    return 0;
}

int tx_integer_parse(const char *text, int64_t *value)
{
    if (!text || !value) {
        tx_fail_null("tx_integer_parse", text ? "room for a number" : "text");
        return -1;
    }
    const char *p = text;
    int negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (!is_digit(*p))
        return -1;
    uint64_t limit = negative ? (uint64_t)1 << 63 : ((uint64_t)1 << 63) - 1, v = 0;
    for (; is_digit(*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (limit - digit) / 10)
            return -1;
        v = v * 10 + digit;
    }
    if (*p)
        return -1;
    *value = negative ? (v == limit ? INT64_MIN : -(int64_t)v) : (int64_t)v;
    return 0;
}

const char *tx_number_shortest(char *out, size_t size, double value)
{
    if (!out || size == 0) {
        tx_fail_null("tx_number_shortest", "room for a number");
        return "";
    }
    for (int digits = 1; digits <= 17; digits++) {
        double back;
        tx_number_print(out, size, value, digits);
        if (tx_number_parse(out, &back) == 0 && back == value)
            break;
    }
    return out;
}

size_t tx_utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* --------------------------------------------------------------------------------------- quoting */

void tx_quote_csv(const char *text, tx_put *give, void *to)
{
    if (!text || !give) {
        tx_fail_null("tx_quote_csv", text ? "function" : "text");
        return;
    }
    if (!strpbrk(text, ",\"\r\n")) {
        give(to, text, strlen(text));
        return;
    }
    give(to, "\"", 1);
    for (const char *p = text; *p; p++)
        give(to, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    give(to, "\"", 1);
}

/* Writes what stands for the character at **text within a JSON string, without a zero, moves *text behind it and
 * returns the bytes written. */
static size_t json_character(const char **text, char out[8])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)**text;
    size_t n = tx_utf8_length((const unsigned char *)*text);
    memcpy(out, "\\ufffd", 6);
    if (c == '"' || c == '\\') {
        out[1] = (char)c;
        ++*text;
        return 2;
    }
    if (n > 0 && c >= 0x20 && c != 0x7f) {
        memcpy(out, *text, n);
        *text += n;
        return n;
    }
    if (n > 0) {
        out[2] = out[3] = '0';
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
    }
    ++*text;
    return 6;
}

void tx_quote_json(const char *text, tx_put *give, void *to)
{
    if (!text || !give) {
        tx_fail_null("tx_quote_json", text ? "function" : "text");
        return;
    }
    char piece[8];
    give(to, "\"", 1);
    while (*text) {
        size_t n = json_character(&text, piece);
        give(to, piece, n);
    }
    give(to, "\"", 1);
}
