# Groups of one sample's values, normalized with their own statistics.

cdef struct Layer:
    bint centre
    bint scale
    double eps
    double extra  # values that are zero and not stored (sparse rows)


cdef inline bint divisor(
    Layer* layer, double count, double inverse_count, double mean, double s1, double s2, double* low, double* divide
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


cdef inline void layer_sums(
    const floating* x, Py_ssize_t n, double inverse_n, double* mean, double* s1, double* s2
) noexcept nogil:
    """Find about the mean of contiguous values, and the sums of deviations from it.

    The mean of the first values serves where it is near enough for the squares to keep their
    digits, which saves a pass over the values.
    """
    cdef double shift = x[0], centre
    cdef bint short = n <= CHUNK
    if n >= LANES:
        shift = lanes_sum(load(x)) * (1.0 / LANES)
    if short:
        sum_plain(x, n, shift, s1, s2)
    else:
        sum_run(x, n, NULL, shift, s1, s2)
    centre = s1[0] * inverse_n
    if centre * centre > 0.75 * (s2[0] * inverse_n):
        shift += centre
        if short:
            sum_plain(x, n, shift, s1, s2)
        else:
            sum_run(x, n, NULL, shift, s1, s2)
    mean[0] = shift


cdef inline bint layer_run(
    const floating* x, floating* out, Py_ssize_t n, Layer* layer, double inverse_n,
    const double* gain, const double* offset
) noexcept nogil:
    """Normalize the contiguous values of one group."""
    cdef Lanes m, t, u
    cdef double mean = 0.0, low = 0.0, divide, inverse, s1 = 0.0, s2 = 0.0, z
    cdef Py_ssize_t i = 0
    if layer.centre:
        layer_sums(x, n, inverse_n, &mean, &s1, &s2)
    else:
        s2 = norm_of_run(x, n, L2)
    if not divisor(layer, n + layer.extra, inverse_n, mean, s1, s2, &low, &divide):
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
    cdef double errors[2 * WIDE]
    cdef double d, g = 1.0, b = 0.0
    cdef Py_ssize_t i, j
    cdef bint bad = False, plain = True
    cdef Lanes v
    cdef const floating* p
    cdef floating* q
    for i in range(width):
        mean[i] = 0.0
    if layer.centre:
        first_means(x, n, stride, width, mean)
    sum_lanes(x, n, stride, width, mean, s1, s2, errors)
    if layer.centre and move_shift(n, width, mean, s1, s2):
        sum_lanes(x, n, stride, width, mean, s1, s2, errors)
    for i in range(width):
        if not divisor(layer, <double> n, 1.0 / n, mean[i], s1[i], s2[i], &low[i], &d):
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
    Py_ssize_t n, Py_ssize_t width, double* mean, const double* s1, const double* s2
) noexcept nogil:
    """Move all shifts to the means where one is too far off for its squares to be exact."""
    cdef Py_ssize_t i
    cdef double inverse_n = 1.0 / n
    cdef bint far = False
    for i in range(width):
        far |= s1[i] * inverse_n * (s1[i] * inverse_n) > 0.75 * (s2[i] * inverse_n)
    if far:
        for i in range(width):
            mean[i] += s1[i] * inverse_n
    return far


cdef void sum_lanes(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, const double* shift,
    double* s1, double* s2, double* errors
) noexcept nogil:
    """Find the sums of each lane's deviations from its shift, and of their squares."""
    cdef Lanes v
    cdef double d
    cdef Py_ssize_t i, j
    cdef const floating* p
    for i in range(width):
        s1[i] = s2[i] = errors[i] = errors[WIDE + i] = 0.0
    for j in range(n):
        p = x + j * stride
        i = 0
        while i + LANES <= width:
            lanes_prefetch(p + stride + i)
            v = lanes_sub(load(p + i), lanes_load_double(shift + i))
            add_exactly(s1 + i, errors + WIDE + i, v)
            add_exactly(s2 + i, errors + i, lanes_mul(v, v))
            i += LANES
        while i < width:
            d = p[i] - shift[i]
            add_one_exactly(s1 + i, errors + WIDE + i, d)
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
    cdef double inverse_n = 1.0 / n if n else 0.0
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
                bad |= layer_run(&x[o, 0, 0], &out[o, 0, 0], n, &layer, inverse_n, g, b)
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
