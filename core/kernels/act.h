/* kernels/act.h - the activations (tx_act) and their derivatives, one function each way for all kernels.
 *
 * NONE, RELU and RELU6 are a clamp, min(ceiling, max(floor, z)) in this order of operands, which keeps a NaN: with bounds
 * that wait in registers, no branch. The others share what they are made of: SILU and SIGMOID s(z), HARDSWISH and
 * HARDSIGMOID h(z), which the former of each multiplies by z. */
typedef struct kernel_bounds {
    f32x16 floor, ceiling;
} kernel_bounds;

TX_INLINE int kernel_clamps(tx_act act)
{
    return act <= TX_ACT_RELU6;
}

/* Of an activation that does not clamp: none. */
TX_INLINE kernel_bounds kernel_bounds_of(tx_act act)
{
    int rectifies = act == TX_ACT_RELU || act == TX_ACT_RELU6;
    return (kernel_bounds){v_set1(rectifies ? 0.0f : -INFINITY), v_set1(act == TX_ACT_RELU6 ? 6.0f : INFINITY)};
}

TX_INLINE f32x16 kernel_clamp(kernel_bounds b, f32x16 z)
{
    return v_min(b.ceiling, v_max(b.floor, z));
}

/* h(z) = min(6, max(0, z + 3)) / 6 */
TX_INLINE f32x16 kernel_hard_sigmoid(f32x16 z)
{
    f32x16 h = v_min(v_set1(6.0f), v_max(v_zero(), v_add(z, v_set1(3.0f))));
    return v_mul(h, v_set1(1.0f / 6));
}

/* SILU to HARDSIGMOID. */
TX_INLINE f32x16 kernel_curve(tx_act act, f32x16 z)
{
    f32x16 s = act == TX_ACT_SILU || act == TX_ACT_SIGMOID ? v_sigmoid(z) : kernel_hard_sigmoid(z);
    return act == TX_ACT_SILU || act == TX_ACT_HARDSWISH ? v_mul(z, s) : s;
}

TX_INLINE f32x16 kernel_act(tx_act act, f32x16 z)
{
    return kernel_clamps(act) ? kernel_clamp(kernel_bounds_of(act), z) : kernel_curve(act, z);
}

/* g where low < z < high, else 0 */
TX_INLINE f32x16 kernel_between(f32x16 z, float low, float high, f32x16 g)
{
    return v_select(m_and(v_gt(z, v_set1(low)), v_lt(z, v_set1(high))), g, v_zero());
}

/* g act'(z). At a kink: 0 (hardswish at 3: 1).
 * SILU' = s + z s (1 - s);  SIGMOID' = s (1 - s);  HARDSWISH' = z/3 + 1/2 within (-3, 3) */
TX_INLINE f32x16 kernel_slope(tx_act act, f32x16 z, f32x16 g)
{
    f32x16 one = v_set1(1.0f), s, d;
    switch (act) {
    case TX_ACT_RELU:
        return v_select(v_gt(z, v_zero()), g, v_zero());
    case TX_ACT_RELU6:
        return kernel_between(z, 0, 6, g);
    case TX_ACT_SILU:
        s = v_sigmoid(z);
        return v_mul(g, v_mul(s, v_fma(z, v_sub(one, s), one)));
    case TX_ACT_SIGMOID:
        s = v_sigmoid(z);
        return v_mul(g, v_mul(s, v_sub(one, s)));
    case TX_ACT_HARDSWISH:
        d = v_select(v_gt(z, v_set1(-3.0f)), v_fma(z, v_set1(1.0f / 3), v_set1(0.5f)), v_zero());
        return v_mul(g, v_select(v_ge(z, v_set1(3.0f)), one, d));
    case TX_ACT_HARDSIGMOID:
        return kernel_between(z, -3, 3, v_mul(g, v_set1(1.0f / 6)));
    default:
        return g;
    }
}

/* g act'(z), told from y = act(z): of RELU, RELU6 and SIGMOID. */
TX_INLINE f32x16 kernel_slope_of_result(tx_act act, f32x16 y, f32x16 g)
{
    if (act == TX_ACT_SIGMOID)
        return v_mul(g, v_mul(y, v_sub(v_set1(1.0f), y)));
    return act == TX_ACT_RELU6 ? kernel_between(y, 0, 6, g) : v_select(v_gt(y, v_zero()), g, v_zero());
}
