# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, freethreading_compatible=True, embedsignature=False
"""Compiled loops over NumPy arrays and CSR/CSC arrays of native float32 and float64.

Every dense array arrives as a C-contiguous view of three axes (``_layout`` makes it): statistics
per channel reduce over the outer two axes ("across"), statistics per sample over the middle one
("within"). Each loop exists for an innermost axis of one element and of many.

A fast loop runs without any test of its values. Only when its sums come out NaN, infinite or
outside a safe range is the run done again by a careful twin, which leaves out NaN, finds infinity
and works in a power-of-two unit in which nothing overflows or underflows.

Functions return True where they found infinity (or NaN where that is not allowed).
"""

from libc.math cimport INFINITY, fabs, frexp, hypot, ldexp, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

ctypedef fused floating:
    float
    double

ctypedef fused integral:
    int32_t
    int64_t

cdef extern from "_lanes.h" nogil:
    enum:
        LANES "SKNORM_LANES"

    ctypedef struct Lanes:
        pass

    Lanes lanes_all(double value)
    Lanes lanes_load_double(const double* x)
    Lanes lanes_load_float(const float* x)
    void lanes_store_double(double* x, Lanes a)
    void lanes_store_float(float* x, Lanes a)
    void lanes_prefetch(const void* x)
    Lanes lanes_add(Lanes a, Lanes b)
    Lanes lanes_sub(Lanes a, Lanes b)
    Lanes lanes_mul(Lanes a, Lanes b)
    Lanes lanes_div(Lanes a, Lanes b)
    Lanes lanes_abs(Lanes a)
    Lanes lanes_max(Lanes a, Lanes b)
    double lanes_sum(Lanes a)
    double lanes_largest(Lanes a)
    void sknorm_scatter(double* fields, double x)
    int sknorm_level()

cdef enum:
    ROWS = 512  # rows in a block of column statistics
    RUN = 2048  # values in a block of contiguous statistics
    TILE = 256  # columns whose accumulators stay in the nearest cache
    CHUNK = 256  # contiguous values that are summed up plainly
    WIDE = 1024  # neighbouring vectors whose accumulators do
    CACHED = 65536  # values that stay in the second cache from one pass to the next

cdef enum Norm:
    L1 = 1
    L2 = 2
    MAX = 3

# Kept equal to ``_moments``: a test compares them.
cdef int TAME = 350
cdef int EXPONENT_LIMIT = 1020
cdef double NEUTRAL = -5000.0
cdef double MOST_SAMPLES_IN_BOUND = 10000.0
cdef double MACHINE_EPSILON = 2.220446049250313e-16

cdef double TINY_MEAN = ldexp(1.0, -TAME)
cdef double HUGE_MEAN = ldexp(1.0, TAME)
cdef double TINY_SQUARE = ldexp(1.0, -600)
cdef double HUGE_SQUARE = ldexp(1.0, 600)


def constants():
    """Return what must equal the constants of ``_moments``."""
    return TAME, EXPONENT_LIMIT, NEUTRAL, MOST_SAMPLES_IN_BOUND


def processor_level():
    """Return 4 where the processor has AVX-512, 3 where it has AVX2, else 0."""
    return sknorm_level()


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


# ---------------------------------------------------------------------------------------------
# Scalars


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


# ---------------------------------------------------------------------------------------------
# Column statistics: a cell is a channel's count, mean and spread (twofold) and exponent


cdef void merge(
    double* cell, double count, double count_low, double mean, double mean_low, double spread,
    double exponent
) noexcept nogil:
    """Merge a block's statistics into a cell (see ``_moments.Moments.merge``)."""
    cdef double unit, share, delta
    cdef double other[6]
    cdef int change, i
    if not count > 0.0:
        return
    if cell[0] == 0.0:
        cell[0] = count
        cell[1] = count_low
        cell[2] = mean
        cell[3] = mean_low
        cell[4] = spread
        cell[5] = 0.0
        cell[6] = exponent
        return
    if cell[6] != exponent:
        unit = max(cell[6], exponent)
        change = <int> max(cell[6] - unit, -2000.0)
        cell[2] = ldexp(cell[2], change)
        cell[3] = ldexp(cell[3], change)
        cell[4] = ldexp(cell[4], 2 * change)
        cell[5] = ldexp(cell[5], 2 * change)
        cell[6] = unit
        change = <int> max(exponent - unit, -2000.0)
        mean = ldexp(mean, change)
        mean_low = ldexp(mean_low, change)
        spread = ldexp(spread, 2 * change)
    other[:] = [count, count_low, mean, mean_low, spread, 0.0]
    # The mean moves from that of the larger part: from the smaller, digits would cancel.
    if count > cell[0]:
        for i in range(6):
            other[i], cell[i] = cell[i], other[i]
    count = cell[0]
    add(&cell[0], &cell[1], other[0], other[1])
    share = other[0] / cell[0]
    delta = other[2]
    add(&delta, &other[3], -cell[2], -cell[3])
    add(&cell[2], &cell[3], delta * share, 0.0)
    add(&cell[4], &cell[5], other[4], other[5])
    add(&cell[4], &cell[5], delta * delta * (count * share), 0.0)


cdef inline void merge_sums(
    double* cell, double count, double count_low, double shift, double s1, double s2
) noexcept nogil:
    """Merge sums of deviations from a shift, and of their squares, into a cell."""
    cdef double mean = shift
    cdef double mean_low = 0.0
    cdef double centre = s1 / count
    add(&mean, &mean_low, centre, 0.0)
    merge(cell, count, count_low, mean, mean_low, max(0.0, s2 - s1 * centre), 0.0)


cdef inline double start(const double* cell) noexcept nogil:
    """Return the shift for a cell's next block: its mean so far."""
    return cell[2] if cell[6] == 0.0 else 0.0


cdef inline bint in_own_unit(const double* cell) noexcept nogil:
    return cell[6] == 0.0 or cell[6] == NEUTRAL


