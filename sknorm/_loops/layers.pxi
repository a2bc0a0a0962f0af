# Groups of one sample's values, normalized with their own statistics.

cdef struct Layer:
    bint centre
    bint scale
    double eps
    double extra  # values that are zero and not stored (sparse rows)


cdef inline bint divisor(
    Layer* layer, double count, double inverse_count, double mean, double s1, double s2,
    double* low, double* divide
) noexcept nogil:
    """Find the rest of the mean and what to divide by (0: constant); False if sums left the range.
    """
    cdef double var
    if not is_tame(mean if layer.centre else 0.0, s2):
        return False
    low[0] = s1 * inverse_count if layer.centre else 0.0
    divide[0] = 1.0
    var = max(0.0, s2 * inverse_count - low[0] * low[0])
    if layer.centre and is_constant(count, mean + low[0], var):
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


cdef inline double near_enough(const floating* x) noexcept nogil:
    """Return which share of the mean square about a shift may be due to the shift.

    A float32 keeps its digits in float64 sums about a shift that is 1,000 deviations away.
    """
    return 0.999999 if floating is float else 0.75


cdef inline void layer_sums(
    const floating* x, Py_ssize_t n, double inverse_n, double* mean, double* s1, double* s2
) noexcept nogil:
    """Find about the mean of contiguous values, and the sums of deviations from it.

    The mean of the first values (0 for float32) serves where it is near enough for the squares to
    keep their digits, which saves a pass over the values.
    """
    cdef double shift = 0.0, centre
    cdef bint short = n <= CHUNK
    if floating is double:
        shift = lanes_sum(load(x)) * (1.0 / LANES) if n >= LANES else x[0]
    if short:
        sum_plain(x, n, shift, s1, s2)
    else:
        sum_run(x, n, NULL, shift, s1, s2)
    centre = s1[0] * inverse_n
    if centre * centre > near_enough(x) * (s2[0] * inverse_n):
        shift += centre
        if short:
            sum_plain(x, n, shift, s1, s2)
        else:
            sum_run(x, n, NULL, shift, s1, s2)
    mean[0] = shift


cdef inline Lanes scored(
    Lanes v, Lanes mean, Lanes low, Lanes inverse, const double* gain, const double* offset,
    Py_ssize_t i
) noexcept nogil:
    """Return values centred and scaled; the second part of the mean keeps large offsets exact."""
    v = lanes_mul(lanes_sub(lanes_sub(v, mean), low), inverse)
    if gain == NULL:
        return v
    return lanes_add(lanes_mul(v, lanes_load_double(gain + i)), lanes_load_double(offset + i))


cdef inline void score_run(
    const floating* x, floating* out, Py_ssize_t n, double mean, double low, double inverse,
    const double* gain, const double* offset
) noexcept nogil:
    """Centre and scale contiguous values; the last lanes may overlap those before."""
    cdef Lanes m = lanes_all(mean), u = lanes_all(low), t = lanes_all(inverse), last = m
    cdef Py_ssize_t i = 0
    cdef double z
    if n < LANES:
        for i in range(n):
            z = ((x[i] - mean) - low) * inverse
            out[i] = <floating> (z if gain == NULL else z * gain[i] + offset[i])
        return
    if n % LANES:
        last = scored(load(x + n - LANES), m, u, t, gain, offset, n - LANES)
    while i + LANES <= n:
        store(out + i, scored(load(x + i), m, u, t, gain, offset, i))
        i += LANES
    if i < n:
        store(out + n - LANES, last)


cdef inline bint layer_run(
    const floating* x, floating* out, Py_ssize_t n, Layer* layer, double inverse_n,
    const double* gain, const double* offset
) noexcept nogil:
    """Normalize the contiguous values of one group."""
    cdef double mean = 0.0, low = 0.0, divide, s1 = 0.0, s2 = 0.0
    if layer.centre:
        layer_sums(x, n, inverse_n, &mean, &s1, &s2)
    else:
        s2 = norm_of_run(x, n, L2)
    if not divisor(layer, n + layer.extra, inverse_n, mean, s1, s2, &low, &divide):
        return layer_carefully(x, out, n, 1, layer, gain, offset)
    score_run(x, out, n, mean, low, 1.0 / divide if divide > 0.0 else 0.0, gain, offset)
    return False


