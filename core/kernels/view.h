/* kernels/view.h - values as their readers see them (tx_view): gate * act(scale*data + shift).
 *
 * `simple` is a constant where a loop is written twice: for scale, shift and at most a rectifier, without a branch, and
 * for all views. */

TX_INLINE int view_simple(const tx_view *x)
{
    return x->act <= TX_ACT_RELU && !x->gate;
}

/* Is there anything to do but to read? */
TX_INLINE int view_changes(const tx_view *x)
{
    return x->scale || x->act != TX_ACT_NONE || x->gate;
}

/* scale z + shift of channels j.., or z where the view has neither. */
TX_INLINE f32x16 channel_affine(const tx_view *x, f32x16 z, size_t j, size_t n)
{
    return x->scale ? v_fma(v_take(x->scale + j, n), z, v_take(x->shift + j, n)) : z;
}

/* Channels j.. of a value as its reader sees it, but for the gate; row is where the pixel's channel 0 stands. */
TX_INLINE f32x16 channel_view_as(int simple, const tx_view *x, const float *row, size_t j, size_t n)
{
    f32x16 z = channel_affine(x, v_take(row + j, n), j, n);
    return simple ? v_max(kernel_bounds_of(x->act).floor, z) : kernel_act(x->act, z);
}

TX_INLINE f32x16 channel_view(const tx_view *x, const float *row, size_t j, size_t n)
{
    return channel_view_as(0, x, row, j, n);
}

/* The gates of image i, or NULL. */
TX_INLINE const float *channel_gate(const tx_view *x, size_t i)
{
    return x->gate ? x->gate + i * x->gate_ld : NULL;
}

/* The gates of pixel p's image, or NULL. */
TX_INLINE const float *channel_gate_at(const tx_view *x, size_t p)
{
    return x->gate ? channel_gate(x, p / ((size_t)x->h * (size_t)x->w)) : NULL;
}

TX_INLINE f32x16 channel_gated(f32x16 value, const float *gate, size_t j, size_t n)
{
    return gate ? v_mul(v_take(gate + j, n), value) : value;
}

TX_INLINE void view_act_as(tx_act act, float *p, size_t ld, size_t rows, size_t n)
{
    for (size_t j = 0; j < n; j += 16) {
        float *at = p + j;
        if (n - j < 16) {
            for (size_t r = 0; r < rows; r++, at += ld)
                v_store_n(at, (int)(n - j), kernel_act(act, v_load_n(at, (int)(n - j))));
            return;
        }
        for (size_t r = 0; r < rows; r++, at += ld)
            v_store(at, kernel_act(act, v_load(at)));
    }
}

/* The activation of rows of n floats where they stand. */
TX_NOINLINE void view_act(tx_act act, float *p, size_t ld, size_t rows, size_t n)
{
    if (act == TX_ACT_SILU)
        view_act_as(TX_ACT_SILU, p, ld, rows, n);
    else
        view_act_as(act, p, ld, rows, n);
}

TX_NOINLINE void view_gate(const float *gate, float *out, const float *in, size_t n)
{
    for (size_t j = 0; j < n; j += 16)
        v_put(out + j, v_mul(v_take(gate + j, n - j), v_take(in + j, n - j)), n - j);
}

/* n floats of one pixel from channel c on; gate: of its image, or NULL. */
TX_INLINE void view_copy(const tx_view *x, const float *gate, size_t c, float *out, const float *in, size_t n)
{
    if (gate && !x->scale && x->act == TX_ACT_NONE) {
        view_gate(gate + c, out, in, n);
        return;
    }
    const float *scale = x->scale ? x->scale + c : NULL, *shift = x->scale ? x->shift + c : NULL;
    kernel_bounds bounds = kernel_bounds_of(x->act);
    size_t j = 0;
    for (; scale && j + 16 <= n; j += 16)
        v_store(out + j, kernel_clamp(bounds, v_fma(v_load(scale + j), v_load(in + j), v_load(shift + j))));
    for (; j + 16 <= n; j += 16)
        v_store(out + j, kernel_clamp(bounds, v_load(in + j)));
    if (j < n) {
        f32x16 z = v_load_n(in + j, (int)(n - j));
        if (scale)
            z = v_fma(v_load_n(scale + j, (int)(n - j)), z, v_load_n(shift + j, (int)(n - j)));
        v_store_n(out + j, (int)(n - j), kernel_clamp(bounds, z));
    }
    if (!kernel_clamps(x->act))
        view_act(x->act, out, n, 1, n);
    if (gate)
        view_gate(gate + c, out, out, n);
}
