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


cdef inline Singles scaled_singles(Singles v, Singles times, Singles times_low) noexcept nogil:
    return singles_add(singles_mul(v, times), singles_mul(v, times_low))


cdef inline Singles scored_singles_at(
    Singles v, Py_ssize_t i, const float* shift, const float* shift_low, const float* times,
    const float* times_low
) noexcept nogil:
    if shift != NULL:
        v = singles_sub(singles_sub(v, singles_load(shift + i)), singles_load(shift_low + i))
    if times_low == NULL:
        return singles_mul(v, singles_load(times + i))
    return scaled_singles(v, singles_load(times + i), singles_load(times_low + i))


cdef inline float scored_single(
    float v, float shift, float shift_low, float times, float times_low
) noexcept nogil:
    v = (v - shift) - shift_low
    return v * times + v * times_low


cdef inline double score_singles(
    const float* x, float* out, Py_ssize_t n, double shift, double times, bint has_low
) noexcept nogil:
    """Centre and scale contiguous values; return 0, or NaN where one is not finite.

    The last lanes may overlap those before, from which they are kept.
    """
    cdef float s, s_low, t, t_low, rest = 0.0
    cdef float last[LANES]
    cdef Singles v, check = singles_all(0.0), shifts, shifts_low, all_times, all_times_low
    cdef Py_ssize_t i = 0
    split(shift, &s, &s_low)
    split(times, &t, &t_low)
    if not has_low:
        t = <float> times
        t_low = 0.0
    if n < LANES:
        for i in range(n):
            rest += x[i] - x[i]
            out[i] = scored_single(x[i], s, s_low, t, t_low)
        return rest
    shifts, shifts_low = singles_all(s), singles_all(s_low)
    all_times, all_times_low = singles_all(t), singles_all(t_low)
    if n % LANES:
        memcpy(last, x + n - LANES, sizeof(last))
    while i + LANES <= n:
        v = singles_load(x + i)
        check = singles_add(check, singles_sub(v, v))
        v = singles_sub(singles_sub(v, shifts), shifts_low)
        singles_store(out + i, scaled_singles(v, all_times, all_times_low))
        i += LANES
    if i < n:
        v = singles_load(last)
        check = singles_add(check, singles_sub(v, v))
        v = singles_sub(singles_sub(v, shifts), shifts_low)
        singles_store(out + n - LANES, scaled_singles(v, all_times, all_times_low))
    return singles_check(check)


cdef inline double score_singles_each(
    const float* x, float* out, Py_ssize_t n, const float* shift, const float* shift_low,
    const float* times, const float* times_low
) noexcept nogil:
    """Centre and scale neighbouring values, each by parameters of its own, likewise.

    Shifts may be NULL, and the low parts of times: they are 0 then.
    """
    cdef float rest = 0.0
    cdef float last[LANES]
    cdef Singles v, check = singles_all(0.0)
    cdef Py_ssize_t i = 0
    if n < LANES:
        for i in range(n):
            rest += x[i] - x[i]
            out[i] = scored_single(
                x[i], 0.0 if shift == NULL else shift[i], 0.0 if shift == NULL else shift_low[i],
                times[i], 0.0 if times_low == NULL else times_low[i],
            )
        return rest
    if n % LANES:
        memcpy(last, x + n - LANES, sizeof(last))
    while i + LANES <= n:
        v = singles_load(x + i)
        check = singles_add(check, singles_sub(v, v))
        singles_store(out + i, scored_singles_at(v, i, shift, shift_low, times, times_low))
        i += LANES
    if i < n:
        i = n - LANES
        v = singles_load(last)
        check = singles_add(check, singles_sub(v, v))
        singles_store(out + i, scored_singles_at(v, i, shift, shift_low, times, times_low))
    return singles_check(check)


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
