# Loading and storing lanes, sums with their rounding errors, and what is small or large.

cdef inline Lanes load(const floating* x) noexcept nogil:
    if floating is float:
        return lanes_load_float(x)
    else:
        return lanes_load_double(x)


cdef inline void store(floating* x, Lanes a) noexcept nogil:
    if floating is float:
        lanes_store_float(x, a)
    else:
        lanes_store_double(x, a)


cdef inline void add(double* high, double* low, double b, double b_low) noexcept nogil:
    """Add a twofold number to another (see ``_twofold.add``)."""
    cdef double s, t, e, f, u
    s = high[0] + b
    u = s - high[0]
    e = (high[0] - (s - u)) + (b - u)
    t = low[0] + b_low
    u = t - low[0]
    f = (low[0] - (t - u)) + (b_low - u)
    e = e + t
    u = s + e
    e = e - (u - s)
    e = e + f
    high[0] = u + e
    low[0] = e - (high[0] - u)


cdef inline bint is_tame(double centre, double squares) noexcept nogil:
    """Tell whether squared deviations from a centre lost nothing to the range of float64."""
    centre = fabs(centre)
    if not (squares <= HUGE_SQUARE and centre <= HUGE_MEAN):
        return False
    return centre >= TINY_MEAN or squares >= TINY_SQUARE


cdef inline double unit_exponent(double magnitude, bint tame_is_zero) noexcept nogil:
    """Return the power of two for values up to a magnitude (see ``_moments.unit_exponent``)."""
    cdef int exponent
    if magnitude == 0.0:
        return NEUTRAL
    frexp(magnitude, &exponent)
    if tame_is_zero and -TAME <= exponent <= TAME:
        return 0.0
    return max(-EXPONENT_LIMIT, min(EXPONENT_LIMIT, exponent))


cdef inline bint is_constant(double count, double mean, double var) noexcept nogil:
    """Tell whether a variance cannot be told from zero (see ``_moments.is_constant``)."""
    cdef double bound = max(1.0, min(count, MOST_SAMPLES_IN_BOUND)) * MACHINE_EPSILON * mean
    return var <= bound * bound
