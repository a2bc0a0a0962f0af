# Sums of deviations from a shift and of their squares, of columns, short runs and long ones.

cdef inline Py_ssize_t rows_in_turn(Py_ssize_t row_bytes) noexcept nogil:
    """Return how many rows to walk along side by side: more save loads and stores of the sums."""
    return 8 if row_bytes <= SHORT_ROW_BYTES else 4


cdef void sum_rows(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width,
    const double* w, const double* shift, double* s1, double* s2, double* low, double* high
) noexcept nogil:
    """Sum deviations from a shift per column over a block of rows, and find extremes.

    A few rows are summed up plainly, and their sums added: the error grows with less than n. The
    last columns overlap those before, as the sums of each column are the same in both. Extremes
    are not looked for where low is NULL.
    """
    cdef double part1[TILE + LANES]
    cdef double part2[TILE + LANES]
    cdef double all1[TILE + LANES]
    cdef double all2[TILE + LANES]
    cdef double least[TILE + LANES]
    cdef double greatest[TILE + LANES]
    cdef Py_ssize_t first = 0, k, c
    if width < LANES:
        sum_narrow_rows(x, rows, stride, width, w, shift, s1, s2, low, high)
        return
    for k in range(width + LANES):
        all1[k] = all2[k] = 0.0
        least[k] = INFINITY
        greatest[k] = -INFINITY
    while first < rows:
        sum_few_rows(
            x + first * stride, min(<Py_ssize_t> FEW_ROWS, rows - first), stride, width,
            w + first if w != NULL else NULL, shift, part1, part2,
            least if low != NULL else NULL, greatest,
        )
        for k in range(width + LANES):
            all1[k] += part1[k]
            all2[k] += part2[k]
        first += FEW_ROWS
    k = 0
    while k < width:
        c = min(k, width - LANES)
        f64x8_store_double(s1 + c, f64x8_load_double(all1 + k))
        f64x8_store_double(s2 + c, f64x8_load_double(all2 + k))
        if low != NULL:
            f64x8_store_double(low + c, f64x8_load_double(least + k))
            f64x8_store_double(high + c, f64x8_load_double(greatest + k))
        k += LANES


