# Statistics per channel. A state is a channel's count, mean and m2 (double-double), exponent, least
# and greatest value, as in a row of ``Moments.accumulators``.

cdef void merge(
    double* state, double count, double count_low, double mean, double mean_low, double m2,
    double exponent
) noexcept nogil:
    """Merge a block's statistics into a state (see ``_moments.Moments.merge``)."""
    cdef double unit, share, delta
    cdef double other[6]
    cdef int change, i
    if not count > 0.0:
        return
    if state[0] == 0.0:
        state[0] = count
        state[1] = count_low
        state[2] = mean
        state[3] = mean_low
        state[4] = m2
        state[5] = 0.0
        state[6] = exponent
        return
    if state[6] != exponent:
        unit = max(state[6], exponent)
        change = <int> max(state[6] - unit, -2000.0)
        state[2] = ldexp(state[2], change)
        state[3] = ldexp(state[3], change)
        state[4] = ldexp(state[4], 2 * change)
        state[5] = ldexp(state[5], 2 * change)
        state[6] = unit
        change = <int> max(exponent - unit, -2000.0)
        mean = ldexp(mean, change)
        mean_low = ldexp(mean_low, change)
        m2 = ldexp(m2, 2 * change)
    other[:] = [count, count_low, mean, mean_low, m2, 0.0]
    # The mean moves from that of the larger part: from the smaller, digits would cancel.
    if count > state[0]:
        for i in range(6):
            other[i], state[i] = state[i], other[i]
    count = state[0]
    add(&state[0], &state[1], other[0], other[1])
    share = other[0] / state[0]
    delta = other[2]
    add(&delta, &other[3], -state[2], -state[3])
    add(&state[2], &state[3], delta * share, 0.0)
    add(&state[4], &state[5], other[4], other[5])
    add(&state[4], &state[5], delta * delta * (count * share), 0.0)


cdef inline void merge_sums(
    double* state, double count, double count_low, double shift, double s1, double s2
) noexcept nogil:
    """Merge sums of deviations from a shift, and of their squares, into a state."""
    cdef double mean = shift
    cdef double mean_low = 0.0
    cdef double center = s1 / count
    add(&mean, &mean_low, center, 0.0)
    merge(state, count, count_low, mean, mean_low, max(0.0, s2 - s1 * center), 0.0)


cdef inline void widen(double* state, double low, double high) noexcept nogil:
    """Take the least and the greatest of more values into a state."""
    if low < state[7]:
        state[7] = low
    if high > state[8]:
        state[8] = high


cdef inline void widen_by(double* state, Extent* extent) noexcept nogil:
    widen(state, least(extent), greatest(extent))


cdef inline double start(const double* state) noexcept nogil:
    """Return the shift for a state's next block: its mean so far."""
    return state[2] if state[6] == 0.0 else 0.0


cdef inline bint is_scaled(const double* state) noexcept nogil:
    return state[6] == 0.0 or state[6] == EMPTY


cdef bint merge_slow(double* v, double* w, Py_ssize_t n, double* state) noexcept nogil:
    """Merge buffered values (weighted unless w is NULL), whatever they are, into a state."""
    cdef Py_ssize_t i, k = 0
    cdef double magnitude = 0.0, exponent, shift, s1, s2, mean, mean_low
    cdef double count = 0.0, count_low = 0.0, low = INFINITY, high = -INFINITY
    cdef Extent extent = no_extent(0)
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
    if exponent != 0.0 and exponent != EMPTY:
        for i in range(k):
            low = min(low, v[i])
            high = max(high, v[i])
            v[i] = ldexp(v[i], -<int> exponent)
        widen(state, low, high)
        sum_run(v, k, w, v[0], &s1, &s2, NULL)
    else:
        sum_run(v, k, w, v[0], &s1, &s2, &extent)
        widen_by(state, &extent)
    shift = v[0] + s1 / count
    sum_run(v, k, w, shift, &s1, &s2, NULL)
    mean = shift
    mean_low = 0.0
    add(&mean, &mean_low, s1 / count, 0.0)
    merge(state, count, count_low, mean, mean_low, max(0.0, s2 - s1 * (s1 / count)), exponent)
    return False


