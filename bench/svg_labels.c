/* svg_labels.c - where names beside points stand: each takes the cheapest free place, the most crowded first, and then
 * each moves again, given the others, while that makes it cheaper.
 *
 * Places are those beside the point and a grid over the frame. A place costs its distance from the point, and more where
 * the line that leads to the point crosses names or points, where the box lies on a line, or on another's leading line, or
 * without one as near to another point. */
#include "svg_labels.h"

#include <math.h>

enum { STOP = SVG_MARKER + 2, BESIDE = 8, SWEEPS = 4, ACROSS = 5, DOWN = 4, GAP = 2, EDGE = 3, NEAR = 40, NEARER = 6 };
static const double crosses_name = 80, crosses_box = 10, on_line = 9, nearer_other = 80, too_dear = 1e9;

static int apart(const svg_box *a, const svg_box *b, double gap)
{
    return a->right + gap <= b->left || b->right + gap <= a->left || a->bottom <= b->top || b->bottom <= a->top;
}

static svg_box box_at(const svg_label *l, double left, double top)
{
    return (svg_box){left, top, left + l->width, top + l->height};
}

/* Whether a part of the segment lies within the box (Liang and Barsky, 1984). */
static int crosses(const svg_segment *s, const svg_box *b)
{
    double dx = s->x1 - s->x0, dy = s->y1 - s->y0, from = 0, to = 1;
    const double p[4] = {-dx, dx, -dy, dy};
    const double q[4] = {s->x0 - b->left, b->right - s->x0, s->y0 - b->top, b->bottom - s->y0};
    for (int i = 0; i < 4; i++) {
        if (p[i] == 0 && q[i] <= 0)
            return 0;
        if (p[i] < 0 && q[i] / p[i] > from)
            from = q[i] / p[i];
        if (p[i] > 0 && q[i] / p[i] < to)
            to = q[i] / p[i];
    }
    return from < to;
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* From the box to near its point; without length where the box is beside it. */
static svg_segment leader_of(const svg_label *l, const svg_box *b)
{
    double x = clamp(l->x, b->left, b->right), y = clamp(l->y, b->top, b->bottom);
    double dx = l->x - x, dy = l->y - y, d = sqrt(dx * dx + dy * dy);
    if (d < STOP + 2 * GAP)
        return (svg_segment){x, y, x, y};
    return (svg_segment){x, y, l->x - dx / d * STOP, l->y - dy / d * STOP};
}

static int has_length(const svg_segment *s)
{
    return s->x0 != s->x1 || s->y0 != s->y1;
}

static double distance(const svg_label *l, const svg_box *b)
{
    double dx = l->x - clamp(l->x, b->left, b->right), dy = l->y - clamp(l->y, b->top, b->bottom);
    return sqrt(dx * dx + dy * dy);
}

/* Whether the box lies in the frame, clear of boxes and of names that have a place. */
static int may_stand(const svg_label *label, size_t n, size_t i, const svg_box *b, const svg_ground *g)
{
    if (b->left < g->frame.left + EDGE || b->right > g->frame.right || b->top < g->frame.top ||
        b->bottom > g->frame.bottom - EDGE)
        return 0;
    for (size_t k = 0; k < g->boxes; k++)
        if (!apart(b, &g->box[k], GAP / 2))
            return 0;
    for (size_t k = 0; k < n; k++) {
        svg_box other = box_at(&label[k], label[k].left, label[k].top);
        if (k != i && label[k].placed && !apart(b, &other, 2 * GAP))
            return 0;
    }
    return 1;
}

/* What the place costs; too_dear where it costs as much as `most` or may not be taken. */
static double cost_of(const svg_label *label, size_t n, size_t i, const svg_box *b, const svg_ground *g, double most)
{
    const svg_label *l = &label[i];
    double own = distance(l, b), cost = own;
    if (cost >= most || !may_stand(label, n, i, b, g))
        return too_dear;
    svg_segment leader = leader_of(l, b);
    int led = has_length(&leader);
    for (size_t k = 0; led && k < g->boxes; k++)
        cost += crosses(&leader, &g->box[k]) ? crosses_box : 0;
    for (size_t k = 0; k < n && cost < most; k++) {
        const svg_label *o = &label[k];
        svg_box other = box_at(o, o->left, o->top);
        if (k == i)
            continue;
        cost += !led && distance(o, b) < own + NEARER ? nearer_other : 0;
        cost += o->placed && led && crosses(&leader, &other) ? crosses_name : 0;
        cost += o->placed && o->led && crosses(&o->leader, b) ? crosses_name : 0;
    }
    for (size_t k = 0; k < g->lines; k++)
        cost += crosses(&g->line[k], b) ? on_line : 0;
    return cost;
}

typedef struct search {
    const svg_ground *ground;
    double cost, left, top;
} search;

static void try_place(search *s, const svg_label *label, size_t n, size_t i, double left, double top, double extra)
{
    svg_box b = box_at(&label[i], left, top);
    double cost = cost_of(label, n, i, &b, s->ground, s->cost - extra) + extra;
    if (cost < s->cost) {
        s->cost = cost;
        s->left = left;
        s->top = top;
    }
}

/* The cheapest place; less than too_dear where there is one. */
static search find_place(const svg_label *label, size_t n, size_t i, const svg_ground *g)
{
    static const double extra[BESIDE] = {0, 0.5, 1, 1, 1.5, 1.5, 2, 2};
    static const signed char right[BESIDE] = {1, -1, 0, 0, 1, 1, -1, -1}, low[BESIDE] = {0, 0, -1, 1, -1, 1, -1, 1};
    const svg_label *l = &label[i];
    search s = {g, too_dear, 0, 0};
    for (int k = 0; k < BESIDE; k++) {
        double away = right[k] && low[k] ? SVG_MARKER - 1 : SVG_MARKER + GAP;
        double left = right[k] > 0 ? l->x + away : right[k] < 0 ? l->x - away - l->width : l->x - l->width / 2;
        double top = low[k] > 0 ? l->y + away : low[k] < 0 ? l->y - away - l->height : l->y - l->height / 2;
        try_place(&s, label, n, i, left, top, extra[k]);
    }
    for (double top = g->frame.top; top + l->height <= g->frame.bottom; top += DOWN)
        for (double left = g->frame.left; left + l->width <= g->frame.right; left += ACROSS)
            try_place(&s, label, n, i, left, top, 3);
    return s;
}

static size_t crowd(const svg_label *label, size_t n, size_t i)
{
    size_t near = 0;
    for (size_t k = 0; k < n; k++)
        near += fabs(label[k].x - label[i].x) < NEAR && fabs(label[k].y - label[i].y) < NEAR;
    return near;
}

static int place_one(svg_label *label, size_t n, size_t i, const svg_ground *g)
{
    label[i].placed = 0;
    search s = find_place(label, n, i, g);
    label[i].left = s.left;
    label[i].top = s.top;
    label[i].placed = s.cost < too_dear;
    svg_box b = box_at(&label[i], s.left, s.top);
    label[i].leader = leader_of(&label[i], &b);
    label[i].led = label[i].placed && has_length(&label[i].leader);
    return label[i].placed;
}

size_t svg_place_labels(svg_label *label, size_t n, const svg_ground *ground)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++)
        label[i].placed = 0;
    for (size_t wanted = n; wanted > 0; wanted--)
        for (size_t i = 0; i < n; i++)
            if (crowd(label, n, i) == wanted && !place_one(label, n, i, ground))
                missing++;
    for (int sweep = 0; missing == 0 && sweep < SWEEPS; sweep++)
        for (size_t i = 0; i < n; i++)
            place_one(label, n, i, ground);
    return missing;
}
