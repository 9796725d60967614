/* kernels/update.h - kernels of the updates (update.c), written once over f32x16, compiled once per ISA.
 *
 * No fused multiply-add: every product and sum is rounded by itself, in PyTorch's order. An element is a chain of its own,
 * so neither the lane nor the neighbours show in its digits. */

/* g + decay w, or g alone where there is no decay (0 * w would make NaN of an infinite weight). */
TX_INLINE f32x16 update_decayed(f32x16 g, float decay, f32x16 w)
{
    return decay > 0 ? v_add(g, v_mul(v_set1(decay), w)) : g;
}

static void update_sgd(const tx_sgd_step *s, float *w, const float *g, float *buffer, size_t n)
{
    f32x16 lr = v_set1(s->lr), momentum = v_set1(s->momentum), gain = v_set1(s->gain);
    for (size_t i = 0; i < n; i += 16) {
        f32x16 weight = v_take(w + i, n - i);
        f32x16 d = update_decayed(v_take(g + i, n - i), s->weight_decay, weight);
        if (buffer) {
            f32x16 b = d;
            if (!s->first)
                b = v_add(v_mul(momentum, v_take(buffer + i, n - i)), v_mul(gain, d));
            v_put(buffer + i, b, n - i);
            d = s->nesterov ? v_add(d, v_mul(momentum, b)) : b;
        }
        v_put(w + i, v_sub(weight, v_mul(lr, d)), n - i);
    }
}

static void update_adam(const tx_adam_step *s, float *w, const float *g, float *mean, float *square, size_t n)
{
    f32x16 keep = v_set1(s->keep), mean_gain = v_set1(s->mean_gain), square_keep = v_set1(s->square_keep);
    f32x16 square_gain = v_set1(s->square_gain), correction = v_set1(s->root_correction), eps = v_set1(s->eps);
    f32x16 step = v_set1(s->step);
    for (size_t i = 0; i < n; i += 16) {
        f32x16 weight = v_mul(keep, v_take(w + i, n - i));
        f32x16 d = update_decayed(v_take(g + i, n - i), s->weight_decay, weight);
        f32x16 m = v_take(mean + i, n - i), v = v_take(square + i, n - i);
        m = v_add(m, v_mul(mean_gain, v_sub(d, m)));
        v = v_add(v_mul(square_keep, v), v_mul(square_gain, v_mul(d, d)));
        v_put(mean + i, m, n - i);
        v_put(square + i, v, n - i);
        f32x16 root = v_add(v_div(v_sqrt(v), correction), eps);
        v_put(w + i, v_sub(weight, v_div(v_mul(step, m), root)), n - i);
    }
}

static void update_rmsprop(const tx_rmsprop_step *s, float *w, const float *g, float *square, float *buffer,
                           float *mean, size_t n)
{
    f32x16 lr = v_set1(s->lr), keep = v_set1(s->keep), gain = v_set1(s->gain), eps = v_set1(s->eps);
    f32x16 momentum = v_set1(s->momentum);
    for (size_t i = 0; i < n; i += 16) {
        f32x16 weight = v_take(w + i, n - i);
        f32x16 d = update_decayed(v_take(g + i, n - i), s->weight_decay, weight);
        f32x16 v = v_add(v_mul(keep, v_take(square + i, n - i)), v_mul(gain, v_mul(d, d))), spread = v;
        v_put(square + i, v, n - i);
        if (mean) {
            f32x16 u = v_take(mean + i, n - i);
            u = v_add(u, v_mul(gain, v_sub(d, u)));
            v_put(mean + i, u, n - i);
            spread = v_max(v_zero(), v_sub(v, v_mul(u, u)));
        }
        d = v_div(d, v_add(v_sqrt(spread), eps));
        if (buffer) {
            d = v_add(v_mul(momentum, v_take(buffer + i, n - i)), d);
            v_put(buffer + i, d, n - i);
        }
        v_put(w + i, v_sub(weight, v_mul(lr, d)), n - i);
    }
}

#define UPDATE_KERNELS                                                    \
    {                                                                     \
        .sgd = update_sgd, .adam = update_adam, .rmsprop = update_rmsprop \
    }
