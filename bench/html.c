/* html.c - tables and numbers of pages. */
#include "html.h"

#include <math.h>
#include <string.h>

void html_table(tx_buffer *p, const char *caption, const char *const *heads)
{
    tx_buffer_append(p, "<div class=\"wide\" tabindex=\"0\"><table>");
    if (caption) {
        tx_buffer_append(p, "<caption>");
        tx_buffer_html(p, caption);
        tx_buffer_append(p, "</caption>");
    }
    tx_buffer_append(p, "\n<thead><tr>");
    for (; *heads; heads++) {
        int text = **heads == '|';
        tx_buffer_append(p, text ? "<th class=\"text\" scope=\"col\">" : "<th scope=\"col\">");
        tx_buffer_html(p, *heads + text);
        tx_buffer_append(p, "</th>");
    }
    tx_buffer_append(p, "</tr></thead>\n<tbody>\n");
}

void html_table_end(tx_buffer *p)
{
    tx_buffer_append(p, "</tbody></table></div>\n");
}

void html_row(tx_buffer *p, const char *class)
{
    if (class)
        tx_buffer_add(p, "<tr class=\"%s\">", class);
    else
        tx_buffer_append(p, "<tr>");
}

void html_row_end(tx_buffer *p)
{
    tx_buffer_append(p, "</tr>\n");
}

void html_text(tx_buffer *p, const char *text)
{
    enum { LONG = 24 };
    tx_buffer_append(p, strlen(text) > LONG ? "<td class=\"text long\">" : "<td class=\"text\">");
    tx_buffer_html(p, text);
    tx_buffer_append(p, "</td>");
}

const char *html_many(size_t n)
{
    return n == 1 ? "" : "s";
}

const char *html_number(char out[TX_NUMBER], double value, int decimals, int sign)
{
    char number[TX_NUMBER];
    if (!isfinite(value)) {
        snprintf(out, TX_NUMBER, "-");
        return out;
    }
    tx_number_fixed(number, sizeof number, value, decimals);
    if (number[0] == '-' && number[strspn(number, "-0.")] == 0)
        memmove(number, number + 1, strlen(number));
    snprintf(out, TX_NUMBER, "%s%.30s", sign && number[0] != '-' && number[strspn(number, "0.")] ? "+" : "", number);
    return out;
}

void html_real(tx_buffer *p, double value, int decimals)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, "<td>%s</td>", html_number(number, value, decimals, 0));
}

void html_marked(tx_buffer *p, double value, int decimals, int mark)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, "<td>%s%s</td>", html_number(number, value, decimals, 0),
                  mark && isfinite(value) ? "*" : "<span class=\"hidden\">*</span>");
}

void html_signed(tx_buffer *p, double value, int decimals)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, "<td>%s</td>", html_number(number, value, decimals, 1));
}

void html_interval(tx_buffer *p, double low, double high, int decimals)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    if (isfinite(low) && isfinite(high))
        tx_buffer_add(p, "%s to %s", html_number(a, low, decimals, 0), html_number(b, high, decimals, 0));
    else
        tx_buffer_append(p, "-");
}

void html_range(tx_buffer *p, double low, double high, int decimals)
{
    tx_buffer_append(p, "<td>");
    html_interval(p, low, high, decimals);
    tx_buffer_append(p, "</td>");
}

void html_grouped(tx_buffer *p, size_t n)
{
    if (n >= 1000) {
        html_grouped(p, n / 1000);
        tx_buffer_add(p, ",%03zu", n % 1000);
    } else {
        tx_buffer_add(p, "%zu", n);
    }
}

void html_count(tx_buffer *p, size_t n)
{
    tx_buffer_append(p, "<td>");
    html_grouped(p, n);
    tx_buffer_append(p, "</td>");
}

void html_share(tx_buffer *p, size_t n, size_t of)
{
    char share[TX_NUMBER];
    tx_buffer_append(p, "<td>");
    html_grouped(p, n);
    if (of)
        tx_buffer_add(p, " (%s%%)", html_number(share, 100 * (double)n / (double)of, 1, 0));
    tx_buffer_append(p, "</td>");
}

void html_p_value(tx_buffer *p, double value)
{
    char number[TX_NUMBER];
    if (value < 0.001)
        tx_buffer_append(p, "below 0.001");
    else
        tx_buffer_append(p, html_number(number, value, 3, 0));
}

void html_p(tx_buffer *p, double value)
{
    tx_buffer_append(p, "<td>");
    html_p_value(p, value);
    tx_buffer_append(p, "</td>");
}