cdef bint merge_carefully(double* v, double* w, Py_ssize_t n, double* cell) noexcept nogil:
    """Merge buffered values (weighted unless w is NULL), whatever they are, into a cell."""
    cdef Py_ssize_t i, k = 0
    cdef double magnitude = 0.0, exponent, shift, d, s1, s2, low1, low2, mean, mean_low, weight
    cdef double count = 0.0, count_low = 0.0
    for i in range(n):
        if fabs(v[i]) == INFINITY:
            return True
        if v[i] != v[i] or (w != NULL and w[i] == 0.0):
            continue
        v[k] = v[i]
        if w != NULL:
            w[k] = w[i]
            add(&count, &count_low, w[k], 0.0)
        magnitude = max(magnitude, fabs(v[k]))
        k += 1
    if w == NULL:
        count = <double> k
    if not count > 0.0:
        return False
    exponent = unit_exponent(magnitude, True)
    if exponent != 0.0 and exponent != NEUTRAL:
        for i in range(k):
            v[i] = ldexp(v[i], -<int> exponent)
    shift = v[0]
    s1 = s2 = low1 = low2 = 0.0
    for i in range(k):
        weight = 1.0 if w == NULL else w[i]
        add(&s1, &low1, weight * (v[i] - shift), 0.0)
    shift += s1 / count
    s1 = low1 = 0.0
    for i in range(k):
        weight = 1.0 if w == NULL else w[i]
        d = v[i] - shift
        add(&s1, &low1, weight * d, 0.0)
        add(&s2, &low2, weight * (d * d), 0.0)
    mean = shift
    mean_low = 0.0
    add(&mean, &mean_low, s1 / count, 0.0)
    merge(cell, count, count_low, mean, mean_low, max(0.0, s2 - s1 * (s1 / count)), exponent)
    return False


cdef void sum_rows(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width,
    const double* w, const double* shift, double* s1, double* s2
) noexcept nogil:
    """Sum deviations from a shift per column over a block of rows.

    Eight rows of eight columns at a time; the last columns overlap those before, as the sums of
    each column are the same in both.
    """
    cdef double a1[TILE + LANES]
    cdef double a2[TILE + LANES]
    cdef Py_ssize_t r = 0, c, k, i, last
    cdef double d
    cdef Lanes s, v, t1, t2, weight
    cdef const floating* p
    if width < LANES:
        sum_narrow_rows(x, rows, stride, width, w, shift, s1, s2)
        return
    for c in range(width + LANES):
        a1[c] = a2[c] = 0.0
    while r < rows:
        last = min(r + LANES, rows)
        c = k = 0
        while k < width:
            c = min(k, width - LANES)
            s = lanes_load_double(shift + c)
            t1 = t2 = lanes_all(0.0)
            p = x + r * stride + c
            if w == NULL:
                for i in range(r, last):
                    lanes_prefetch(p + 2 * LANES * stride)
                    v = lanes_sub(load(p), s)
                    t1 = lanes_add(t1, v)
                    t2 = lanes_add(t2, lanes_mul(v, v))
                    p += stride
            else:
                for i in range(r, last):
                    v = lanes_sub(load(p), s)
                    weight = lanes_all(w[i])
                    t1 = lanes_add(t1, lanes_mul(weight, v))
                    t2 = lanes_add(t2, lanes_mul(weight, lanes_mul(v, v)))
                    p += stride
            lanes_store_double(a1 + k, lanes_add(lanes_load_double(a1 + k), t1))
            lanes_store_double(a2 + k, lanes_add(lanes_load_double(a2 + k), t2))
            k += LANES
        r = last
    k = 0
    while k < width:
        c = min(k, width - LANES)
        lanes_store_double(s1 + c, lanes_load_double(a1 + k))
        lanes_store_double(s2 + c, lanes_load_double(a2 + k))
        k += LANES


cdef void sum_narrow_rows(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width,
    const double* w, const double* shift, double* s1, double* s2
) noexcept nogil:
    cdef Py_ssize_t r, c
    cdef double d, weight = 1.0
    for c in range(width):
        s1[c] = s2[c] = 0.0
    for r in range(rows):
        if w != NULL:
            weight = w[r]
        for c in range(width):
            d = x[r * stride + c] - shift[c]
            s1[c] += weight * d
            s2[c] += weight * (d * d)


cdef inline double sum_deviations(const floating* x, Py_ssize_t n, double shift) noexcept nogil:
    """Return the sum of deviations from a shift over contiguous values."""
    cdef Lanes a = lanes_all(0.0), s = lanes_all(shift)
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    while i + LANES <= n:
        a = lanes_add(a, lanes_sub(load(x + i), s))
        i += LANES
    while i < n:
        rest += x[i] - shift
        i += 1
    return lanes_sum(a) + rest


cdef inline void sum_run(
    const floating* x, Py_ssize_t n, const double* w, double shift, double* s1, double* s2
) noexcept nogil:
    """Add sums of deviations from a shift over contiguous values to s1 and s2.

    Sums of CHUNK values are added up with their rounding errors: the error does not grow with n.
    """
    cdef double low1 = 0.0, low2 = 0.0, part1, part2
    cdef Py_ssize_t i = 0
    if n <= CHUNK:
        sum_chunk(x, n, w, shift, s1, s2)
        return
    while i < n:
        part1 = part2 = 0.0
        sum_chunk(
            x + i, min(<Py_ssize_t> CHUNK, n - i), w + i if w != NULL else NULL, shift, &part1,
            &part2,
        )
        add(s1, &low1, part1, 0.0)
        add(s2, &low2, part2, 0.0)
        i += CHUNK


cdef inline void sum_chunk(
    const floating* x, Py_ssize_t n, const double* w, double shift, double* s1, double* s2
) noexcept nogil:
    """Add sums of deviations from a shift over a few contiguous values to s1 and s2."""
    cdef Lanes a1 = lanes_all(0.0), a2 = a1, b1 = a1, b2 = a1, s = lanes_all(shift), v, u, weight
    cdef double d, rest1 = 0.0, rest2 = 0.0
    cdef Py_ssize_t i = 0
    if w == NULL:
        while i + 2 * LANES <= n:
            v = lanes_sub(load(x + i), s)
            u = lanes_sub(load(x + i + LANES), s)
            a1 = lanes_add(a1, v)
            b1 = lanes_add(b1, u)
            a2 = lanes_add(a2, lanes_mul(v, v))
            b2 = lanes_add(b2, lanes_mul(u, u))
            i += 2 * LANES
        if i + LANES <= n:
            v = lanes_sub(load(x + i), s)
            a1 = lanes_add(a1, v)
            a2 = lanes_add(a2, lanes_mul(v, v))
            i += LANES
        while i < n:
            d = x[i] - shift
            rest1 += d
            rest2 += d * d
            i += 1
    else:
        while i + LANES <= n:
            v = lanes_sub(load(x + i), s)
            weight = lanes_load_double(w + i)
            a1 = lanes_add(a1, lanes_mul(weight, v))
            a2 = lanes_add(a2, lanes_mul(weight, lanes_mul(v, v)))
            i += LANES
        while i < n:
            d = x[i] - shift
            rest1 += w[i] * d
            rest2 += w[i] * (d * d)
            i += 1
    s1[0] += lanes_sum(lanes_add(a1, b1)) + rest1
    s2[0] += lanes_sum(lanes_add(a2, b2)) + rest2


