# Neighbouring vectors, each strided through memory, divided by their norms together.

cdef inline void sum_norms(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, Norm kind,
    double* total, double* errors
) noexcept nogil:
    """Find the sums of magnitudes or squares, or the largest magnitudes, of neighbouring vectors.

    Eight values of a vector at a time are summed up plainly.
    """
    cdef Lanes a
    cdef double d, part
    cdef Py_ssize_t i, j = 0, k, few
    cdef const floating* p
    for i in range(width):
        total[i] = errors[i] = 0.0
    while j < n:
        few = min(<Py_ssize_t> LANES, n - j)
        p = x + j * stride
        i = 0
        while i + LANES <= width:
            a = lanes_all(0.0)
            for k in range(few):
                a = with_value(a, load(p + k * stride + i), kind)
            if kind == MAX:
                lanes_store_double(total + i, lanes_max(a, lanes_load_double(total + i)))
            else:
                add_exactly(total + i, errors + i, a)
            i += LANES
        while i < width:
            part = 0.0
            for k in range(few):
                d = p[k * stride + i]
                if kind == L2:
                    part += d * d
                elif kind == L1:
                    part += fabs(d)
                elif not fabs(d) <= part and part == part:
                    part = fabs(d)
            if kind != MAX:
                add_one_exactly(total + i, errors + i, part)
            elif not part <= total[i] and total[i] == total[i]:
                total[i] = part
            i += 1
        j += few


cdef bint normalize_lanes(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Norm kind, double* norms, bint streamed
) noexcept nogil:
    """Divide neighbouring vectors, each strided through memory, by their norms."""
    cdef double a[WIDE]
    cdef double inverse[WIDE]
    cdef floating stage[WIDE]
    cdef double norm = 0.0
    cdef Py_ssize_t i, j
    cdef bint bad = False, plain = True
    cdef const floating* p
    cdef floating* q
    if kind == L1:
        sum_norms(x, n, stride, width, L1, a, inverse)
    elif kind == L2:
        sum_norms(x, n, stride, width, L2, a, inverse)
    else:
        sum_norms(x, n, stride, width, MAX, a, inverse)
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
    streamed = streamed and plain
    for j in range(n):
        p = x + j * stride
        q = &stage[0] if streamed else out + j * stride
        i = 0
        while plain and i + LANES <= width:
            store(q + i, divided(p + i, lanes_load_double(a + i), lanes_load_double(inverse + i)))
            i += LANES
        while i < width:
            if a[i] > 0.0:
                q[i] = <floating> (p[i] * inverse[i] if floating is float else p[i] / a[i])
            i += 1
        if streamed:
            stream(out + j * stride, stage, width)
    return bad