cdef inline void sum_few_rows(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width,
    const double* w, const double* shift, double* a1, double* a2, double* low, double* high
) noexcept nogil:
    """Sum deviations per column; the last lanes are those of the last columns.

    Rows are fetched before their turn, which the processor does not do for several at once: rows of
    2,500 values take half the time by that, and of 8 to 64 three quarters.
    """
    cdef Py_ssize_t row_bytes = stride * sizeof(floating)
    cdef Py_ssize_t r = 0, c, k, i, last, turn = rows_in_turn(row_bytes)
    cdef Py_ssize_t ahead = stride * max(turn, BYTES_AHEAD // row_bytes)
    cdef F64x8 s, v, t1, t2, weight, l, h
    cdef const floating* p
    for k in range(width + LANES):
        a1[k] = a2[k] = 0.0
    while r < rows:
        last = min(r + turn, rows)
        k = 0
        while k < width:
            c = min(k, width - LANES)
            s = f64x8_load_double(shift + c)
            t1 = f64x8_load_double(a1 + k)
            t2 = f64x8_load_double(a2 + k)
            p = x + r * stride + c
            if low != NULL:
                l = f64x8_load_double(low + k)
                h = f64x8_load_double(high + k)
            if w == NULL and low == NULL:
                for i in range(r, last):
                    sknorm_prefetch(p + ahead)
                    v = f64x8_sub(load(p), s)
                    t1 = f64x8_add(t1, v)
                    t2 = f64x8_add(t2, f64x8_mul(v, v))
                    p += stride
            elif w == NULL:
                for i in range(r, last):
                    sknorm_prefetch(p + ahead)
                    v = load(p)
                    l = f64x8_lesser(v, l)
                    h = f64x8_greater(v, h)
                    v = f64x8_sub(v, s)
                    t1 = f64x8_add(t1, v)
                    t2 = f64x8_add(t2, f64x8_mul(v, v))
                    p += stride
            else:
                for i in range(r, last):
                    sknorm_prefetch(p + ahead)
                    v = load(p)
                    if low != NULL and w[i] != 0.0:
                        l = f64x8_lesser(v, l)
                        h = f64x8_greater(v, h)
                    v = f64x8_sub(v, s)
                    weight = f64x8_all(w[i])
                    t1 = f64x8_add(t1, f64x8_mul(weight, v))
                    t2 = f64x8_add(t2, f64x8_mul(weight, f64x8_mul(v, v)))
                    p += stride
            f64x8_store_double(a1 + k, t1)
            f64x8_store_double(a2 + k, t2)
            if low != NULL:
                f64x8_store_double(low + k, l)
                f64x8_store_double(high + k, h)
            k += LANES
        r = last


cdef void sum_short_runs(
    const floating* x, Py_ssize_t outer, Py_ssize_t stride, Py_ssize_t channels, Py_ssize_t inner,
    const double* w, const double* shift, double* s1, double* s2, double* low, double* high
) noexcept nogil:
    """Sum deviations from a shift per channel over a block of samples with short runs.

    Each channel has its own lanes until the end, so that memory is read from start to end.
    Extremes are not looked for where low is NULL.
    """
    cdef double a1[RUNS_TILE * LANES]
    cdef double a2[RUNS_TILE * LANES]
    cdef double least[RUNS_TILE * LANES]
    cdef double greatest[RUNS_TILE * LANES]
    cdef Py_ssize_t o, c, i, left = inner % LANES
    cdef F64x8 s, v, t1, t2, l, h, weight = f64x8_all(1.0)
    cdef const floating* p
    cdef bint counts = low != NULL
    for c in range(channels * LANES):
        a1[c] = a2[c] = 0.0
        least[c] = INFINITY
        greatest[c] = -INFINITY
    for o in range(outer):
        if w != NULL:
            weight = f64x8_all(w[o])
            counts = low != NULL and w[o] != 0.0
        p = x + o * stride
        for c in range(channels):
            sknorm_prefetch_all(p + BYTES_AHEAD // sizeof(floating), inner * sizeof(floating))
            s = f64x8_all(shift[c])
            t1 = f64x8_load_double(a1 + c * LANES)
            t2 = f64x8_load_double(a2 + c * LANES)
            l = f64x8_load_double(least + c * LANES)
            h = f64x8_load_double(greatest + c * LANES)
            i = 0
            while i < inner:
                v = load(p + i if i + LANES <= inner else p + inner - LANES)
                if counts:
                    l = f64x8_lesser(v, l)
                    h = f64x8_greater(v, h)
                v = f64x8_sub(v, s)
                if i + LANES > inner:
                    v = f64x8_last(v, LANES - left)
                if w == NULL:
                    t1 = f64x8_add(t1, v)
                    t2 = f64x8_add(t2, f64x8_mul(v, v))
                else:
                    t1 = f64x8_add(t1, f64x8_mul(weight, v))
                    t2 = f64x8_add(t2, f64x8_mul(weight, f64x8_mul(v, v)))
                i += LANES
            f64x8_store_double(a1 + c * LANES, t1)
            f64x8_store_double(a2 + c * LANES, t2)
            f64x8_store_double(least + c * LANES, l)
            f64x8_store_double(greatest + c * LANES, h)
            p += inner
    for c in range(channels):
        if low != NULL:
            low[c] = f64x8_least_lane(f64x8_load_double(least + c * LANES))
            high[c] = f64x8_greatest_lane(f64x8_load_double(greatest + c * LANES))
        s1[c] = f64x8_sum(f64x8_load_double(a1 + c * LANES))
        s2[c] = f64x8_sum(f64x8_load_double(a2 + c * LANES))


cdef void sum_narrow_rows(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width,
    const double* w, const double* shift, double* s1, double* s2, double* low, double* high
) noexcept nogil:
    cdef Py_ssize_t r, c
    cdef double d, weight = 1.0
    for c in range(width):
        s1[c] = s2[c] = 0.0
        if low != NULL:
            low[c] = INFINITY
            high[c] = -INFINITY
    for r in range(rows):
        if w != NULL:
            weight = w[r]
        for c in range(width):
            d = x[r * stride + c]
            if low != NULL and weight != 0.0:
                low[c] = min(low[c], d)
                high[c] = max(high[c], d)
            d -= shift[c]
            s1[c] += weight * d
            s2[c] += weight * (d * d)


cdef inline double sum_deviations(
    const floating* x, Py_ssize_t n, double shift, Extent* extent
) noexcept nogil:
    """Return the sum of deviations from a shift over contiguous values, and find their extent."""
    cdef F64x8 a = f64x8_all(0.0), b = a, s = f64x8_all(shift), v, u
    cdef Extent found = extent[0]
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    while i + 2 * LANES <= n:
        load_two(x + i, &v, &u, &found)
        a = f64x8_add(a, f64x8_sub(v, s))
        b = f64x8_add(b, f64x8_sub(u, s))
        i += 2 * LANES
    while i < n:
        extend(&found, f64x8_all(x[i]))
        rest += x[i] - shift
        i += 1
    extent[0] = found
    return f64x8_sum(f64x8_add(a, b)) + rest


cdef void sum_run(
    const floating* x, Py_ssize_t n, const double* w, double shift, double* s1, double* s2,
    Extent* extent
) noexcept nogil:
    """Find the sums of deviations from a shift, and of their squares, over contiguous values.

    Sums of CHUNK values are added up with their rounding errors: the error does not grow with n.
    The extent of the values that have a weight is found as well, unless it is NULL.
    """
    cdef double low1 = 0.0, low2 = 0.0, part1, part2
    cdef Py_ssize_t i = 0, length
    s1[0] = s2[0] = 0.0
    while i < n:
        length = min(<Py_ssize_t> CHUNK, n - i)
        if w == NULL:
            sum_plain(x + i, length, shift, &part1, &part2, extent)
        else:
            sum_weighted(x + i, length, w + i, shift, &part1, &part2, extent)
        add(s1, &low1, part1, 0.0)
        add(s2, &low2, part2, 0.0)
        i += length


cdef inline void sum_plain(
    const floating* x, Py_ssize_t n, double shift, double* s1, double* s2, Extent* extent
) noexcept nogil:
    """Find the sums of deviations from a shift over a few contiguous values."""
    cdef F64x8 a1 = f64x8_all(0.0), a2 = a1, b1 = a1, b2 = a1, s = f64x8_all(shift), v, u
    cdef Extent found = extent[0] if extent != NULL else no_extent(0)
    cdef double d
    cdef Py_ssize_t i = 0
    if n < LANES:
        s1[0] = s2[0] = 0.0
        for i in range(n):
            extend(&found, f64x8_all(x[i]))
            d = x[i] - shift
            s1[0] += d
            s2[0] += d * d
        if extent != NULL:
            extent[0] = found
        return
    while i + 2 * LANES <= n:
        load_two(x + i, &v, &u, &found if extent != NULL else NULL)
        v = f64x8_sub(v, s)
        u = f64x8_sub(u, s)
        a1 = f64x8_add(a1, v)
        b1 = f64x8_add(b1, u)
        a2 = f64x8_add(a2, f64x8_mul(v, v))
        b2 = f64x8_add(b2, f64x8_mul(u, u))
        i += 2 * LANES
    if i + LANES <= n:
        v = load(x + i)
        extend(&found, v)
        v = f64x8_sub(v, s)
        a1 = f64x8_add(a1, v)
        a2 = f64x8_add(a2, f64x8_mul(v, v))
        i += LANES
    if i < n:
        u = load(x + n - LANES)
        extend(&found, u)
        u = f64x8_last(f64x8_sub(u, s), LANES - (n - i))
        b1 = f64x8_add(b1, u)
        b2 = f64x8_add(b2, f64x8_mul(u, u))
    s1[0] = f64x8_sum(f64x8_add(a1, b1))
    s2[0] = f64x8_sum(f64x8_add(a2, b2))
    if extent != NULL:
        extent[0] = found


cdef void sum_weighted(
    const floating* x, Py_ssize_t n, const double* w, double shift, double* s1, double* s2,
    Extent* extent
) noexcept nogil:
    """Find the weighted sums of deviations from a shift over a few contiguous values."""
    cdef F64x8 a1 = f64x8_all(0.0), a2 = a1, s = f64x8_all(shift), v, weight
    cdef double d, rest1 = 0.0, rest2 = 0.0
    cdef Py_ssize_t i = 0
    if extent != NULL:
        for i in range(n):
            if w[i] != 0.0:
                extend(extent, f64x8_all(x[i]))
    i = 0
    while i + LANES <= n:
        v = f64x8_sub(load(x + i), s)
        weight = f64x8_load_double(w + i)
        a1 = f64x8_add(a1, f64x8_mul(weight, v))
        a2 = f64x8_add(a2, f64x8_mul(weight, f64x8_mul(v, v)))
        i += LANES
    while i < n:
        d = x[i] - shift
        rest1 += w[i] * d
        rest2 += w[i] * (d * d)
        i += 1
    s1[0] = f64x8_sum(a1) + rest1
    s2[0] = f64x8_sum(a2) + rest2


cdef void sum_weights(
    const double* w, Py_ssize_t n, double times, double* high, double* low
) noexcept nogil:
    """Sum weights, each counted a number of times, into a double-double number."""
    cdef Py_ssize_t i
    high[0] = low[0] = 0.0
    for i in range(n):
        add(high, low, times * w[i], 0.0)


cdef inline void add_exactly(double* sums, double* errors, F64x8 v) noexcept nogil:
    """Add to sums, taking their rounding errors along (Kahan)."""
    cdef F64x8 s = f64x8_load_double(sums), t
    v = f64x8_sub(v, f64x8_load_double(errors))
    t = f64x8_add(s, v)
    f64x8_store_double(errors, f64x8_sub(f64x8_sub(t, s), v))
    f64x8_store_double(sums, t)


cdef inline void add_one_exactly(double* sums, double* errors, double v) noexcept nogil:
    cdef double t
    v -= errors[0]
    t = sums[0] + v
    errors[0] = (t - sums[0]) - v
    sums[0] = t