cdef void sum_weights(
    const double* w, Py_ssize_t n, double times, double* high, double* low
) noexcept nogil:
    """Sum weights, each counted a number of times, into a twofold number."""
    cdef Py_ssize_t i
    high[0] = low[0] = 0.0
    for i in range(n):
        add(high, low, times * w[i], 0.0)


cdef bint merge_block(
    const floating* x, Py_ssize_t outer, Py_ssize_t stride, Py_ssize_t inner,
    const double* w_outer, const double* w_inner, double* cell
) noexcept nogil:
    """Merge one channel's values in a block, ``outer`` runs of ``inner``, carefully."""
    cdef double v[RUN]
    cdef double w[RUN]
    cdef Py_ssize_t o, i, k = 0
    cdef bint weighted = w_outer != NULL or w_inner != NULL
    for o in range(outer):
        for i in range(inner):
            v[k] = x[o * stride + i]
            if weighted:
                w[k] = w_outer[o] if w_outer != NULL else w_inner[i]
            k += 1
    return merge_carefully(v, w if weighted else NULL, k, cell)


cdef inline Py_ssize_t first_weighted(const double* w, Py_ssize_t n) noexcept nogil:
    """Return the position of the first weight that is not 0 (0 if there is none)."""
    cdef Py_ssize_t i = 0
    if w == NULL:
        return 0
    while i < n and w[i] == 0.0:
        i += 1
    return i if i < n else 0


cdef bint column_moments_of_rows(
    const floating* x, Py_ssize_t n, Py_ssize_t n_columns, const double* w, double* table
) noexcept nogil:
    """Merge the columns of a C-contiguous matrix into their cells."""
    cdef double shift[TILE]
    cdef double s1[TILE]
    cdef double s2[TILE]
    cdef Py_ssize_t c0 = 0, r0, c, width, rows, row
    cdef const floating* block
    cdef const double* weights
    cdef double* cell
    cdef double count, count_low
    cdef bint infinite = False
    while c0 < n_columns:
        width = min(<Py_ssize_t> TILE, n_columns - c0)
        r0 = 0
        while r0 < n:
            rows = min(<Py_ssize_t> ROWS, n - r0)
            block = x + r0 * n_columns + c0
            weights = w + r0 if w != NULL else NULL
            count = <double> rows
            count_low = 0.0
            if weights != NULL:
                sum_weights(weights, rows, 1.0, &count, &count_low)
            if r0 == 0:
                row = first_weighted(weights, rows) * n_columns
                for c in range(width):
                    shift[c] = block[row + c] if block[row + c] - block[row + c] == 0.0 else 0.0
                sum_rows(block, rows, n_columns, width, weights, shift, s1, s2)
                for c in range(width):
                    if count > 0.0 and fabs(s1[c]) < HUGE_SQUARE:
                        shift[c] += s1[c] / count
            else:
                for c in range(width):
                    shift[c] = start(table + 7 * (c0 + c))
            sum_rows(block, rows, n_columns, width, weights, shift, s1, s2)
            for c in range(width):
                cell = table + 7 * (c0 + c)
                if in_own_unit(cell) and is_tame(shift[c], s2[c]):
                    if count > 0.0:
                        merge_sums(cell, count, count_low, shift[c], s1[c], s2[c])
                else:
                    infinite |= merge_block(block + c, rows, n_columns, 1, weights, NULL, cell)
            r0 += rows
        c0 += width
    return infinite


cdef bint merge_runs(
    const floating* x, Py_ssize_t outer, Py_ssize_t stride, Py_ssize_t inner,
    const double* w_outer, const double* w_inner, double* cell
) noexcept nogil:
    """Merge one channel's runs (in all at most RUN values) into its cell."""
    cdef double shift = start(cell), s1 = 0.0, s2 = 0.0, run1, run2, count, count_low = 0.0
    cdef Py_ssize_t o
    if w_outer != NULL:
        sum_weights(w_outer, outer, <double> inner, &count, &count_low)
    elif w_inner != NULL:
        sum_weights(w_inner, inner, 1.0, &count, &count_low)
    else:
        count = <double> (outer * inner)
    if cell[0] == 0.0:
        shift = first_shift(
            x + first_weighted(w_outer, outer) * stride, inner, w_inner, count
        )
    for o in range(outer):
        run1 = run2 = 0.0
        sum_run(x + o * stride, inner, w_inner, shift, &run1, &run2)
        if w_outer != NULL:
            run1 *= w_outer[o]
            run2 *= w_outer[o]
        s1 += run1
        s2 += run2
    if not (in_own_unit(cell) and is_tame(shift, s2)):
        return merge_block(x, outer, stride, inner, w_outer, w_inner, cell)
    if count > 0.0:
        merge_sums(cell, count, count_low, shift, s1, s2)
    return False


cdef inline double first_shift(
    const floating* x, Py_ssize_t n, const double* w, double count
) noexcept nogil:
    """Return about the mean of a run, or 0 where that cannot be told."""
    cdef double shift = x[first_weighted(w, n)], s1 = 0.0, s2 = 0.0
    if shift - shift != 0.0:
        return 0.0
    if w == NULL:
        s1 = sum_deviations(x, n, shift)
        count = <double> n
    else:
        sum_run(x, n, w, shift, &s1, &s2)
    return shift + s1 / count if fabs(s1) < HUGE_SQUARE and count > 0.0 else shift


