# float32 values centred and scaled in float32: (x - shift) * times, each parameter in two parts.
#
# x * high + x * low, with the high part cut off and not rounded, is right to one unit in the last
# place, and gives 1 where x is what the times are the inverse of. Rescaling does without the low
# part of the times, which costs half a unit and saves a load for each value.

cdef inline bint fits_single(const floating* x, double shift, double times) noexcept nogil:
    """Tell whether nothing in float32 leaves its range; float64 values need not fit."""
    if floating is double:
        return True
    return (times == 0.0 or MIN_TIMES <= times <= MAX_TIMES) and fabs(shift) <= MAX_SHIFT


cdef inline void split(double value, float* high, float* low) noexcept nogil:
    high[0] = sknorm_cut(value)
    low[0] = <float> (value - high[0])


def single_parts(const double[::1] shift, const double[::1] times, float[:, ::1] parts):
    """Return the two parts of shifts, and times; None where float32 has no room for them."""
    cdef Py_ssize_t c
    cdef float* none = NULL
    for c in range(shift.shape[0]):
        if not fits_single(none, shift[c], times[c]):
            return None
        split(shift[c], &parts[0, c], &parts[1, c])
        parts[2, c] = <float> times[c]
    return parts.base


cdef inline float scored_single(
    float v, float shift, float shift_low, float times, float times_low
) noexcept nogil:
    v = (v - shift) - shift_low
    return v * times + v * times_low


cdef inline void score_singles(
    const float* x, float* out, Py_ssize_t n, double shift, double times
) noexcept nogil:
    """Centre and scale contiguous values."""
    cdef float s, s_low, t, t_low
    cdef Py_ssize_t i
    split(shift, &s, &s_low)
    split(times, &t, &t_low)
    for i in range(n):
        out[i] = scored_single(x[i], s, s_low, t, t_low)


cdef inline void score_singles_each(
    const float* x, float* out, Py_ssize_t n, const float* shift, const float* shift_low,
    const float* times, const float* times_low
) noexcept nogil:
    """Centre and scale neighbouring values, each by parameters of its own; NULL shifts are 0."""
    cdef Py_ssize_t i
    if shift == NULL:
        for i in range(n):
            out[i] = x[i] * times[i] + x[i] * times_low[i]
    else:
        for i in range(n):
            out[i] = scored_single(x[i], shift[i], shift_low[i], times[i], times_low[i])


cdef inline Singles rescaled_singles(
    Singles v, Singles shift, Singles shift_low, Singles times
) noexcept nogil:
    return singles_mul(singles_sub(singles_sub(v, shift), shift_low), times)


cdef inline double rescale_singles(
    const float* x, float* out, Py_ssize_t n, double shift, double scale
) noexcept nogil:
    """Rescale contiguous values; return 0, or NaN where one is not finite.

    In lanes that takes less than half the time of a plain loop, for the sake of that check.
    """
    cdef float s, s_low, t = <float> scale, rest = 0.0
    cdef Singles v, check = singles_all(0.0), shifts, shifts_low, times = singles_all(t)
    cdef Py_ssize_t i = 0
    split(shift, &s, &s_low)
    shifts, shifts_low = singles_all(s), singles_all(s_low)
    while i + LANES <= n:
        v = singles_load(x + i)
        check = singles_add(check, singles_sub(v, v))
        singles_store(out + i, rescaled_singles(v, shifts, shifts_low, times))
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        out[i] = ((x[i] - s) - s_low) * t
        i += 1
    return singles_check(check) + rest


cdef inline double rescale_singles_each(
    const float* x, float* out, Py_ssize_t n, const float* shift, const float* shift_low,
    const float* times
) noexcept nogil:
    """Rescale neighbouring values, each by parameters of its own, likewise."""
    cdef Singles v, check = singles_all(0.0)
    cdef float rest = 0.0
    cdef Py_ssize_t i = 0
    while i + LANES <= n:
        v = singles_load(x + i)
        check = singles_add(check, singles_sub(v, v))
        v = rescaled_singles(
            v, singles_load(shift + i), singles_load(shift_low + i), singles_load(times + i)
        )
        singles_store(out + i, v)
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        out[i] = ((x[i] - shift[i]) - shift_low[i]) * times[i]
        i += 1
    return singles_check(check) + rest


cdef inline float largest_single(const float* x, Py_ssize_t n) noexcept nogil:
    """Return the largest magnitude of at least eight contiguous values; NaN for NaN."""
    cdef Singles a = singles_all(0.0), b = a
    cdef Py_ssize_t i = 0
    while i + 2 * LANES <= n:
        a = singles_max_abs(a, singles_load(x + i))
        b = singles_max_abs(b, singles_load(x + i + LANES))
        i += 2 * LANES
    if i + LANES <= n:
        a = singles_max_abs(a, singles_load(x + i))
    return singles_largest(singles_max_abs(singles_max_abs(a, b), singles_load(x + n - LANES)))