cdef bint merge_block(
    const floating* x, Py_ssize_t outer, Py_ssize_t stride, Py_ssize_t inner,
    const double* w_outer, const double* w_inner, double* state
) noexcept nogil:
    """Merge one channel's values in a block, ``outer`` runs of ``inner``, carefully."""
    cdef double v[RUN]
    cdef double w[RUN]
    cdef Py_ssize_t o, i, k = 0
    cdef bint weighted = w_outer != NULL or w_inner != NULL
    if inner == 1 and not weighted:
        for o in range(outer):  # 1.4 times as fast as the loops below
            v[o] = x[o * stride]
        return merge_slow(v, NULL, outer, state)
    for o in range(outer):
        for i in range(inner):
            v[k] = x[o * stride + i]
            if weighted:
                w[k] = w_outer[o] if w_outer != NULL else w_inner[i]
            k += 1
    return merge_slow(v, w if weighted else NULL, k, state)


cdef inline Py_ssize_t first_weighted(const double* w, Py_ssize_t n) noexcept nogil:
    """Return the position of the first weight that is not 0 (0 if there is none)."""
    cdef Py_ssize_t i = 0
    if w == NULL:
        return 0
    while i < n and w[i] == 0.0:
        i += 1
    return i if i < n else 0


cdef inline void sum_block(
    const floating* x, Py_ssize_t rows, Py_ssize_t stride, Py_ssize_t width, Py_ssize_t inner,
    const double* w, const double* shift, double* s1, double* s2, double* low, double* high
) noexcept nogil:
    if inner == 1:
        sum_rows(x, rows, stride, width, w, shift, s1, s2, low, high)
    else:
        sum_short_runs(x, rows, stride, width, inner, w, shift, s1, s2, low, high)