cdef bint layer_runs(
    const floating* x, floating* out, Py_ssize_t n_runs, Py_ssize_t n, Layer* layer,
    const double* gain, const double* offset, Py_ssize_t group, Py_ssize_t n_groups
) noexcept nogil:
    """Normalize groups that follow each other, a batch at a time (see ``normalize_rows_by``)."""
    cdef double mean[BATCH]
    cdef double low[BATCH]
    cdef double s1[BATCH]
    cdef double s2[BATCH]
    cdef double inverse[BATCH]
    cdef double inverse_n = 1.0 / n, d = 1.0
    cdef Py_ssize_t r = 0, i, place, runs, most = rows_at_once(n)
    cdef bint bad = False
    cdef const double* g = NULL
    cdef const double* b = NULL
    while r < n_runs:
        runs = min(most, n_runs - r)
        for i in range(runs):
            mean[i] = s1[i] = 0.0
            if layer.centre:
                layer_sums(x + (r + i) * n, n, inverse_n, &mean[i], &s1[i], &s2[i])
            else:
                s2[i] = norm_of_run(x + (r + i) * n, n, L2)
        for i in range(runs):
            if divisor(layer, <double> n, inverse_n, mean[i], s1[i], s2[i], &low[i], &d):
                inverse[i] = 1.0 / d if d > 0.0 else 0.0
            else:
                inverse[i] = -1.0
        for i in range(runs):
            place = (r + i) * n
            if gain != NULL:
                g = gain + (group + r + i) % n_groups * n
                b = offset + (group + r + i) % n_groups * n
            if inverse[i] < 0.0:
                bad |= layer_carefully(x + place, out + place, n, 1, layer, g, b)
            else:
                score_run(x + place, out + place, n, mean[i], low[i], inverse[i], g, b)
        r += runs
    return bad


cdef bint layer_lanes(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Layer* layer, const double* gain, const double* offset, bint streamed
) noexcept nogil:
    """Normalize neighbouring groups, each strided through memory."""
    cdef double mean[WIDE]
    cdef double low[WIDE]
    cdef double s1[WIDE]
    cdef double s2[WIDE]
    cdef double inverse[WIDE]
    cdef double errors[2 * WIDE]
    cdef floating stage[WIDE]
    cdef double d, g = 1.0, b = 0.0
    cdef Py_ssize_t i, j
    cdef bint bad = False, plain = True
    cdef Lanes v
    cdef const floating* p
    cdef floating* q
    for i in range(width):
        mean[i] = 0.0
    if layer.centre and floating is double:
        first_means(x, n, stride, width, mean)
    sum_lanes(x, n, stride, width, mean, s1, s2, errors)
    if layer.centre and move_shift(n, width, mean, s1, s2, near_enough(x)):
        sum_lanes(x, n, stride, width, mean, s1, s2, errors)
    for i in range(width):
        if not divisor(layer, <double> n, 1.0 / n, mean[i], s1[i], s2[i], &low[i], &d):
            bad |= layer_carefully(x + i, out + i, n, stride, layer, gain, offset)
            d = -1.0  # this lane is done
            plain = False
        inverse[i] = 1.0 / d if d > 0.0 else min(d, 0.0)
    streamed = streamed and plain
    for j in range(n):
        p = x + j * stride
        q = &stage[0] if streamed else out + j * stride
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
        if streamed:
            stream(out + j * stride, stage, width)
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


cdef void first_means(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, double* mean
) noexcept nogil:
    """Find the mean of the first few values of each lane (see ``layer_sums``)."""
    cdef Py_ssize_t i, j, few = LANES if n >= LANES else 1
    for j in range(few):
        for i in range(width):
            mean[i] += x[j * stride + i]
    for i in range(width):
        mean[i] *= 1.0 / few


cdef bint move_shift(
    Py_ssize_t n, Py_ssize_t width, double* mean, const double* s1, const double* s2,
    double near
) noexcept nogil:
    """Move all shifts to the means where one is too far off for its squares to be exact."""
    cdef Py_ssize_t i
    cdef double inverse_n = 1.0 / n
    cdef bint far = False
    for i in range(width):
        far |= s1[i] * inverse_n * (s1[i] * inverse_n) > near * (s2[i] * inverse_n)
    if far:
        for i in range(width):
            mean[i] += s1[i] * inverse_n
    return far