cdef bint column_moments_of_runs(
    const floating* x, Py_ssize_t n_outer, Py_ssize_t n_channels, Py_ssize_t n_inner,
    const double* w_outer, const double* w_inner, double* table
) noexcept nogil:
    """Merge the channels of a C-contiguous (outer, channel, inner) array into their cells."""
    cdef Py_ssize_t most = max(<Py_ssize_t> 1, ROWS // n_inner)
    cdef Py_ssize_t o = 0, c, i, outer, inner
    cdef Py_ssize_t stride = n_channels * n_inner
    cdef bint infinite = False
    while o < n_outer:
        outer = min(most, n_outer - o)
        for c in range(n_channels):
            i = 0
            while i < n_inner:
                inner = min(<Py_ssize_t> RUN, n_inner - i)
                infinite |= merge_runs(
                    x + o * stride + c * n_inner + i, outer, stride, inner,
                    w_outer + o if w_outer != NULL else NULL,
                    w_inner + i if w_inner != NULL else NULL,
                    table + 7 * c,
                )
                i += inner
        o += outer
    return infinite


def column_moments(
    const floating[:, :, ::1] x, const double[::1] weight, bint weight_is_inner,
    double[:, ::1] table
):
    """Merge the values of each channel into its cell, a row of the table."""
    cdef const double* w = NULL
    cdef bint infinite
    if x.shape[0] == 0 or x.shape[1] == 0 or x.shape[2] == 0:
        return False
    if weight is not None:
        w = &weight[0]
    with nogil:
        if x.shape[2] == 1:
            infinite = column_moments_of_rows(
                &x[0, 0, 0], x.shape[0], x.shape[1], w, &table[0, 0]
            )
        else:
            infinite = column_moments_of_runs(
                &x[0, 0, 0], x.shape[0], x.shape[1], x.shape[2],
                NULL if weight_is_inner else w, w if weight_is_inner else NULL, &table[0, 0],
            )
    return infinite


cdef bint merge_values(
    const floating* x, const double* w, Py_ssize_t n, double* cell
) noexcept nogil:
    """Merge any number of contiguous values into a cell."""
    cdef Py_ssize_t i = 0, length
    cdef bint infinite = False
    while i < n:
        length = min(<Py_ssize_t> RUN, n - i)
        infinite |= merge_runs(
            x + i, 1, 0, length, NULL, w + i if w != NULL else NULL, cell
        )
        i += length
    return infinite


def csc_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSC array into its cell."""
    cdef double w[RUN]
    cdef Py_ssize_t j, k, i, length
    cdef bint infinite = False
    if data.shape[0] == 0:
        return False
    with nogil:
        for j in range(indptr.shape[0] - 1):
            k = indptr[j]
            while k < indptr[j + 1]:
                length = min(<Py_ssize_t> RUN, indptr[j + 1] - k)
                if weight is not None:
                    for i in range(length):
                        w[i] = weight[indices[k + i]]
                infinite |= merge_values(
                    &data[k], w if weight is not None else NULL, length, &table[j, 0]
                )
                k += length
    return infinite


cdef enum:
    FIELDS = 4  # of a column of CSR: its shift, sums of deviations and of squares, and count


cdef bint scatter_block(
    const floating* data, const integral* indices, Py_ssize_t n, Py_ssize_t n_columns,
    double* columns, double* table
) noexcept nogil:
    """Merge a block of values into the cells of their columns; False if one needs more care.

    A column's four fields share a cache line. Where the block has the first values of a column,
    a first pass finds the shift.
    """
    cdef Py_ssize_t j, k, attempt
    cdef double* c
    cdef bint fresh = False
    for j in range(n_columns):
        columns[FIELDS * j] = start(table + 7 * j)
    for attempt in range(2):
        for j in range(n_columns):
            c = columns + FIELDS * j
            c[1] = c[2] = c[3] = 0.0
        for k in range(n):
            sknorm_scatter(columns + FIELDS * indices[k], data[k])
        fresh = False
        for j in range(n_columns):
            c = columns + FIELDS * j
            if attempt == 0 and c[3] > 0.0 and table[7 * j] == 0.0 and fabs(c[1]) < HUGE_SQUARE:
                c[0] = c[1] / c[3]
                fresh = True
        if not fresh:
            break
    for j in range(n_columns):
        c = columns + FIELDS * j
        if c[3] > 0.0 and not (in_own_unit(table + 7 * j) and is_tame(c[0], c[2])):
            return False
        if c[3] > CHUNK:
            return False  # too many for a plain sum
    for j in range(n_columns):
        c = columns + FIELDS * j
        if c[3] > 0.0:
            merge_sums(table + 7 * j, c[3], 0.0, c[0], c[1], c[2])
    return True


cdef bint sort_block(
    const floating* data, const integral* indices, const integral[::1] indptr, Py_ssize_t first,
    Py_ssize_t last, const double[::1] weight, Py_ssize_t n_columns, double* values,
    double* weights, Py_ssize_t* ends, double* table
) noexcept nogil:
    """Merge a block of rows by sorting its values by column (a counting sort), with all care."""
    cdef Py_ssize_t row, j, k
    cdef bint infinite = False
    for j in range(n_columns + 1):
        ends[j] = 0
    for k in range(indptr[first], indptr[last]):
        ends[indices[k] + 1] += 1
    for j in range(n_columns):
        ends[j + 1] += ends[j]
    # ends[j] is where column j begins; placing a value moves it on to where j + 1 begins.
    for row in range(first, last):
        for k in range(indptr[row], indptr[row + 1]):
            j = indices[k]
            values[ends[j]] = data[k]
            if weights != NULL:
                weights[ends[j]] = weight[row]
            ends[j] += 1
    k = 0
    for j in range(n_columns):
        infinite |= merge_values(
            values + k, weights + k if weights != NULL else NULL, ends[j] - k, table + 7 * j
        )
        k = ends[j]
    return infinite


def csr_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSR array into its cell.

    Blocks of rows have some 64 values a column, which makes the merging cheap.
    """
    cdef Py_ssize_t n_rows = indptr.shape[0] - 1, n_columns = table.shape[0]
    cdef Py_ssize_t first, last, row, most, longest = 0
    cdef bint weighted = weight is not None, infinite = False, done
    cdef double* values
    cdef double* weights
    cdef double* columns
    cdef Py_ssize_t* ends
    if data.shape[0] == 0 or n_rows == 0:
        return False
    for row in range(n_rows):
        longest = max(longest, <Py_ssize_t> (indptr[row + 1] - indptr[row]))
    most = min(
        max(<Py_ssize_t> 32768, 64 * n_columns, longest),
        <Py_ssize_t> (indptr[n_rows] - indptr[0]),
    )
    values = <double*> malloc((most + 1) * sizeof(double))
    weights = <double*> malloc((most + 1) * sizeof(double)) if weighted else NULL
    columns = <double*> malloc(FIELDS * (n_columns + 2) * sizeof(double))
    ends = <Py_ssize_t*> malloc((n_columns + 1) * sizeof(Py_ssize_t))
    if values == NULL or columns == NULL or ends == NULL or (weighted and weights == NULL):
        free(values)
        free(weights)
        free(columns)
        free(ends)
        raise MemoryError("no memory for the statistics of a sparse array")
    with nogil:
        first = 0
        while first < n_rows:
            last = first + 1
            while last < n_rows and indptr[last + 1] - indptr[first] <= most:
                last += 1
            done = not weighted and scatter_block(
                &data[0] + indptr[first], &indices[0] + indptr[first],
                indptr[last] - indptr[first], n_columns,
                <double*> ((<size_t> columns + 63) & ~<size_t> 63), &table[0, 0],
            )
            if not done:
                infinite |= sort_block(
                    &data[0], &indices[0], indptr, first, last, weight, n_columns, values,
                    weights, ends, &table[0, 0],
                )
            first = last
    free(values)
    free(weights)
    free(columns)
    free(ends)
    return infinite


# ---------------------------------------------------------------------------------------------
# Rescaling: ((x * power - shift) / scale) * gain + offset, per channel, and its inverse


cdef inline double forward(
    double x, double power, double shift, double scale, double gain, double offset
) noexcept nogil:
    return ((x * power - shift) / scale) * gain + offset


cdef inline double backward(
    double x, double power, double shift, double scale, double gain, double offset
) noexcept nogil:
    return (((x - offset) / gain) * scale + shift) * power


cdef double rescale_row(
    const floating* x, floating* out, Py_ssize_t n, const double* shift, const double* scale,
    const double* gain, const double* offset, const double* power, bint inverse
) noexcept nogil:
    """Rescale one value per channel; return 0, or NaN where a value is not finite."""
    cdef Lanes v, check = lanes_all(0.0)
    cdef Py_ssize_t c = 0
    cdef double rest = 0.0
    if power == NULL and not inverse:
        while c + LANES <= n:
            v = load(x + c)
            check = lanes_add(check, lanes_sub(v, v))
            v = lanes_div(
                lanes_sub(v, lanes_load_double(shift + c)), lanes_load_double(scale + c)
            )
            v = lanes_mul(v, lanes_load_double(gain + c))
            store(out + c, lanes_add(v, lanes_load_double(offset + c)))
            c += LANES
    while c < n:
        rest += x[c] - x[c]
        if inverse:
            out[c] = <floating> backward(
                x[c], 1.0 if power == NULL else power[c], shift[c], scale[c], gain[c], offset[c]
            )
        else:
            out[c] = <floating> forward(
                x[c], 1.0 if power == NULL else power[c], shift[c], scale[c], gain[c], offset[c]
            )
        c += 1
    return lanes_sum(check) + rest


cdef double rescale_run(
    const floating* x, floating* out, Py_ssize_t n, double shift, double scale, double gain,
    double offset, double power, bint inverse
) noexcept nogil:
    """Rescale contiguous values of one channel; return 0, or NaN where one is not finite."""
    cdef Lanes v, check = lanes_all(0.0), s = lanes_all(shift), t = lanes_all(scale)
    cdef Lanes g = lanes_all(gain), b = lanes_all(offset)
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    if power == 1.0 and not inverse:
        while i + LANES <= n:
            v = load(x + i)
            check = lanes_add(check, lanes_sub(v, v))
            v = lanes_div(lanes_sub(v, s), t)
            store(out + i, lanes_add(lanes_mul(v, g), b))
            i += LANES
    while i < n:
        rest += x[i] - x[i]
        if inverse:
            out[i] = <floating> backward(x[i], power, shift, scale, gain, offset)
        else:
            out[i] = <floating> forward(x[i], power, shift, scale, gain, offset)
        i += 1
    return lanes_sum(check) + rest


cdef bint has_infinity(const floating* x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if fabs(x[i]) == INFINITY:
            return True
    return False


def rescale(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, const double[::1] shift,
    const double[::1] scale, const double[::1] gain, const double[::1] offset,
    const double[::1] power, bint inverse
):
    """Rescale each channel of x into out, which may be x itself."""
    cdef Py_ssize_t o, o0 = 0, c, n, width, last
    cdef bint infinite = False
    cdef double check
    if x.shape[0] == 0 or x.shape[1] == 0 or x.shape[2] == 0:
        return False
    with nogil:
        if x.shape[2] == 1:
            # Blocks of rows and tiles of columns keep the parameters in the nearest cache.
            while o0 < x.shape[0]:
                last = min(o0 + 64, x.shape[0])
                c = 0
                while c < x.shape[1]:
                    width = min(<Py_ssize_t> 512, x.shape[1] - c)
                    for o in range(o0, last):
                        check = rescale_row(
                            &x[o, c, 0], &out[o, c, 0], width, &shift[c], &scale[c], &gain[c],
                            &offset[c], NULL if power is None else &power[c], inverse,
                        )
                        if check != 0.0:
                            infinite |= contains_infinity(&x[o, c, 0], &out[o, c, 0], width)
                    c += width
                o0 = last
        else:
            n = x.shape[2]
            for o in range(x.shape[0]):
                for c in range(x.shape[1]):
                    check = rescale_run(
                        &x[o, c, 0], &out[o, c, 0], n, shift[c], scale[c], gain[c], offset[c],
                        1.0 if power is None else power[c], inverse,
                    )
                    if check != 0.0:
                        infinite |= contains_infinity(&x[o, c, 0], &out[o, c, 0], n)
    return infinite


cdef bint contains_infinity(const floating* x, const floating* out, Py_ssize_t n) noexcept nogil:
    """Tell whether x has infinity; in place that was made sure of before."""
    return x != out and has_infinity(x, n)


def rescale_compressed(
    const floating[::1] data, floating[::1] out, const integral[::1] indptr,
    const integral[::1] channels, const double[::1] scale, const double[::1] gain,
    const double[::1] power, bint inverse
):
    """Rescale stored values whose channel is their index, or, without indices, their segment."""
    cdef Py_ssize_t j, k, c
    cdef double check = 0.0, p
    if data.shape[0] == 0:
        return False
    with nogil:
        for j in range(indptr.shape[0] - 1):
            for k in range(indptr[j], indptr[j + 1]):
                c = j if channels is None else channels[k]
                p = 1.0 if power is None else power[c]
                check += data[k] - data[k]
                if inverse:
                    out[k] = <floating> ((data[k] / gain[c]) * scale[c] * p)
                else:
                    out[k] = <floating> ((data[k] * p / scale[c]) * gain[c])
    return check != 0.0 and contains_infinity(&data[0], &out[0], data.shape[0])


cdef bint is_finite(const floating* x, Py_ssize_t n) noexcept nogil:
    cdef Lanes v, check = lanes_all(0.0)
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    while i + LANES <= n:
        v = load(x + i)
        check = lanes_add(check, lanes_sub(v, v))
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        i += 1
    return lanes_sum(check) + rest == 0.0


def multiply_compressed(
    const floating[::1] data, floating[::1] out, const integral[::1] indptr,
    const integral[::1] indices, const double[::1] factor
):
    """Multiply stored values by the factor of their index, or, without indices, their segment."""
    cdef Py_ssize_t j, k, first, last
    cdef double f
    cdef bint infinite = False
    if data.shape[0] == 0:
        return False
    with nogil:
        if indices is None:
            for j in range(indptr.shape[0] - 1):
                f = factor[j]
                for k in range(indptr[j], indptr[j + 1]):
                    out[k] = <floating> (data[k] * f)
        first = indptr[0]
        while first < indptr[indptr.shape[0] - 1]:
            last = min(first + RUN, <Py_ssize_t> indptr[indptr.shape[0] - 1])
            if indices is not None:
                for k in range(first, last):
                    out[k] = <floating> (data[k] * factor[indices[k]])
            if not is_finite(&out[first], last - first):
                infinite |= contains_infinity(&data[first], &out[first], last - first)
            first = last
    return infinite


def finite(const floating[::1] x, bint allow_nan):
    """Tell whether all values are finite (or, where allowed, NaN)."""
    cdef Py_ssize_t n = x.shape[0], first = 0, last
    cdef bint ok = True
    with nogil:
        while ok and first < n:
            last = min(first + 4096, n)
            if not is_finite(&x[first], last - first):
                ok = allow_nan and not has_infinity(&x[first], last - first)
            first = last
    return ok


# ---------------------------------------------------------------------------------------------
# Vector norms


cdef inline Py_ssize_t lanes_at_once(Py_ssize_t n) noexcept nogil:
    """Return how many neighbouring vectors of n values to work on together."""
    return max(<Py_ssize_t> 128, min(<Py_ssize_t> WIDE, CACHED // n))


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
    cdef Lanes a = lanes_all(0.0), check = a, v
    cdef Py_ssize_t i = 0
    cdef double d, rest = 0.0, bad = 0.0
    while i + LANES <= n:
        v = load(x + i)
        if kind == L1:
            a = lanes_add(a, lanes_abs(v))
        elif kind == L2:
            a = lanes_add(a, lanes_mul(v, v))
        else:
            a = lanes_max(lanes_abs(v), a)
            check = lanes_add(check, lanes_sub(v, v))
        i += LANES
    while i < n:
        d = x[i]
        if kind == L1:
            rest += fabs(d)
        elif kind == L2:
            rest += d * d
        else:
            rest = fabs(d) if fabs(d) > rest else rest
            bad += d - d
        i += 1
    if kind == MAX:
        return max(lanes_largest(a), rest) + (bad + lanes_sum(check))
    return lanes_sum(a) + rest


cdef inline bint settles(double* value, Norm kind) noexcept nogil:
    """Make the norm of its sum, where that lost nothing to the range of float64."""
    if kind == L2:
        if TINY_SQUARE <= value[0] <= HUGE_SQUARE:
            value[0] = sqrt(value[0])
            return True
        return False
    return 0.0 < value[0] < INFINITY


cdef bint normalize_carefully(
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


cdef inline Lanes divided(const floating* x, Lanes total, Lanes inverse) noexcept nogil:
    """Divide; in float32 a product with the float64 inverse rounds to the same, and is faster."""
    if floating is float:
        return lanes_mul(load(x), inverse)
    else:
        return lanes_div(load(x), total)


cdef inline bint normalize_run(
    const floating* x, floating* out, Py_ssize_t n, Norm kind, double* norm
) noexcept nogil:
    """Divide contiguous values by their norm."""
    cdef Lanes t, inverse
    cdef Py_ssize_t i = 0
    cdef double total = norm_of_run(x, n, kind)
    if not settles(&total, kind):
        return normalize_carefully(x, out, n, 1, kind, norm)
    norm[0] = total
    t = lanes_all(total)
    inverse = lanes_all(1.0 / total)
    while i + LANES <= n:
        store(out + i, divided(x + i, t, inverse))
        i += LANES
    while i < n:
        out[i] = <floating> (x[i] / total)
        i += 1
    return False


cdef bint normalize_lanes(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Norm kind, double* norms
) noexcept nogil:
    """Divide neighbouring vectors, each strided through memory, by their norms."""
    cdef double a[WIDE]
    cdef double errors[WIDE]
    cdef double inverse[WIDE]
    cdef Lanes v, t
    cdef double d
    cdef Py_ssize_t i, j
    cdef bint bad = False, plain = True
    cdef const floating* p
    cdef floating* q
    for i in range(width):
        a[i] = errors[i] = 0.0
    for j in range(n):
        p = x + j * stride
        i = 0
        while i + LANES <= width:
            lanes_prefetch(p + stride + i)
            v = load(p + i)
            if kind == L1:
                add_exactly(a + i, errors + i, lanes_abs(v))
            elif kind == L2:
                add_exactly(a + i, errors + i, lanes_mul(v, v))
            else:
                # The sum is NaN where v is not finite, and then stays so.
                t = lanes_max(lanes_abs(v), lanes_load_double(a + i))
                lanes_store_double(a + i, lanes_add(t, lanes_sub(v, v)))
            i += LANES
        while i < width:
            d = fabs(p[i])
            if kind == L1:
                add_one_exactly(a + i, errors + i, d)
            elif kind == L2:
                add_one_exactly(a + i, errors + i, d * d)
            else:
                a[i] = (d if d > a[i] else a[i]) + (d - d)
            i += 1
    for i in range(width):
        if settles(&a[i], kind):
            norms[i] = a[i]
            inverse[i] = 1.0 / a[i]
        else:
            bad |= normalize_carefully(x + i, out + i, n, stride, kind, &norms[i])
            a[i] = 0.0
            plain = False
    for j in range(n):
        p = x + j * stride
        q = out + j * stride
        i = 0
        while plain and i + LANES <= width:
            store(q + i, divided(p + i, lanes_load_double(a + i), lanes_load_double(inverse + i)))
            i += LANES
        while i < width:
            if a[i] > 0.0:
                q[i] = <floating> (p[i] / a[i])
            i += 1
    return bad


def normalize_vectors(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, double[:, ::1] norms, int kind,
    Py_ssize_t first, Py_ssize_t last
):
    """Divide each vector along the middle axis of x, in a range of the inner, by its norm."""
    cdef Py_ssize_t o, i, width, most, n = x.shape[1], inner = x.shape[2]
    cdef bint bad = False
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    most = lanes_at_once(n)
    with nogil:
        for o in range(x.shape[0]):
            if inner == 1:
                bad |= normalize_run(
                    &x[o, 0, 0], &out[o, 0, 0], n, <Norm> kind, &norms[o, 0]
                )
                continue
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= normalize_lanes(
                    &x[o, 0, i], &out[o, 0, i], n, inner, width, <Norm> kind, &norms[o, i]
                )
                i += width
    return bad


def normalize_vectors_csr(
    const floating[::1] data, floating[::1] out, const integral[::1] indptr, double[::1] norms,
    int kind
):
    """Divide the stored values of each CSR row by their norm, into out."""
    cdef Py_ssize_t row, first
    cdef bint bad = False
    with nogil:
        for row in range(indptr.shape[0] - 1):
            first = indptr[row]
            norms[row] = 0.0
            if first < indptr[row + 1]:
                bad |= normalize_run(
                    &data[first], &out[first], indptr[row + 1] - first, <Norm> kind, &norms[row]
                )
    return bad


# ---------------------------------------------------------------------------------------------
# Layers: statistics of one sample's groups


cdef struct Layer:
    bint centre
    bint scale
    double eps
    double extra  # values that are zero and not stored (sparse rows)


cdef inline bint divisor(
    Layer* layer, double count, double mean, double s1, double s2, double* low, double* divide
) noexcept nogil:
    """Find the rest of the mean and what to divide by (0: constant); False if sums left the range.
    """
    cdef double var
    if not is_tame(mean if layer.centre else 0.0, s2):
        return False
    low[0] = s1 / count if layer.centre else 0.0
    divide[0] = 1.0
    var = max(0.0, s2 / count - low[0] * low[0])
    if layer.centre and is_constant(count, mean, var):
        divide[0] = 0.0
    elif layer.scale:
        divide[0] = sqrt(var + layer.eps)
    return True


cdef bint layer_carefully(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Layer* layer,
    const double* gain, const double* offset
) noexcept nogil:
    """Normalize strided values, whatever they are, in a unit where nothing leaves the range."""
    cdef double magnitude = 0.0, v, d, mean = 0.0, first = 0.0, s1 = 0.0, s2 = 0.0, divide, z
    cdef double count = layer.extra, var, low1 = 0.0, low2 = 0.0
    cdef Py_ssize_t i
    cdef int exponent = 0
    cdef bint any_value = False
    for i in range(n):
        v = x[i * stride]
        if fabs(v) == INFINITY:
            return True
        if v == v:
            magnitude = max(magnitude, fabs(v))
            if not any_value:
                first = v
            any_value = True
            count += 1.0
    if magnitude > 0.0 and (layer.centre or layer.scale):
        exponent = <int> unit_exponent(magnitude, False)
    if layer.centre and any_value:
        first = ldexp(first, -exponent)
        for i in range(n):
            v = ldexp(x[i * stride], -exponent)
            if v == v:
                add(&s1, &low1, v - first, 0.0)
        mean = first + s1 / count
    s1 = low1 = 0.0
    for i in range(n):
        v = ldexp(x[i * stride], -exponent)
        if v == v:
            d = v - mean
            add(&s1, &low1, d, 0.0)
            add(&s2, &low2, d * d, 0.0)
    divide = ldexp(1.0, -exponent)
    s1 = s1 / count if layer.centre and count > 0.0 else 0.0
    var = max(0.0, s2 / count - s1 * s1) if count > 0.0 else 0.0
    if (layer.centre and is_constant(count, mean, var)) or (layer.scale and var == 0.0):
        divide = 0.0
    elif layer.scale:
        divide = hypot(sqrt(var), ldexp(sqrt(layer.eps), -exponent))
    for i in range(n):
        v = ldexp(x[i * stride], -exponent)
        z = ((v - mean) - s1) / divide if divide > 0.0 or v != v else 0.0
        if gain != NULL:
            z = z * gain[i] + offset[i]
        out[i * stride] = <floating> z
    return False


cdef inline bint layer_run(
    const floating* x, floating* out, Py_ssize_t n, Layer* layer, const double* gain,
    const double* offset
) noexcept nogil:
    """Normalize the contiguous values of one group."""
    cdef Lanes m, t, u
    cdef double mean = 0.0, low = 0.0, divide, inverse, s1 = 0.0, s2 = 0.0, z
    cdef Py_ssize_t i = 0
    if layer.centre:
        mean = x[0] + sum_deviations(x, n, x[0]) / n
    sum_run(x, n, NULL, mean, &s1, &s2)
    if not divisor(layer, n + layer.extra, mean, s1, s2, &low, &divide):
        return layer_carefully(x, out, n, 1, layer, gain, offset)
    inverse = 1.0 / divide if divide > 0.0 else 0.0
    m = lanes_all(mean)
    u = lanes_all(low)
    t = lanes_all(inverse)
    while i + LANES <= n:
        store(out + i, scored(load(x + i), m, u, t, gain, offset, i))
        i += LANES
    while i < n:
        z = ((x[i] - mean) - low) * inverse
        out[i] = <floating> (z if gain == NULL else z * gain[i] + offset[i])
        i += 1
    return False


cdef inline Lanes scored(
    Lanes v, Lanes mean, Lanes low, Lanes inverse, const double* gain, const double* offset,
    Py_ssize_t i
) noexcept nogil:
    """Return values centred and scaled; the second part of the mean keeps large offsets exact."""
    v = lanes_mul(lanes_sub(lanes_sub(v, mean), low), inverse)
    if gain == NULL:
        return v
    return lanes_add(lanes_mul(v, lanes_load_double(gain + i)), lanes_load_double(offset + i))


cdef bint layer_lanes(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Layer* layer, const double* gain, const double* offset
) noexcept nogil:
    """Normalize neighbouring groups, each strided through memory."""
    cdef double mean[WIDE]
    cdef double low[WIDE]
    cdef double s1[WIDE]
    cdef double s2[WIDE]
    cdef double inverse[WIDE]
    cdef double errors[WIDE]
    cdef double d, g = 1.0, b = 0.0
    cdef Py_ssize_t i, j
    cdef bint bad = False, plain = True
    cdef Lanes v
    cdef const floating* p
    cdef floating* q
    for i in range(width):
        s1[i] = s2[i] = errors[i] = 0.0
        mean[i] = x[i] if layer.centre else 0.0
    if layer.centre:
        for j in range(1, n):
            add_deviations(x + j * stride, stride, width, mean, s1, NULL, NULL)
        for i in range(width):
            mean[i] += s1[i] / n
            s1[i] = 0.0
    for j in range(n):
        add_deviations(x + j * stride, stride, width, mean, s1, s2, errors)
    for i in range(width):
        if not divisor(layer, <double> n, mean[i], s1[i], s2[i], &low[i], &d):
            bad |= layer_carefully(x + i, out + i, n, stride, layer, gain, offset)
            d = -1.0  # this lane is done
            plain = False
        inverse[i] = 1.0 / d if d > 0.0 else min(d, 0.0)
    for j in range(n):
        p = x + j * stride
        q = out + j * stride
        if gain != NULL:
            g = gain[j]
            b = offset[j]
        i = 0
        while plain and i + LANES <= width:
            v = scored(
                load(p + i), lanes_load_double(mean + i), lanes_load_double(low + i),
                lanes_load_double(inverse + i), NULL, NULL, 0
            )
            if gain != NULL:
                v = lanes_add(lanes_mul(v, lanes_all(g)), lanes_all(b))
            store(q + i, v)
            i += LANES
        while i < width:
            if inverse[i] >= 0.0:
                q[i] = <floating> (((p[i] - mean[i]) - low[i]) * inverse[i] * g + b)
            i += 1
    return bad


cdef inline void add_exactly(double* sums, double* errors, Lanes v) noexcept nogil:
    """Add to sums, taking their rounding errors along (Kahan)."""
    cdef Lanes s = lanes_load_double(sums), t
    v = lanes_sub(v, lanes_load_double(errors))
    t = lanes_add(s, v)
    lanes_store_double(errors, lanes_sub(lanes_sub(t, s), v))
    lanes_store_double(sums, t)


cdef inline void add_one_exactly(double* sums, double* errors, double v) noexcept nogil:
    cdef double t
    v -= errors[0]
    t = sums[0] + v
    errors[0] = (t - sums[0]) - v
    sums[0] = t


cdef inline void add_deviations(
    const floating* x, Py_ssize_t stride, Py_ssize_t width, const double* shift, double* s1,
    double* s2, double* errors
) noexcept nogil:
    """Add the deviations of one row from a shift, and (unless s2 is NULL) their squares."""
    cdef Lanes v
    cdef double d
    cdef Py_ssize_t i = 0
    while i + LANES <= width:
        lanes_prefetch(x + stride + i)
        v = lanes_sub(load(x + i), lanes_load_double(shift + i))
        lanes_store_double(s1 + i, lanes_add(lanes_load_double(s1 + i), v))
        if s2 != NULL:
            add_exactly(s2 + i, errors + i, lanes_mul(v, v))
        i += LANES
    while i < width:
        d = x[i] - shift[i]
        s1[i] += d
        if s2 != NULL:
            add_one_exactly(s2 + i, errors + i, d * d)
        i += 1


def normalize_layers(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, bint centre, bint scale, double eps,
    const double[:, ::1] gain, const double[:, ::1] offset, Py_ssize_t first, Py_ssize_t last
):
    """Normalize each vector along the middle axis of x, in a range of the inner.

    Groups take their gains in turn.
    """
    cdef Layer layer
    cdef Py_ssize_t o, i, width, group, n = x.shape[1], inner = x.shape[2]
    cdef Py_ssize_t most = lanes_at_once(n) if n else 0
    cdef const double* g = NULL
    cdef const double* b = NULL
    cdef bint bad = False
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    layer.centre, layer.scale, layer.eps, layer.extra = centre, scale, eps, 0.0
    with nogil:
        for o in range(x.shape[0]):
            if gain is not None:
                group = o % gain.shape[0]
                g = &gain[group, 0]
                b = &offset[group, 0]
            if inner == 1:
                bad |= layer_run(&x[o, 0, 0], &out[o, 0, 0], n, &layer, g, b)
                continue
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= layer_lanes(&x[o, 0, i], &out[o, 0, i], n, inner, width, &layer, g, b)
                i += width
    return bad


def normalize_layers_csr(
    const floating[::1] data, floating[::1] out, const integral[::1] indices,
    const integral[::1] indptr, Py_ssize_t n_columns, Py_ssize_t n_groups, bint scale, double eps
):
    """Divide the stored values of each group of a CSR row (sorted) by its root mean square."""
    cdef Layer layer
    cdef Py_ssize_t row, group, first, last, size = n_columns // n_groups
    cdef bint bad = False
    layer.centre, layer.scale, layer.eps = False, scale, eps
    with nogil:
        for row in range(indptr.shape[0] - 1):
            first = indptr[row]
            while first < indptr[row + 1]:
                group = indices[first] // size
                last = first + 1
                while last < indptr[row + 1] and indices[last] // size == group:
                    last += 1
                layer.extra = <double> (size - (last - first))
                bad |= layer_run(&data[first], &out[first], last - first, &layer, NULL, NULL)
                first = last
    return bad