cdef bint channel_moments_of_rows(
    const floating* x, Py_ssize_t n, Py_ssize_t n_channels, Py_ssize_t inner, const double* w,
    double* table
) noexcept nogil:
    """Merge the channels of a C-contiguous (sample, channel, inner) array into their accumulators.

    There is one value per sample, or a run of at least as many as there are lanes.
    """
    cdef double shift[TILE]
    cdef double s1[TILE]
    cdef double s2[TILE]
    cdef double low[TILE]
    cdef double high[TILE]
    cdef Py_ssize_t stride = n_channels * inner, most = max(<Py_ssize_t> 1, ROWS // inner)
    cdef Py_ssize_t c0 = 0, r0, c, width, rows, row, tile = TILE if inner == 1 else RUNS_TILE
    cdef const floating* block
    cdef const double* weights
    cdef double* state
    cdef double count, count_low
    cdef bint infinite = False, first
    while c0 < n_channels:
        width = min(tile, n_channels - c0)
        r0 = 0
        while r0 < n:
            rows = min(most, n - r0)
            block = x + r0 * stride + c0 * inner
            weights = w + r0 if w != NULL else NULL
            count = <double> (rows * inner)
            count_low = 0.0
            if weights != NULL:
                sum_weights(weights, rows, <double> inner, &count, &count_low)
            first = r0 == 0
            if first:
                row = first_weighted(weights, rows) * stride
                for c in range(width):
                    shift[c] = finite_or_zero(block[row + c * inner])
                sum_block(block, rows, stride, width, inner, weights, shift, s1, s2, low, high)
                for c in range(width):
                    if count > 0.0 and fabs(s1[c]) < HUGE_SQUARE:
                        shift[c] += s1[c] * (1.0 / count)
            else:
                for c in range(width):
                    shift[c] = start(table + STATE * (c0 + c))
            sum_block(
                block, rows, stride, width, inner, weights, shift, s1, s2,
                NULL if first else low, high,
            )
            for c in range(width):
                state = table + STATE * (c0 + c)
                if is_scaled(state) and in_safe_range(shift[c], s2[c]):
                    if count > 0.0:
                        merge_sums(state, count, count_low, shift[c], s1[c], s2[c])
                        widen(state, low[c], high[c])
                else:
                    infinite |= merge_block(
                        block + c * inner, rows, stride, inner, weights, NULL, state
                    )
            r0 += rows
        c0 += width
    return infinite


cdef inline double finite_or_zero(double v) noexcept nogil:
    return v if v - v == 0.0 else 0.0


cdef bint merge_runs(
    const floating* x, Py_ssize_t outer, Py_ssize_t stride, Py_ssize_t inner,
    const double* w_outer, const double* w_inner, double* state, Py_ssize_t ahead
) noexcept nogil:
    """Merge one channel's runs (in all at most RUN values) into its state, and fetch others."""
    cdef double shift = start(state), s1 = 0.0, s2 = 0.0, run1, run2, count, count_low = 0.0
    cdef Extent extent = no_extent(ahead)
    cdef bint counts, is_known = False
    cdef Py_ssize_t o
    if w_outer != NULL:
        sum_weights(w_outer, outer, <double> inner, &count, &count_low)
    elif w_inner != NULL:
        sum_weights(w_inner, inner, 1.0, &count, &count_low)
    else:
        count = <double> (outer * inner)
    if state[0] == 0.0:
        shift = first_shift(
            x + first_weighted(w_outer, outer) * stride, inner, w_inner, count, &extent
        )
        is_known = outer == 1 and w_inner == NULL
    for o in range(outer):
        counts = not is_known and (w_outer == NULL or w_outer[o] != 0.0)
        sum_run(
            x + o * stride, inner, w_inner, shift, &run1, &run2, &extent if counts else NULL
        )
        if w_outer != NULL:
            run1 *= w_outer[o]
            run2 *= w_outer[o]
        s1 += run1
        s2 += run2
    if not (is_scaled(state) and in_safe_range(shift, s2)):
        return merge_block(x, outer, stride, inner, w_outer, w_inner, state)
    if count > 0.0:
        merge_sums(state, count, count_low, shift, s1, s2)
        widen_by(state, &extent)
    return False


cdef inline double first_shift(
    const floating* x, Py_ssize_t n, const double* w, double count, Extent* extent
) noexcept nogil:
    """Return about the mean of a run, or 0 where that cannot be told.

    Without weights, find the extent of the values as well if they are finite.
    """
    cdef double shift = x[first_weighted(w, n)], s1 = 0.0, s2 = 0.0
    if shift - shift != 0.0:
        return 0.0
    if w == NULL:
        s1 = sum_deviations(x, n, shift, extent)
        count = <double> n
    else:
        sum_run(x, n, w, shift, &s1, &s2, NULL)
    return shift + s1 / count if fabs(s1) < HUGE_SQUARE and count > 0.0 else shift


cdef bint channel_moments_of_runs(
    const floating* x, Py_ssize_t n_outer, Py_ssize_t n_channels, Py_ssize_t n_inner,
    const double* w_outer, const double* w_inner, double* table
) noexcept nogil:
    """Merge the channels of a C-contiguous (outer, channel, inner) array into their accumulators."""
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
                    table + STATE * c, BYTES_AHEAD,
                )
                i += inner
        o += outer
    return infinite


cdef bint merge_values(
    const floating* x, const double* w, Py_ssize_t n, double* state, Py_ssize_t ahead
) noexcept nogil:
    """Merge any number of contiguous values into a state, and fetch those so many bytes ahead."""
    cdef Py_ssize_t i = 0, length
    cdef bint infinite = False
    while i < n:
        length = min(<Py_ssize_t> RUN, n - i)
        infinite |= merge_runs(
            x + i, 1, 0, length, NULL, w + i if w != NULL else NULL, state, ahead
        )
        i += length
    return infinite
