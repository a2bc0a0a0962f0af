# Neighboring vectors, each strided through memory, divided by their norms together.

cdef inline bint along_rows(const floating* x, Py_ssize_t stride) noexcept nogil:
    """Tell whether to sum up along rows, which the processor fetches ahead, or in registers.

    In registers float32 is up to 1.5 times as fast, short rows of float64 up to 1.2 times as slow.
    """
    return floating is double and stride <= TILE


cdef inline void sum_norms(
    const floating* x, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width, Norm kind,
    double* total, double* errors
) noexcept nogil:
    """Find the sums of magnitudes or squares, or the largest magnitudes, of neighboring vectors.

    Eight values of a vector at a time are summed up plainly.
    """
    cdef double sums[TILE]
    cdef F64x8 a
    cdef double d, part
    cdef Py_ssize_t i, j = 0, k, few
    cdef const floating* p
    for i in range(width):
        total[i] = errors[i] = 0.0
    while j < n:
        few = min(<Py_ssize_t> LANES, n - j)
        p = x + j * stride
        for k in range(few if along_rows(x, stride) else 0):
            i = 0
            while i + LANES <= width:
                sknorm_prefetch(p + (LANES + k) * stride + i)
                a = f64x8_load_double(sums + i) if k else f64x8_all(0.0)
                f64x8_store_double(sums + i, with_value(a, load(p + k * stride + i), kind))
                i += LANES
        i = 0
        while i + LANES <= width:
            if along_rows(x, stride):
                a = f64x8_load_double(sums + i)
            else:
                a = f64x8_all(0.0)
                for k in range(few):
                    sknorm_prefetch(p + (LANES + k) * stride + i)
                    a = with_value(a, load(p + k * stride + i), kind)
            if kind == MAX:
                f64x8_store_double(total + i, f64x8_max(a, f64x8_load_double(total + i)))
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


cdef bint normalize_strided(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    Norm kind, double* norms, bint streamed
) noexcept nogil:
    """Divide neighboring vectors, each strided through memory, by their norms."""
    cdef double total[WIDE]
    cdef double inverse[WIDE]  # at first, the errors of the sums
    cdef Py_ssize_t i
    cdef bint bad = False, plain
    if kind == L1:
        sum_norms(x, n, stride, width, L1, total, inverse)
    elif kind == L2:
        sum_norms(x, n, stride, width, L2, total, inverse)
    else:
        sum_norms(x, n, stride, width, MAX, total, inverse)
    plain = finalize_norms(x, width, kind, total, inverse)
    for i in range(width if not plain or norms != NULL else 0):
        if inverse[i] == 0.0:
            bad |= normalize_slow(x + i, out + i, n, stride, kind, &total[i])
        elif not plain:
            divide_strided(x + i, out + i, n, stride, 1, total + i, inverse + i, False)
        if norms != NULL:
            norms[i] = total[i]
    if plain:
        divide_strided(x, out, n, stride, width, total, inverse, streamed)
    return bad


cdef inline void divide_strided(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Py_ssize_t width,
    const double* total, const double* inverse, bint streamed
) noexcept nogil:
    """Divide neighboring vectors by their norms."""
    cdef float times[WIDE]
    cdef float times_low[WIDE]
    cdef floating stage[WIDE]
    cdef Py_ssize_t i, j, k
    cdef const floating* p
    cdef floating* q
    if floating is float:
        for i in range(width):
            split(inverse[i], &times[i], &times_low[i])
    for k in range(n):
        j = reversed_block_index(k, n, block_length(stride * sizeof(floating)))
        p = x + j * stride
        q = &stage[0] if streamed else out + j * stride
        if floating is float:
            standardize_float32_each(p, q, width, NULL, NULL, times, times_low)
        else:
            i = 0
            while i + LANES <= width:
                store(q + i, f64x8_div(load(p + i), f64x8_load_double(total + i)))
                i += LANES
            while i < width:
                q[i] = p[i] / total[i]
                i += 1
        if streamed:
            store_nontemporal(out + j * stride, stage, width)