cdef void sum_lanes(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, const double* shift,
    double* s1, double* s2, double* errors
) noexcept nogil:
    """Find the sums of each lane's deviations from its shift, and of their squares.

    Eight values of a lane at a time are summed up plainly.
    """
    cdef Lanes v, s, t1, t2
    cdef double d, d1, d2
    cdef Py_ssize_t i, j = 0, k, few
    cdef const floating* p
    for i in range(width):
        s1[i] = s2[i] = errors[i] = errors[WIDE + i] = 0.0
    while j < n:
        few = min(<Py_ssize_t> LANES, n - j)
        p = x + j * stride
        i = 0
        while i + LANES <= width:
            s = lanes_load_double(shift + i)
            t1 = t2 = lanes_all(0.0)
            for k in range(few):
                v = lanes_sub(load(p + k * stride + i), s)
                t1 = lanes_add(t1, v)
                t2 = lanes_add(t2, lanes_mul(v, v))
            add_exactly(s1 + i, errors + WIDE + i, t1)
            add_exactly(s2 + i, errors + i, t2)
            i += LANES
        while i < width:
            d1 = d2 = 0.0
            for k in range(few):
                d = p[k * stride + i] - shift[i]
                d1 += d
                d2 += d * d
            add_one_exactly(s1 + i, errors + WIDE + i, d1)
            add_one_exactly(s2 + i, errors + i, d2)
            i += 1
        j += few


def normalize_layers(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, bint centre, bint scale, double eps,
    const double[:, ::1] gain, const double[:, ::1] offset, Py_ssize_t first, Py_ssize_t last
):
    """Normalize each vector along the middle axis of x, in a range of the inner.

    Groups take their gains in turn.
    """
    cdef Layer layer
    cdef Py_ssize_t o, i, width, group, n = x.shape[1], inner = x.shape[2], step
    cdef Py_ssize_t most = lanes_at_once(n) if n else 0
    cdef Py_ssize_t n_groups = 1 if gain is None else gain.shape[0]
    cdef const double* g = NULL
    cdef const double* b = NULL
    cdef bint bad = False, streamed
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    layer.centre, layer.scale, layer.eps, layer.extra = centre, scale, eps, 0.0
    streamed = streams(&x[0, 0, 0], &out[0, 0, 0], x.shape[0] * n * (last - first), inner)
    step = block_length(sizeof(floating) * n)
    if gain is not None:
        g = &gain[0, 0]
        b = &offset[0, 0]
    with nogil:
        o = x.shape[0] if inner == 1 else 0
        while o > 0:
            i = max(<Py_ssize_t> 0, o - step)
            bad |= layer_runs(
                &x[i, 0, 0], &out[i, 0, 0], o - i, n, &layer, g, b, i % n_groups, n_groups
            )
            o = i
        for o in range(x.shape[0] - 1 if inner > 1 else -1, -1, -1):
            group = o % n_groups * n
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= layer_lanes(
                    &x[o, 0, i], &out[o, 0, i], n, inner, width, &layer,
                    g + group if g != NULL else NULL, b + group if b != NULL else NULL, streamed,
                )
                i += width
        sknorm_streamed()
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
                bad |= layer_run(
                    &data[first], &out[first], last - first, &layer, 1.0 / size, NULL, NULL
                )
                first = last
    return bad


def square_sums_csc(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    Py_ssize_t size, double[:, ::1] sums, int32_t[:, ::1] filled
):
    """Sum the squares of each group of columns of each row of a CSC array.

    Return False where that takes more care: NaN, infinity, sums that left the range, or too many
    values for a plain sum. ``filled`` counts the values that are not 0.
    """
    cdef Py_ssize_t j, k, group, row
    cdef double v
    cdef bint simple = True
    with nogil:
        for j in range(indptr.shape[0] - 1):
            group = j // size
            for k in range(indptr[j], indptr[j + 1]):
                v = data[k]
                sums[indices[k], group] += v * v
                filled[indices[k], group] += v != 0.0
        for row in range(sums.shape[0]):
            for group in range(sums.shape[1]):
                if filled[row, group]:
                    v = sums[row, group]
                    simple &= TINY_SQUARE <= v <= HUGE_SQUARE and filled[row, group] <= CHUNK
    return simple


def multiply_groups_csc(
    const floating[::1] data, floating[::1] out, const integral[::1] indices,
    const integral[::1] indptr, Py_ssize_t size, const double[:, ::1] factor
):
    """Multiply the stored values of a CSC array by the factor of their row and group."""
    cdef Py_ssize_t j, k, group
    with nogil:
        for j in range(indptr.shape[0] - 1):
            group = j // size
            for k in range(indptr[j], indptr[j + 1]):
                out[k] = <floating> (data[k] * factor[indices[k], group])
