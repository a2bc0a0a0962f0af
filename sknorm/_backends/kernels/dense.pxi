# The loops over dense arrays, as Python calls them.

def affine(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, const double[::1] shift,
    const double[::1] scale, const double[::1] gamma, const double[::1] beta,
    const double[::1] power, const float[:, ::1] parts, bint inverse, bint multiply
):
    """Rescale each channel of x into out, which may be x itself.

    Gain and beta are None where all are 1 and 0; power is None where all are 1. To multiply, the
    scale is what to multiply with instead of what to divide by. For float32, parts may have the
    two parts of each shift and the inverse of each scale, which are taken instead then.
    """
    cdef Py_ssize_t i, o, c, k, step, n = x.shape[2]
    cdef int found = FINE
    cdef double p = 1.0, g = 1.0, b = 0.0
    if x.shape[0] == 0 or x.shape[1] == 0 or n == 0:
        return FINE
    step = block_length(sizeof(floating) * x.shape[1] * n)
    with nogil:
        if n == 1:
            found = affine_rows(
                &x[0, 0, 0], &out[0, 0, 0], x.shape[0], x.shape[1], &shift[0], &scale[0],
                NULL if gamma is None else &gamma[0], NULL if gamma is None else &beta[0],
                NULL if power is None else &power[0],
                NULL if parts is None else &parts[0, 0], inverse, multiply,
            )
        for i in range(x.shape[0] if n > 1 else 0):
            o = reversed_block_index(i, x.shape[0], step)
            for k in range(x.shape[1]):
                c = k if step > 1 else x.shape[1] - 1 - k
                if power is not None:
                    p = power[c]
                if gamma is not None:
                    g = gamma[c]
                    b = beta[c]
                found |= affine_channel(
                    &x[o, c, 0], &out[o, c, 0], n, shift[c], scale[c], g, b, p,
                    parts is not None, inverse, multiply,
                )
    return NON_FINITE if found & NON_FINITE else found


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


def channel_moments(
    const floating[:, :, ::1] x, const double[::1] weight, bint weight_is_inner,
    double[:, ::1] table
):
    """Merge the values of each channel into its state, a row of the table."""
    cdef const double* w = NULL
    cdef bint infinite
    if x.shape[0] == 0 or x.shape[1] == 0 or x.shape[2] == 0:
        return False
    if weight is not None:
        w = &weight[0]
    with nogil:
        if x.shape[2] == 1 or (LANES <= x.shape[2] <= SHORT and not weight_is_inner):
            infinite = channel_moments_of_rows(
                &x[0, 0, 0], x.shape[0], x.shape[1], x.shape[2], w, &table[0, 0]
            )
        else:
            infinite = channel_moments_of_runs(
                &x[0, 0, 0], x.shape[0], x.shape[1], x.shape[2],
                NULL if weight_is_inner else w, w if weight_is_inner else NULL, &table[0, 0],
            )
    return infinite


def column_moments(
    list pieces, const floating[::1] first, const double[::1] weight, double[:, ::1] table
):
    """Merge the values of one channel into its state, the only row of the table.

    They are in pieces, all of the type of ``first``, which is one of them.
    """
    cdef const floating[::1] x
    cdef const double* w
    cdef Py_ssize_t row = 0, n
    cdef bint infinite = False
    for x in pieces:
        n = x.shape[0]
        if n == 0:
            continue
        w = &weight[row] if weight is not None else NULL
        with nogil:
            infinite |= merge_values(&x[0], w, n, &table[0, 0], BYTES_AHEAD)
        row += n
    return infinite


def normalize(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, double[:, ::1] norms, int kind,
    Py_ssize_t first, Py_ssize_t last
):
    """Divide each vector along the middle axis of x, in a range of the inner, by its norm.

    The norms are kept unless norms is None.
    """
    cdef Py_ssize_t o, i, k, width, most, n = x.shape[1], inner = x.shape[2]
    cdef bint bad = False, streamed
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    most = f64x8_at_once(n)
    streamed = stores_nontemporal(&x[0, 0, 0], &out[0, 0, 0], x.shape[0] * n * (last - first), inner)
    with nogil:
        if inner == 1:
            bad = normalize_rows(
                &x[0, 0, 0], &out[0, 0, 0], x.shape[0], n, <Norm> kind,
                NULL if norms is None else &norms[0, 0],
            )
        for k in range(x.shape[0] if inner > 1 else 0):
            o = reversed_block_index(k, x.shape[0], block_length(sizeof(floating) * n * inner))
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= normalize_strided(
                    &x[o, 0, i], &out[o, 0, i], n, inner, width, <Norm> kind,
                    NULL if norms is None else &norms[o, i], streamed,
                )
                i += width
        sknorm_store_fence()
    return bad


def layer_norm(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, bint center, bint scale, double eps,
    const double[:, ::1] gamma, const double[:, ::1] beta, Py_ssize_t first, Py_ssize_t last
):
    """Normalize each vector along the middle axis of x, in a range of the inner.

    Groups take their gammas in turn.
    """
    cdef Layer layer
    cdef Py_ssize_t o, i, k, width, group, n = x.shape[1], inner = x.shape[2], step
    cdef Py_ssize_t most = f64x8_at_once(n) if n else 0
    cdef Py_ssize_t n_groups = 1 if gamma is None else gamma.shape[0]
    cdef const double* g = NULL
    cdef const double* b = NULL
    cdef bint bad = False, streamed
    if x.shape[0] == 0 or n == 0 or inner == 0:
        return False
    layer.center, layer.scale, layer.eps, layer.extra = center, scale, eps, 0.0
    streamed = stores_nontemporal(&x[0, 0, 0], &out[0, 0, 0], x.shape[0] * n * (last - first), inner)
    step = block_length(sizeof(floating) * n)
    if gamma is not None:
        g = &gamma[0, 0]
        b = &beta[0, 0]
    with nogil:
        o = x.shape[0] if inner == 1 else 0
        while o > 0:
            i = max(<Py_ssize_t> 0, o - step)
            bad |= layer_runs(
                &x[i, 0, 0], &out[i, 0, 0], o - i, n, &layer, g, b, i % n_groups, n_groups
            )
            o = i
        for k in range(x.shape[0] if inner > 1 else 0):
            o = reversed_block_index(k, x.shape[0], block_length(sizeof(floating) * n * inner))
            group = o % n_groups * n
            i = first
            while i < last:
                width = min(most, last - i)
                bad |= layer_strided(
                    &x[o, 0, i], &out[o, 0, i], n, inner, width, &layer,
                    g + group if g != NULL else NULL, b + group if b != NULL else NULL, streamed,
                )
                i += width
        sknorm_store_fence()
    return bad


def split_float32(const double[::1] shift, const double[::1] times, float[:, ::1] parts):
    """Return the two parts of shifts, and times; None where float32 has no room for them."""
    cdef Py_ssize_t c
    cdef float* none = NULL
    for c in range(shift.shape[0]):
        if not fits_float32(none, shift[c], times[c]):
            return None
        split(shift[c], &parts[0, c], &parts[1, c])
        parts[2, c] = <float> times[c]
    return parts.base
