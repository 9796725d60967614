/* svg_check.h - what holds of every chart: its tags close, it stands alone, it has no numbers that are none, its texts lie
 * within it and cover no other text. */
#ifndef THORAX_TEST_SVG_CHECK_H
#define THORAX_TEST_SVG_CHECK_H

#include "../bench/svg.h"
#include "../bench/svg_axes.h"
#include "test.h"

#include <string.h>

enum { TEXTS = 400 };

typedef struct svg_text {
    svg_box box;
    int name; /* beside a point */
    char text[SVG_NAME];
} svg_text;

typedef struct svg_seen {
    svg_text text[TEXTS];
    int texts;
    double width, height;
} svg_seen;

static inline int overlap(const svg_box *a, const svg_box *b, double slack)
{
    return a->left < b->right - slack && b->left < a->right - slack && a->top < b->bottom - slack &&
           b->top < a->bottom - slack;
}

/* Whether every tag is closed, in order. */
static inline int balanced(const char *svg)
{
    char open[16][16];
    int depth = 0;
    for (const char *p = strchr(svg, '<'); p; p = strchr(p + 1, '<')) {
        const char *end = strchr(p, '>');
        if (!end || memchr(p + 1, '<', (size_t)(end - p - 1)))
            return 0;
        char name[16] = "";
        size_t n = strcspn(p + 1 + (p[1] == '/'), " />");
        snprintf(name, sizeof name, "%.*s", (int)(n < 15 ? n : 15), p + 1 + (p[1] == '/'));
        if (p[1] == '/') {
            if (depth == 0 || strcmp(open[--depth], name) != 0)
                return 0;
        } else if (end[-1] != '/') {
            if (depth == 16)
                return 0;
            strcpy(open[depth++], name);
        }
    }
    return depth == 0;
}

static inline void plain(char out[SVG_NAME], const char *from, const char *to)
{
    static const char *const marks[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    size_t n = 0;
    while (from < to && n < SVG_NAME - 1) {
        int k = 0;
        while (k < 5 && strncmp(from, marks[k], strlen(marks[k])) != 0)
            k++;
        out[n++] = k < 5 ? "&<>\"'"[k] : *from;
        from += k < 5 ? strlen(marks[k]) : 1;
    }
    out[n] = 0;
}

static inline double attribute(const char *tag, const char *name)
{
    const char *p = strstr(tag, name), *end = strchr(tag, '>');
    return p && p < end ? strtod(p + strlen(name), NULL) : 0;
}

static inline int has(const char *tag, const char *text)
{
    const char *p = strstr(tag, text);
    return p && p < strchr(tag, '>');
}

static inline void read_text(svg_text *t, const char *tag)
{
    const char *begin = strchr(tag, '>') + 1;
    plain(t->text, begin, strstr(begin, "</text>"));
    double w = svg_text_width(t->text, strlen(t->text), has(tag, "font-weight")), y = attribute(tag, " y=\"");
    double x = attribute(tag, " x=\""), shift = has(tag, "\"middle\"") ? w / 2 : has(tag, "\"end\"") ? w : 0;
    y += attribute(tag, " dy=\"");
    t->name = has(tag, "paint-order");
    t->box = (svg_box){x - shift, y - 10, x - shift + w, y + 2};
    if (has(tag, "rotate(-90)")) {
        y = strtod(strchr(strstr(tag, "translate("), ' '), NULL);
        t->box = (svg_box){4, y - w / 2, 16, y + w / 2};
    }
}

/* Checks the chart; what it has of texts is left in seen. */
static inline void check_svg(const char *svg, const char *what, svg_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    CHECK(svg && strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39) == 0, "%s: no svg", what);
    if (!svg)
        return;
    CHECK(balanced(svg), "%s: tags are not closed", what);
    CHECK(!strstr(svg, "nan") && !strstr(svg, "inf\"") && !strstr(svg, "<script") && !strstr(svg, "href"),
          "%s: no number, or more than a picture", what);
    seen->width = attribute(svg, " width=\"");
    seen->height = attribute(svg, " height=\"");
    for (const char *p = strstr(svg, "<text"); p && seen->texts < TEXTS; p = strstr(p + 1, "<text"))
        read_text(&seen->text[seen->texts++], p);
    for (int i = 0; i < seen->texts; i++) {
        const svg_text *t = &seen->text[i];
        CHECK(t->box.left >= 0 && t->box.top >= 0 && t->box.right <= seen->width && t->box.bottom <= seen->height,
              "%s: '%s' is cut off: %g %g %g %g", what, t->text, t->box.left, t->box.top, t->box.right, t->box.bottom);
        for (int k = 0; k < i; k++)
            CHECK(!overlap(&t->box, &seen->text[k].box, 0.2), "%s: '%s' covers '%s'", what, t->text,
                  seen->text[k].text);
    }
}

static inline int svg_says(const svg_seen *seen, const char *text)
{
    for (int i = 0; i < seen->texts; i++)
        if (strstr(seen->text[i].text, text))
            return 1;
    return 0;
}

/* The digest of a chart, which every machine must have. */
static inline void check_bytes(const tx_buffer *t, const char *wanted, const char *what)
{
    char hex[65];
    tx_sha256 s;
    tx_sha256_begin(&s);
    tx_sha256_add(&s, t->data, t->length);
    tx_sha256_end(&s, hex);
    CHECK(strcmp(hex, wanted) == 0, "%s: %s", what, hex);
}

#endif
