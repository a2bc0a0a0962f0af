# Affine of the stored values of CSR and CSC.

def affine_sparse(
    const floating[::1] data, floating[::1] out, const integral[::1] indptr,
    const integral[::1] channels, const double[::1] scale, const double[::1] gamma,
    const double[::1] power, bint inverse
):
    """Rescale stored values whose channel is their index, or, without indices, their segment."""
    cdef Py_ssize_t j, k, c
    cdef double check = 0.0, p
    if data.shape[0] == 0:
        return False
    with nogil:
        for j in range(indptr.shape[0] - 1):
            for k in range(indptr[j], indptr[j + 1]):
                c = j if channels is None else channels[k]
                p = 1.0 if power is None else power[c]
                check += data[k] - data[k]
                if inverse:
                    out[k] = <floating> ((data[k] / gamma[c]) * scale[c] * p)
                else:
                    out[k] = <floating> ((data[k] * p / scale[c]) * gamma[c])
    return check != 0.0 and contains_infinity(&data[0], &out[0], data.shape[0])


def multiply_sparse(
    const floating[::1] data, floating[::1] out, const integral[::1] indptr,
    const integral[::1] indices, const double[::1] factor
):
    """Multiply stored values by the factor of their index, or, without indices, their segment."""
    cdef Py_ssize_t j, k, first, last, n = indptr.shape[0] - 1, step
    cdef const integral* none = NULL
    cdef bint infinite = False
    if data.shape[0] == 0:
        return False
    step = block_length(sizeof(floating) * max(<Py_ssize_t> 1, data.shape[0] // n))
    with nogil:
        for k in range(n if indices is None else 0):
            j = reversed_block_index(k, n, step)
            first, last = indptr[j], indptr[j + 1]
            if first < last and multiply_each(
                &data[first], &out[first], last - first, none, &factor[j]
            ) != 0.0:
                infinite |= contains_infinity(&data[first], &out[first], last - first)
        last = indptr[n] if indices is not None else indptr[0]
        while last > indptr[0]:
            first = max(<Py_ssize_t> indptr[0], last - 8 * RUN)
            if multiply_each(
                &data[first], &out[first], last - first, &indices[first], &factor[0]
            ) != 0.0:
                infinite |= contains_infinity(&data[first], &out[first], last - first)
            last = first
    return infinite


cdef inline double multiply_each(
    const floating* x, floating* out, Py_ssize_t n, const integral* indices, const double* factor
) noexcept nogil:
    """Multiply values by the factor of their index, or, without indices, all by the first.

    Return 0, or NaN where a value is not finite.
    """
    cdef F64x8 v, f = f64x8_all(factor[0]), check = f64x8_all(0.0)
    cdef double rest = 0.0
    cdef const integral* p
    cdef Py_ssize_t k = 0
    while k + LANES <= n:
        v = load(x + k)
        check = f64x8_add(check, f64x8_sub(v, v))
        if indices != NULL:
            p = indices + k
            f = f64x8_of(
                factor[p[0]], factor[p[1]], factor[p[2]], factor[p[3]],
                factor[p[4]], factor[p[5]], factor[p[6]], factor[p[7]],
            )
        store(out + k, f64x8_mul(v, f))
        k += LANES
    while k < n:
        rest += x[k] - x[k]
        out[k] = <floating> (x[k] * factor[indices[k] if indices != NULL else 0])
        k += 1
    return f64x8_sum(check) + rest
