/* digits.h - what lenet.c and predict.c share: pictures of digits, drawn by a formula, and the network that reads them.
 *
 * A digit is drawn as on a clock, with up to seven strokes, then moved, stretched, slanted and soiled at random. Picture
 * number i is the same in every program and on every machine, since each draw is a function of its numbers. */
#ifndef DIGITS_H
#define DIGITS_H

#include <math.h>
#include <thorax/thorax.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, DIGITS = 10 };

/* Strokes from one corner (x, y) to another, on a box of 2 by 4. */
static const float strokes[7][4] = {{-1, -2, 1, -2}, {-1, -2, -1, 0}, {1, -2, 1, 0}, {-1, 0, 1, 0},
                                    {-1, 0, -1, 2},  {1, 0, 1, 2},    {-1, 2, 1, 2}};
/* Which of them a digit has: bit k for stroke k. */
static const unsigned char drawn_with[DIGITS] = {119, 36, 93, 109, 46, 107, 123, 37, 127, 111};

/* A number between a and b, draw k of picture i. */
static inline float between(float a, float b, uint64_t i, uint64_t k)
{
    return a + (b - a) * tx_random_uniform(28, TX_RANDOM_DATA, i, k);
}

/* Distance of (x, y) from the stroke s. */
static inline float distance(const float *s, float x, float y)
{
    float dx = s[2] - s[0], dy = s[3] - s[1];
    float along = ((x - s[0]) * dx + (y - s[1]) * dy) / (dx * dx + dy * dy);
    along = along < 0 ? 0 : along > 1 ? 1 : along;
    dx = s[0] + along * dx - x;
    dy = s[1] + along * dy - y;
    return sqrtf(dx * dx + dy * dy);
}

/* Draws picture number i, light on dark, and returns which digit it shows. */
static inline int draw_digit(float *picture, uint64_t i)
{
    int digit = (int)tx_random_below(28, TX_RANDOM_DATA, i, 0, DIGITS);
    float left = between(11, 17, i, 1), top = between(11, 17, i, 2), slant = between(-0.3f, 0.3f, i, 3);
    float wide = between(3, 5, i, 4), high = between(3, 5, i, 5), thick = between(0.15f, 0.35f, i, 6);
    for (int p = 0; p < PIXELS; p++) {
        float y = ((float)(p / SIDE) - top) / high, x = ((float)(p % SIDE) - left) / wide - slant * y;
        float nearest = 9;
        for (int k = 0; k < 7; k++)
            if (drawn_with[digit] >> k & 1)
                nearest = fminf(nearest, distance(strokes[k], x, y));
        float ink = fmaxf(0, 1 - fmaxf(0, nearest - thick) * 4);
        picture[p] = ink + between(-0.2f, 0.2f, i, 7 + (uint64_t)p);
    }
    return digit;
}

/* The digit of the largest logit. */
static inline int read_digit(const float *logits)
{
    int best = 0;
    for (int k = 1; k < DIGITS; k++)
        best = logits[k] > logits[best] ? k : best;
    return best;
}

/* LeNet-5 (LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998)
 * in today's form, with rectifiers and largest values. Its first full layer is a convolution as large as the map. */
static inline tx_node *lenet(tx_graph *g, tx_node *picture)
{
    tx_node *x = tx_conv2d(g, picture, "conv1", (tx_conv2d_args){.out = 6, .kernel = 5, .padding = 2});
    x = tx_max_pool(g, tx_relu(g, x), (tx_pool_args){.kernel = 2});
    x = tx_conv2d(g, x, "conv2", (tx_conv2d_args){.out = 16, .kernel = 5});
    x = tx_max_pool(g, tx_relu(g, x), (tx_pool_args){.kernel = 2});
    x = tx_relu(g, tx_conv2d(g, x, "conv3", (tx_conv2d_args){.out = 120, .kernel = 5}));
    x = tx_relu(g, tx_linear(g, x, "fc1", (tx_linear_args){.out = 84}));
    return tx_linear(g, x, "fc2", (tx_linear_args){.out = DIGITS});
}

#endif
