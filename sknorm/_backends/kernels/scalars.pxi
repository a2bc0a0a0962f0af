# Loading and storing lanes, sums with their rounding errors, and what is small or large.

cdef inline F64x8 load(const floating* x) noexcept nogil:
    if floating is float:
        return f64x8_load_float(x)
    else:
        return f64x8_load_double(x)


cdef inline void store(floating* x, F64x8 a) noexcept nogil:
    if floating is float:
        f64x8_store_float(x, a)
    else:
        f64x8_store_double(x, a)


cdef inline bint stores_nontemporal(
    const floating* x, const floating* out, Py_ssize_t n, Py_ssize_t run
) noexcept nogil:
    """Tell whether results are written past the caches: many, in long runs, not over the values."""
    return x != out and run >= LONG_RUN and n * sizeof(floating) >= STREAM_BYTES


cdef inline void store_nontemporal(floating* out, const floating* stage, Py_ssize_t n) noexcept nogil:
    sknorm_store_nontemporal(out, stage, n * sizeof(floating))


cdef inline Py_ssize_t block_length(Py_ssize_t size) noexcept nogil:
    """Return how many items of a size in bytes make a block of results.

    Blocks are written from the last to the first. Linux clears a huge page from its start to its
    end, which is then in the cache: new memory is filled up to 1.5 times as fast backwards.
    """
    return max(<Py_ssize_t> 1, BLOCK_BYTES // size)


cdef inline Py_ssize_t reversed_block_index(Py_ssize_t k, Py_ssize_t n, Py_ssize_t step) noexcept nogil:
    """Return which of n items is the k-th, when blocks of a few go from the last to the first."""
    cdef Py_ssize_t block = k // step
    return max(<Py_ssize_t> 0, n - (block + 1) * step) + k - block * step


cdef inline Py_ssize_t rows_at_once(Py_ssize_t n) noexcept nogil:
    """Return how many rows of n values to find the statistics of before any is written."""
    return max(<Py_ssize_t> 1, min(<Py_ssize_t> BATCH, BATCH_VALUES // n))


cdef inline void add(double* high, double* low, double b, double b_low) noexcept nogil:
    """Add a double-double number to another (see ``double_double.add``)."""
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


cdef inline bint in_safe_range(double center, double squares) noexcept nogil:
    """Tell whether squared deviations from a center lost nothing to the range of float64."""
    center = fabs(center)
    return (
        (squares <= HUGE_SQUARE) & (center <= HUGE_MEAN)
        & ((center >= TINY_MEAN) | (squares >= TINY_SQUARE))
    )


cdef inline bint are_in_safe_range(F64x8 center, F64x8 squares) noexcept nogil:
    """Tell whether all lanes are ``in_safe_range``: of powers of two, the products are exact."""
    cdef F64x8 c = f64x8_abs(center)
    cdef F64x8 largest = f64x8_max(squares, f64x8_mul(c, f64x8_all(HUGE_SQUARE / HUGE_MEAN)))
    cdef F64x8 in_units = f64x8_max(
        f64x8_mul(c, f64x8_all(HUGE_MEAN)), f64x8_mul(squares, f64x8_all(HUGE_SQUARE))
    )
    return f64x8_all_at_most(largest, HUGE_SQUARE) and f64x8_all_at_least(in_units, 1.0)


cdef inline double unit_exponent(double magnitude, bint safe_is_zero) noexcept nogil:
    """Return the power of two for values up to a magnitude (see ``_moments.unit_exponent``)."""
    cdef int exponent
    if magnitude == 0.0:
        return EMPTY
    frexp(magnitude, &exponent)
    if safe_is_zero and -SAFE_EXPONENT <= exponent <= SAFE_EXPONENT:
        return 0.0
    return max(-EXPONENT_LIMIT, min(EXPONENT_LIMIT, exponent))


cdef inline bint is_constant(double count, double mean, double var) noexcept nogil:
    """Tell whether a variance cannot be told from zero (see ``_moments.is_constant``)."""
    cdef double bound = max(1.0, min(count, MOST_SAMPLES_IN_BOUND)) * MACHINE_EPSILON * mean
    return var <= bound * bound
