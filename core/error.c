/* error.c - the one line that a failure leaves behind. */
#include "core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* tcc has no thread-local variables; there the message is the process's. */
#if defined(__TINYC__) || defined(__STDC_NO_THREADS__) && !defined(__GNUC__)
#define TX_THREAD
#elif defined(__GNUC__) || defined(__clang__)
#define TX_THREAD __thread
#else
#define TX_THREAD _Thread_local
#endif

static TX_THREAD char message[512];
static TX_THREAD tx_status reason;
static TX_THREAD char cause[sizeof message]; /* what tx_fail_null found, while messages are of its making */
static TX_THREAD int follows;

tx_status tx_fail(tx_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format ? format : "no message", args);
    va_end(args);
    reason = status;
    follows = 0;
    return status;
}

tx_status tx_fail_null(const char *call, const char *what)
{
    if (!follows)
        memcpy(cause, message, sizeof cause);
    tx_fail(TX_ERR_ARGUMENT, *cause ? "%s: no %s (the failure before: %.400s)" : "%s: no %s", call ? call : "",
            what ? what : "", cause);
    follows = 1;
    return TX_ERR_ARGUMENT;
}

tx_status tx_fail_within(tx_status status, const char *format, ...)
{
    char inner[sizeof message], prefix[sizeof message];
    memcpy(inner, message, sizeof inner);
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format ? format : "no message", args);
    va_end(args);
    size_t n = strlen(prefix);
    if (n > sizeof message - 3)
        n = sizeof message - 3;
    memcpy(message, prefix, n);
    memcpy(message + n, ": ", 3);
    size_t room = sizeof message - n - 3, length = strlen(inner);
    if (length > room)
        length = room;
    memcpy(message + n + 2, inner, length);
    message[n + 2 + length] = 0;
    reason = status;
    return status;
}

const char *tx_error_message(void)
{
    return message;
}

tx_status tx_error_status(void)
{
    return reason;
}

/* A byte as it may stand in a message: itself or \xNN. Returns the characters. */
static size_t escape_byte(char piece[4], unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7f) {
        piece[0] = (char)byte;
        return 1;
    }
    piece[0] = '\\';
    piece[1] = 'x';
    piece[2] = digits[byte >> 4];
    piece[3] = digits[byte & 15];
    return 4;
}

const char *tx_escape(char *out, size_t size, const char *text)
{
    if (!out || size < 4) {
        tx_fail_null("tx_escape", "room of four bytes");
        return "";
    }
    if (!text)
        text = "";
    size_t limit = size - 1 < 80 ? size - 1 : 80, used = 0, whole = 0;
    char piece[4];
    for (const char *p = text; *p && whole <= limit; p++)
        whole += escape_byte(piece, (unsigned char)*p);
    size_t room = whole <= limit ? limit : limit - 2;
    for (; *text; text++) {
        size_t n = escape_byte(piece, (unsigned char)*text);
        if (used + n > room) {
            memcpy(out + used, "..", 2);
            used += 2;
            break;
        }
        memcpy(out + used, piece, n);
        used += n;
    }
    out[used] = 0;
    return out;
}
