# Affine, ((x * power - shift) / scale) * gamma + beta per channel, and its inverse.

cdef inline double forward(
    double x, double power, double shift, double scale, double gamma, double beta, bint multiply
) noexcept nogil:
    x = x * power - shift
    return (x * scale if multiply else x / scale) * gamma + beta


cdef inline double backward(
    double x, double power, double shift, double scale, double gamma, double beta
) noexcept nogil:
    return (((x - beta) / gamma) * scale + shift) * power


cdef inline double affine_row(
    const floating* x, floating* out, Py_ssize_t n, const double* shift, const double* scale,
    const double* gamma, const double* beta, const double* power, bint inverse, bint multiply
) noexcept nogil:
    """Rescale one value per channel; return 0, or NaN where a value is not finite.

    Gain and beta may be NULL. Leaving them out saves 10% on a matrix that comes from memory.
    """
    cdef F64x8 v, check = f64x8_all(0.0)
    cdef Py_ssize_t c = 0
    cdef double rest = 0.0, p, g, b
    while power == NULL and not inverse and c + LANES <= n:
        v = load(x + c)
        check = f64x8_add(check, f64x8_sub(v, v))
        v = f64x8_sub(v, f64x8_load_double(shift + c))
        if multiply:
            v = f64x8_mul(v, f64x8_load_double(scale + c))
        else:
            v = f64x8_div(v, f64x8_load_double(scale + c))
        if gamma != NULL:
            v = f64x8_mul(v, f64x8_load_double(gamma + c))
            v = f64x8_add(v, f64x8_load_double(beta + c))
        store(out + c, v)
        c += LANES
    while c < n:
        rest += x[c] - x[c]
        p = 1.0 if power == NULL else power[c]
        g = 1.0 if gamma == NULL else gamma[c]
        b = 0.0 if gamma == NULL else beta[c]
        if inverse:
            out[c] = <floating> backward(x[c], p, shift[c], scale[c], g, b)
        else:
            out[c] = <floating> forward(x[c], p, shift[c], scale[c], g, b, multiply)
        c += 1
    return f64x8_sum(check) + rest


cdef double affine_run(
    const floating* x, floating* out, Py_ssize_t n, double shift, double scale, double gamma,
    double beta, double power, bint inverse, bint multiply
) noexcept nogil:
    """Rescale contiguous values of one channel; return 0, or NaN where one is not finite."""
    cdef F64x8 v, check = f64x8_all(0.0), s = f64x8_all(shift), t = f64x8_all(scale)
    cdef F64x8 g = f64x8_all(gamma), b = f64x8_all(beta)
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    if power == 1.0 and not inverse:
        while i + LANES <= n:
            v = load(x + i)
            check = f64x8_add(check, f64x8_sub(v, v))
            v = f64x8_sub(v, s)
            v = f64x8_mul(v, t) if multiply else f64x8_div(v, t)
            store(out + i, f64x8_add(f64x8_mul(v, g), b))
            i += LANES
    while i < n:
        rest += x[i] - x[i]
        if inverse:
            out[i] = <floating> backward(x[i], power, shift, scale, gamma, beta)
        else:
            out[i] = <floating> forward(x[i], power, shift, scale, gamma, beta, multiply)
        i += 1
    return f64x8_sum(check) + rest


cdef bint has_infinity(const floating* x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if fabs(x[i]) == INFINITY:
            return True
    return False


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
    cdef bint infinite = False
    cdef double p = 1.0, g = 1.0, b = 0.0
    if x.shape[0] == 0 or x.shape[1] == 0 or n == 0:
        return False
    step = block_length(sizeof(floating) * x.shape[1] * n)
    with nogil:
        if n == 1:
            infinite = affine_rows(
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
                infinite |= affine_channel(
                    &x[o, c, 0], &out[o, c, 0], n, shift[c], scale[c], g, b, p,
                    parts is not None, inverse, multiply,
                )
    return infinite


cdef bint affine_channel(
    const floating* x, floating* out, Py_ssize_t n, double shift, double scale, double gamma,
    double beta, double power, bint single, bint inverse, bint multiply
) noexcept nogil:
    """Rescale contiguous values of one channel, the last block first."""
    cdef Py_ssize_t first, last = n, step = block_length(sizeof(floating))
    cdef bint infinite = False
    cdef double check
    while last > 0:
        first = max(<Py_ssize_t> 0, last - step)
        if floating is float and single:
            check = affine_float32(x + first, out + first, last - first, shift, scale)
        else:
            check = affine_run(
                x + first, out + first, last - first, shift, scale, gamma, beta, power, inverse,
                multiply,
            )
        if check != 0.0:
            infinite |= contains_infinity(x + first, out + first, last - first)
        last = first
    return infinite


cdef bint affine_rows(
    const floating* x, floating* out, Py_ssize_t n_rows, Py_ssize_t n, const double* shift,
    const double* scale, const double* gamma, const double* beta, const double* power,
    const float* parts, bint inverse, bint multiply
) noexcept nogil:
    """Rescale a matrix with one column per channel.

    Blocks of rows and tiles of columns keep the parameters in the nearest cache.
    """
    cdef Py_ssize_t first, last = n_rows, c, width, r, step = block_length(sizeof(floating) * n)
    cdef bint infinite = False
    cdef double check
    while last > 0:
        first = max(<Py_ssize_t> 0, last - step)
        c = 0
        while c < n:
            width = min(<Py_ssize_t> 512, n - c)
            for r in range(first, last):
                if floating is float and parts != NULL:
                    check = affine_float32_each(
                        x + r * n + c, out + r * n + c, width, parts + c, parts + n + c,
                        parts + 2 * n + c,
                    )
                elif gamma == NULL:
                    check = affine_row(
                        x + r * n + c, out + r * n + c, width, shift + c, scale + c, NULL, NULL,
                        power + c if power != NULL else NULL, inverse, multiply,
                    )
                else:
                    check = affine_row(
                        x + r * n + c, out + r * n + c, width, shift + c, scale + c, gamma + c,
                        beta + c, power + c if power != NULL else NULL, inverse, multiply,
                    )
                if check != 0.0:
                    infinite |= contains_infinity(x + r * n + c, out + r * n + c, width)
            c += width
        last = first
    return infinite


cdef bint contains_infinity(const floating* x, const floating* out, Py_ssize_t n) noexcept nogil:
    """Tell whether x has infinity; in place that was made sure of before."""
    return x != out and has_infinity(x, n)


cdef bint is_finite(const floating* x, Py_ssize_t n) noexcept nogil:
    cdef F64x8 v, check = f64x8_all(0.0)
    cdef Py_ssize_t i = 0
    cdef double rest = 0.0
    while i + LANES <= n:
        v = load(x + i)
        check = f64x8_add(check, f64x8_sub(v, v))
        i += LANES
    while i < n:
        rest += x[i] - x[i]
        i += 1
    return f64x8_sum(check) + rest == 0.0


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
