# Neighboring groups, each strided through memory, normalized together.

cdef bint layer_strided(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Layer* layer, const double* gamma, const double* beta, bint streamed
) noexcept nogil:
    """Normalize neighboring groups, each strided through memory."""
    cdef double mean[WIDE]
    cdef double low[WIDE]
    cdef double s1[WIDE]
    cdef double s2[WIDE]
    cdef double inverse[WIDE]
    cdef double errors[2 * WIDE]
    cdef Py_ssize_t i
    cdef bint bad = False, plain = True
    for i in range(width):
        mean[i] = 0.0
    if layer.center and floating is double:
        first_means(x, n, stride, width, mean)
    sum_strided(x, n, stride, width, mean, s1, s2, errors)
    if layer.center and update_shift(n, width, mean, s1, s2, approximate_mean(x)):
        sum_strided(x, n, stride, width, mean, s1, s2, errors)
    inverse_scales(
        x, layer, width, <double> n, 1.0 / n, mean, s1, s2, low, inverse, gamma != NULL
    )
    for i in range(width):
        if inverse[i] < 0.0:
            bad |= layer_slow(x + i, out + i, n, stride, layer, gamma, beta)
            plain = False
    if plain:
        standardize_strided(x, out, n, stride, width, mean, low, inverse, gamma, beta, streamed)
        return bad
    for i in range(width):
        if inverse[i] >= 0.0:
            standardize_strided(
                x + i, out + i, n, stride, 1, mean + i, low + i, inverse + i, gamma, beta, False
            )
    return bad


cdef inline void standardize_strided(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    const double* mean, const double* low, const double* inverse, const double* gamma,
    const double* beta, bint streamed
) noexcept nogil:
    """Center and scale neighboring groups, each by its own mean and scale."""
    cdef float parts[4 * WIDE]
    cdef floating stage[WIDE]
    cdef double g = 1.0, b = 0.0
    cdef Py_ssize_t i, j, k
    cdef F64x8 v
    cdef const floating* p
    cdef floating* q
    if floating is float and gamma == NULL:
        for i in range(width):
            split(mean[i] + low[i], parts + i, parts + WIDE + i)
            split(inverse[i], parts + 2 * WIDE + i, parts + 3 * WIDE + i)
    for k in range(n):
        j = reversed_block_index(k, n, block_length(stride * sizeof(floating)))
        p = x + j * stride
        q = &stage[0] if streamed else out + j * stride
        if floating is float and gamma == NULL:
            standardize_float32_each(
                p, q, width, parts, parts + WIDE, parts + 2 * WIDE, parts + 3 * WIDE
            )
        else:
            if gamma != NULL:
                g = gamma[j]
                b = beta[j]
            i = 0
            while i + LANES <= width:
                v = standardized(
                    load(p + i), f64x8_load_double(mean + i), f64x8_load_double(low + i),
                    f64x8_load_double(inverse + i), NULL, NULL, 0
                )
                if gamma != NULL:
                    v = f64x8_add(f64x8_mul(v, f64x8_all(g)), f64x8_all(b))
                store(q + i, v)
                i += LANES
            while i < width:
                q[i] = <floating> (((p[i] - mean[i]) - low[i]) * inverse[i] * g + b)
                i += 1
        if streamed:
            store_nontemporal(out + j * stride, stage, width)


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


cdef bint update_shift(
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


cdef void sum_strided(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, const double* shift,
    double* s1, double* s2, double* errors
) noexcept nogil:
    """Find the sums of each lane's deviations from its shift, and of their squares.

    Eight values of a lane at a time are summed up plainly (see ``along_rows``).
    """
    cdef double sums1[TILE]
    cdef double sums2[TILE]
    cdef F64x8 v, s, t1, t2
    cdef double d, d1, d2
    cdef Py_ssize_t i, j = 0, k, few
    cdef const floating* p
    for i in range(width):
        s1[i] = s2[i] = errors[i] = errors[WIDE + i] = 0.0
    while j < n:
        few = min(<Py_ssize_t> LANES, n - j)
        p = x + j * stride
        for k in range(few if along_rows(x, stride) else 0):
            i = 0
            while i + LANES <= width:
                v = f64x8_sub(load(p + k * stride + i), f64x8_load_double(shift + i))
                t1 = f64x8_load_double(sums1 + i) if k else f64x8_all(0.0)
                t2 = f64x8_load_double(sums2 + i) if k else f64x8_all(0.0)
                f64x8_store_double(sums1 + i, f64x8_add(t1, v))
                f64x8_store_double(sums2 + i, f64x8_add(t2, f64x8_mul(v, v)))
                i += LANES
        i = 0
        while i + LANES <= width:
            if along_rows(x, stride):
                t1 = f64x8_load_double(sums1 + i)
                t2 = f64x8_load_double(sums2 + i)
            else:
                s = f64x8_load_double(shift + i)
                t1 = t2 = f64x8_all(0.0)
                for k in range(few):
                    v = f64x8_sub(load(p + k * stride + i), s)
                    t1 = f64x8_add(t1, v)
                    t2 = f64x8_add(t2, f64x8_mul(v, v))
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
