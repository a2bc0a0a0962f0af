# Vectors along the middle axis, or rows of CSR, divided by their norms.

cdef inline Py_ssize_t f64x8_at_once(Py_ssize_t n) noexcept nogil:
    """Return how many neighboring vectors of n values to work on together.

    As many as stay in the cache from one pass to the next; if not even a few do, longer runs
    through memory are faster.
    """
    if CACHED // n < 128:
        return WIDE
    return min(<Py_ssize_t> WIDE, CACHED // n)


cdef inline double norm_of_run(const floating* x, Py_ssize_t n, Norm kind) noexcept nogil:
    """Return the sum of magnitudes, sum of squares or largest magnitude; NaN for NaN."""
    cdef double total = 0.0, low = 0.0
    cdef Py_ssize_t i = 0
    if n <= CHUNK or kind == MAX:
        return norm_of_chunk(x, n, kind)
    while i < n:
        add(&total, &low, norm_of_chunk(x + i, min(<Py_ssize_t> CHUNK, n - i), kind), 0.0)
        i += CHUNK
    return total


cdef inline double norm_of_chunk(const floating* x, Py_ssize_t n, Norm kind) noexcept nogil:
    cdef F64x8 a = f64x8_all(0.0), b = a
    cdef Py_ssize_t i = 0
    if n < LANES:
        return norm_of_few(x, n, kind)
    if floating is float and kind == MAX:
        return largest_float32(x, n)
    while i + 2 * LANES <= n:
        sknorm_prefetch_lines(
            x + i + BYTES_AHEAD // sizeof(floating), 2 * LANES * sizeof(floating)
        )
        a = with_value(a, load(x + i), kind)
        b = with_value(b, load(x + i + LANES), kind)
        i += 2 * LANES
    if i + LANES <= n:
        a = with_value(a, load(x + i), kind)
        i += LANES
    if i < n:
        b = with_value(b, f64x8_last(load(x + n - LANES), LANES - (n - i)), kind)
    return f64x8_largest(f64x8_max(a, b)) if kind == MAX else f64x8_sum(f64x8_add(a, b))


cdef inline F64x8 with_value(F64x8 a, F64x8 v, Norm kind) noexcept nogil:
    """Add values to sums of magnitudes or squares, or take them into largest magnitudes."""
    if kind == L1:
        return f64x8_add(a, f64x8_abs(v))
    elif kind == L2:
        return f64x8_add(a, f64x8_mul(v, v))
    return f64x8_max(f64x8_abs(v), a)


cdef inline double norm_of_few(const floating* x, Py_ssize_t n, Norm kind) noexcept nogil:
    cdef Py_ssize_t i
    cdef double d, total = 0.0, check = 0.0
    for i in range(n):
        d = x[i]
        if kind == L1:
            total += fabs(d)
        elif kind == L2:
            total += d * d
        else:
            total = fabs(d) if fabs(d) > total else total
            check += d - d
    return total + check


cdef inline bint finalize_norms(
    const floating* x, Py_ssize_t n, Norm kind, double* total, double* inverse
) noexcept nogil:
    """Make norms of their sums, and find their inverses, several at a time.

    The inverse is 0 where a sum or a quotient leaves a safe range; then False is returned.
    """
    cdef double least = TINY_SQUARE if kind == L2 else MIN_NORM
    cdef double most = HUGE_SQUARE if kind == L2 else MAX_NORM
    cdef double norm
    cdef Py_ssize_t i
    cdef bint safe = True
    for i in range(n):
        norm = sqrt(total[i]) if kind == L2 else total[i]
        inverse[i] = 1.0 / norm if (least <= total[i]) & (total[i] <= most) else 0.0
        total[i] = norm
    for i in range(n):
        if not fits_float32(x, 0.0, inverse[i]):
            inverse[i] = 0.0
        safe &= inverse[i] != 0.0
    return safe


cdef bint normalize_slow(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Norm kind, double* norm
) noexcept nogil:
    """Divide strided values by their norm in a unit where nothing leaves the range."""
    cdef double magnitude = 0.0, total = 0.0, low = 0.0, v
    cdef Py_ssize_t i
    cdef int exponent
    for i in range(n):
        v = fabs(x[i * stride])
        if not v < INFINITY:
            return True
        magnitude = max(magnitude, v)
    if magnitude == 0.0:
        norm[0] = 0.0
        for i in range(n):
            out[i * stride] = x[i * stride]
        return False
    exponent = <int> unit_exponent(magnitude, False)
    for i in range(n):
        v = fabs(ldexp(x[i * stride], -exponent))
        if kind == L1:
            add(&total, &low, v, 0.0)
        elif kind == L2:
            add(&total, &low, v * v, 0.0)
        else:
            total = max(total, v)
    if kind == L2:
        total = sqrt(total)
    norm[0] = ldexp(total, exponent)
    for i in range(n):
        out[i * stride] = <floating> (ldexp(x[i * stride], -exponent) / total)
    return False


cdef inline void divide_run(
    const floating* x, floating* out, Py_ssize_t n, double total, double inverse
) noexcept nogil:
    """Divide contiguous values, of which the last lanes may overlap those before."""
    cdef F64x8 t = f64x8_all(total), last = t
    cdef Py_ssize_t i = 0
    if floating is float:
        standardize_float32(x, out, n, 0.0, inverse)
        return
    if n < LANES:
        for i in range(n):
            out[i] = x[i] / total
        return
    if n % LANES:
        last = f64x8_div(load(x + n - LANES), t)
    while i + LANES <= n:
        store(out + i, f64x8_div(load(x + i), t))
        i += LANES
    if i < n:
        store(out + n - LANES, last)


cdef inline bint normalize_rows_by(
    const floating* x, floating* out, Py_ssize_t n_rows, Py_ssize_t n, Norm kind, double* norms
) noexcept nogil:
    """Divide contiguous vectors by their norms, a batch at a time.

    In a batch no row waits for the root and the division of the one before.
    """
    cdef double total[BATCH]
    cdef double inverse[BATCH]
    cdef Py_ssize_t r = 0, i, rows, most = rows_at_once(n)
    cdef bint bad = False
    while r < n_rows:
        rows = min(most, n_rows - r)
        for i in range(rows):
            total[i] = norm_of_run(x + (r + i) * n, n, kind)
        finalize_norms(x, rows, kind, total, inverse)
        for i in range(rows):
            if inverse[i] == 0.0:
                bad |= normalize_slow(
                    x + (r + i) * n, out + (r + i) * n, n, 1, kind, &total[i]
                )
            else:
                divide_run(x + (r + i) * n, out + (r + i) * n, n, total[i], inverse[i])
        if norms != NULL:
            for i in range(rows):
                norms[r + i] = total[i]
        r += rows
    return bad


cdef bint normalize_rows(
    const floating* x, floating* out, Py_ssize_t n_rows, Py_ssize_t n, Norm kind, double* norms
) noexcept nogil:
    """Divide contiguous vectors by their norms; the loop over each kind is compiled apart."""
    cdef Py_ssize_t first, last = n_rows, step = block_length(sizeof(floating) * n)
    cdef bint bad = False
    cdef double* kept = NULL
    while last > 0:
        first = max(<Py_ssize_t> 0, last - step)
        if norms != NULL:
            kept = norms + first
        if kind == L1:
            bad |= normalize_rows_by(x + first * n, out + first * n, last - first, n, L1, kept)
        elif kind == L2:
            bad |= normalize_rows_by(x + first * n, out + first * n, last - first, n, L2, kept)
        else:
            bad |= normalize_rows_by(x + first * n, out + first * n, last - first, n, MAX, kept)
        last = first
    return bad
