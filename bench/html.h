/* html.h - tables and numbers of pages. Private to bench. */
#ifndef THORAX_BENCH_HTML_H
#define THORAX_BENCH_HTML_H

#include "../io/io.h"

/* A table within a frame that scrolls where it is too wide, whose head repeats on paper. heads: names of the columns, NULL behind
 * the last; one that begins with '|' is of text, the others are of numbers. caption may be NULL. */
void html_table(tx_buffer *p, const char *caption, const char *const *heads);
void html_table_end(tx_buffer *p);
/* A row of it; class may be NULL. */
void html_row(tx_buffer *p, const char *class);
void html_row_end(tx_buffer *p);
/* Its cells. What is not finite is "-". A long text may wrap, but not to a column of single words. */
void html_text(tx_buffer *p, const char *text);
void html_real(tx_buffer *p, double value, int decimals);
/* With a star behind it, or the room for one, so that points stand below each other. */
void html_marked(tx_buffer *p, double value, int decimals, int mark);
void html_signed(tx_buffer *p, double value, int decimals); /* with its sign, as differences are */
void html_range(tx_buffer *p, double low, double high, int decimals);
void html_count(tx_buffer *p, size_t n);            /* 11,183,694 */
void html_share(tx_buffer *p, size_t n, size_t of); /* 12 (3.4%) */
void html_p(tx_buffer *p, double value);

/* In running text. */
void html_grouped(tx_buffer *p, size_t n);
/* "" of one, else "s". */
const char *html_many(size_t n);
/* "0.714"; "+0.012" with a sign. Never -0. Returns out. */
const char *html_number(char out[TX_NUMBER], double value, int decimals, int sign);
/* "-0.012 to 0.034". */
void html_interval(tx_buffer *p, double low, double high, int decimals);
/* "0.034", "below 0.001". */
void html_p_value(tx_buffer *p, double value);

#endif
