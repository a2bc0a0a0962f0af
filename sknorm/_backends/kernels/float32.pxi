# float32 values centered and scaled in float32: (x - shift) * times, each parameter in two parts.
#
# x * high + x * low, with the high part cut off and not rounded, is right to one unit in the last
# place, and gives 1 where x is what the times are the inverse of. Affine does without the low
# part of the times, which costs half a unit and saves a load for each value.

cdef inline bint fits_float32(const floating* x, double shift, double times) noexcept nogil:
    """Tell whether nothing in float32 leaves its range; float64 values need not fit."""
    if floating is double:
        return True
    return (times == 0.0 or MIN_TIMES <= times <= MAX_TIMES) and fabs(shift) <= MAX_SHIFT


cdef inline void split(double value, float* high, float* low) noexcept nogil:
    high[0] = sknorm_cut(value)
    low[0] = <float> (value - high[0])


cdef inline float standardized_float32(
    float v, float shift, float shift_low, float times, float times_low
) noexcept nogil:
    v = (v - shift) - shift_low
    return v * times + v * times_low


cdef inline void standardize_float32(
    const float* x, float* out, Py_ssize_t n, double shift, double times
) noexcept nogil:
    """Center and scale contiguous values."""
    cdef float s, s_low, t, t_low
    cdef Py_ssize_t i
    split(shift, &s, &s_low)
    split(times, &t, &t_low)
    for i in range(n):
        out[i] = standardized_float32(x[i], s, s_low, t, t_low)


cdef inline void standardize_float32_each(
    const float* x, float* out, Py_ssize_t n, const float* shift, const float* shift_low,
    const float* times, const float* times_low
) noexcept nogil:
    """Center and scale neighboring values, each by parameters of its own; NULL shifts are 0."""
    cdef Py_ssize_t i
    if shift == NULL:
        for i in range(n):
            out[i] = x[i] * times[i] + x[i] * times_low[i]
    else:
        for i in range(n):
            out[i] = standardized_float32(x[i], shift[i], shift_low[i], times[i], times_low[i])


cdef inline F32x8 affine_f32x8(
    F32x8 v, F32x8 shift, F32x8 shift_low, F32x8 times
) noexcept nogil:
    return f32x8_mul(f32x8_sub(f32x8_sub(v, shift), shift_low), times)


cdef inline double affine_float32(
    const float* x, float* out, Py_ssize_t n, double shift, double scale
) noexcept nogil:
    """Rescale contiguous values; return 0, or NaN where one is not finite.

    In lanes that takes less than half the time of a plain loop, for the sake of that check.
    """
    cdef float s, s_low, t = <float> scale, rest = 0.0
    cdef F32x8 v, check = f32x8_all(0.0), shifts, shifts_low, times = f32x8_all(t)
    cdef Py_ssize_t i = 0
    split(shift, &s, &s_low)
    shifts, shifts_low = f32x8_all(s), f32x8_all(s_low)
    while i + LANES <= n:
        sknorm_prefetch(x + i + BYTES_AHEAD // sizeof(float))
        v = f32x8_load(x + i)
        check = f32x8_add(check, f32x8_sub(v, v))
        f32x8_store(out + i, affine_f32x8(v, shifts, shifts_low, times))
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        out[i] = ((x[i] - s) - s_low) * t
        i += 1
    return f32x8_check(check) + rest


cdef inline double affine_float32_each(
    const float* x, float* out, Py_ssize_t n, const float* shift, const float* shift_low,
    const float* times
) noexcept nogil:
    """Rescale neighboring values, each by parameters of its own, likewise."""
    cdef F32x8 v, check = f32x8_all(0.0)
    cdef float rest = 0.0
    cdef Py_ssize_t i = 0
    while i + LANES <= n:
        sknorm_prefetch(x + i + BYTES_AHEAD // sizeof(float))
        v = f32x8_load(x + i)
        check = f32x8_add(check, f32x8_sub(v, v))
        v = affine_f32x8(
            v, f32x8_load(shift + i), f32x8_load(shift_low + i), f32x8_load(times + i)
        )
        f32x8_store(out + i, v)
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        out[i] = ((x[i] - shift[i]) - shift_low[i]) * times[i]
        i += 1
    return f32x8_check(check) + rest


cdef inline float largest_float32(const float* x, Py_ssize_t n) noexcept nogil:
    """Return the largest magnitude of at least eight contiguous values; NaN for NaN."""
    cdef F32x8 a = f32x8_all(0.0), b = a
    cdef Py_ssize_t i = 0
    while i + 2 * LANES <= n:
        a = f32x8_max_abs(a, f32x8_load(x + i))
        b = f32x8_max_abs(b, f32x8_load(x + i + LANES))
        i += 2 * LANES
    if i + LANES <= n:
        a = f32x8_max_abs(a, f32x8_load(x + i))
    return f32x8_largest(f32x8_max_abs(f32x8_max_abs(a, b), f32x8_load(x + n - LANES)))
