# Groups of one sample's values, normalized with their own statistics.

cdef struct Layer:
    bint center
    bint scale
    double eps
    double extra  # values that are zero and not stored (sparse rows)


cdef inline void inverse_scales(
    const floating* x, Layer* layer, Py_ssize_t n, double count, double inverse_count,
    const double* mean, const double* s1, const double* s2, double* low, double* inverse,
    bint has_gain
) noexcept nogil:
    """Find the rest of each mean and what to multiply with: 0 for constant values.

    That is -1 where sums or results leave a safe range.
    """
    cdef double var, times
    cdef Py_ssize_t i
    for i in range(n):  # without branches, so that compilers take several at a time
        low[i] = s1[i] * inverse_count if layer.center else 0.0
        var = s2[i] * inverse_count - low[i] * low[i]
        var = var if var > 0.0 else 0.0
        times = 1.0 / sqrt(var + layer.eps) if layer.scale else 1.0
        times = 0.0 if layer.center & is_constant(count, mean[i] + low[i], var) else times
        inverse[i] = times if in_safe_range(mean[i], s2[i]) else -1.0
    for i in range(0 if has_gain else n):
        if not fits_float32(x, mean[i] + low[i], inverse[i]):
            inverse[i] = -1.0


cdef bint layer_slow(
    const floating* x, floating* out, Py_ssize_t n, Py_ssize_t stride, Layer* layer,
    const double* gamma, const double* beta
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
    if magnitude > 0.0 and (layer.center or layer.scale):
        exponent = <int> unit_exponent(magnitude, False)
    if layer.center and any_value:
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
    s1 = s1 / count if layer.center and count > 0.0 else 0.0
    var = max(0.0, s2 / count - s1 * s1) if count > 0.0 else 0.0
    if (layer.center and is_constant(count, mean, var)) or (layer.scale and var == 0.0):
        divide = 0.0
    elif layer.scale:
        divide = hypot(sqrt(var), ldexp(sqrt(layer.eps), -exponent))
    for i in range(n):
        v = ldexp(x[i * stride], -exponent)
        z = ((v - mean) - s1) / divide if divide > 0.0 or v != v else 0.0
        if gamma != NULL:
            z = z * gamma[i] + beta[i]
        out[i * stride] = <floating> z
    return False


cdef inline double approximate_mean(const floating* x) noexcept nogil:
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
    cdef double shift = 0.0, center
    cdef bint short = n <= CHUNK
    if n <= RUN:
        sknorm_prefetch_lines(x + BYTES_AHEAD // sizeof(floating), n * sizeof(floating))
    if floating is double:
        shift = f64x8_sum(load(x)) * (1.0 / LANES) if n >= LANES else x[0]
    if short:
        sum_plain(x, n, shift, s1, s2, NULL)
    else:
        sum_run(x, n, NULL, shift, s1, s2, NULL)
    center = s1[0] * inverse_n
    if center * center > approximate_mean(x) * (s2[0] * inverse_n):
        shift += center
        if short:
            sum_plain(x, n, shift, s1, s2, NULL)
        else:
            sum_run(x, n, NULL, shift, s1, s2, NULL)
    mean[0] = shift


cdef inline F64x8 standardized(
    F64x8 v, F64x8 mean, F64x8 low, F64x8 inverse, const double* gamma, const double* beta,
    Py_ssize_t i
) noexcept nogil:
    """Return values centered and scaled; the second part of the mean keeps large betas exact."""
    v = f64x8_mul(f64x8_sub(f64x8_sub(v, mean), low), inverse)
    if gamma == NULL:
        return v
    return f64x8_add(f64x8_mul(v, f64x8_load_double(gamma + i)), f64x8_load_double(beta + i))


cdef inline void standardize_run(
    const floating* x, floating* out, Py_ssize_t n, double mean, double low, double inverse,
    const double* gamma, const double* beta
) noexcept nogil:
    """Center and scale contiguous values; the last lanes may overlap those before."""
    cdef F64x8 m = f64x8_all(mean), u = f64x8_all(low), t = f64x8_all(inverse), last = m
    cdef Py_ssize_t i = 0
    cdef double z
    if floating is float and gamma == NULL:
        standardize_float32(x, out, n, mean + low, inverse)
        return
    if n < LANES:
        for i in range(n):
            z = ((x[i] - mean) - low) * inverse
            out[i] = <floating> (z if gamma == NULL else z * gamma[i] + beta[i])
        return
    if n % LANES:
        last = standardized(load(x + n - LANES), m, u, t, gamma, beta, n - LANES)
    while i + LANES <= n:
        store(out + i, standardized(load(x + i), m, u, t, gamma, beta, i))
        i += LANES
    if i < n:
        store(out + n - LANES, last)


cdef bint layer_runs(
    const floating* x, floating* out, Py_ssize_t n_runs, Py_ssize_t n, Layer* layer,
    const double* gamma, const double* beta, Py_ssize_t group, Py_ssize_t n_groups
) noexcept nogil:
    """Normalize groups that follow each other, a batch at a time (see ``normalize_rows_by``)."""
    cdef double mean[BATCH]
    cdef double low[BATCH]
    cdef double s1[BATCH]
    cdef double s2[BATCH]
    cdef double inverse[BATCH]
    cdef double inverse_n = 1.0 / n
    cdef Py_ssize_t r = 0, i, place, runs, most = rows_at_once(n)
    cdef bint bad = False
    cdef const double* g = NULL
    cdef const double* b = NULL
    while r < n_runs:
        runs = min(most, n_runs - r)
        for i in range(runs):
            mean[i] = s1[i] = 0.0
            if layer.center:
                layer_sums(x + (r + i) * n, n, inverse_n, &mean[i], &s1[i], &s2[i])
            else:
                s2[i] = norm_of_run(x + (r + i) * n, n, L2)
        inverse_scales(
            x, layer, runs, <double> n, inverse_n, mean, s1, s2, low, inverse, gamma != NULL
        )
        for i in range(runs):
            place = (r + i) * n
            if gamma != NULL:
                g = gamma + (group + r + i) % n_groups * n
                b = beta + (group + r + i) % n_groups * n
            if inverse[i] < 0.0:
                bad |= layer_slow(x + place, out + place, n, 1, layer, g, b)
            else:
                standardize_run(x + place, out + place, n, mean[i], low[i], inverse[i], g, b)
        r += runs
    return bad
