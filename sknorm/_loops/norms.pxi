# Vectors along the middle axis, or rows of CSR, divided by their norms.

cdef inline Py_ssize_t lanes_at_once(Py_ssize_t n) noexcept nogil:
    """Return how many neighbouring vectors of n values to work on together.

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
    cdef double d, norm = 0.0
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
            norm = a[i]
            inverse[i] = 1.0 / a[i]
        else:
            bad |= normalize_carefully(x + i, out + i, n, stride, kind, &norm)
            a[i] = 0.0
            plain = False
        if norms != NULL:
            norms[i] = norm
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


cdef bint normalize_rows(
    const floating* x, floating* out, Py_ssize_t n_rows, Py_ssize_t n, Norm kind, double* norms
) noexcept nogil:
    """Divide contiguous vectors by their norms, which are kept unless norms is NULL.

    The loop over each kind is compiled apart.
    """
    cdef Py_ssize_t r
    cdef double norm
    cdef bint bad = False
    for r in range(n_rows):
        if kind == L1:
            bad |= normalize_run(x + r * n, out + r * n, n, L1, &norm)
        elif kind == L2:
            bad |= normalize_run(x + r * n, out + r * n, n, L2, &norm)
        else:
            bad |= normalize_run(x + r * n, out + r * n, n, MAX, &norm)
        if norms != NULL:
            norms[r] = norm
    return bad


def normalize_vectors(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, double[:, ::1] norms, int kind,
    Py_ssize_t first, Py_ssize_t last
):
    """Divide each vector along the middle axis of x, in a range of the inner, by its norm.

    The norms are kept unless norms is None.
    """
    cdef Py_ssize_t o, i, width, most, n = x.shape[1], inner = x.shape[2]
    cdef bint bad = False
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    most = lanes_at_once(n)
    with nogil:
        if inner == 1:
            bad = normalize_rows(
                &x[0, 0, 0], &out[0, 0, 0], x.shape[0], n, <Norm> kind,
                NULL if norms is None else &norms[0, 0],
            )
        for o in range(x.shape[0] if inner > 1 else 0):
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= normalize_lanes(
                    &x[o, 0, i], &out[o, 0, i], n, inner, width, <Norm> kind,
                    NULL if norms is None else &norms[o, i],
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
