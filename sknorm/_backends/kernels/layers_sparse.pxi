# Groups of the stored values of CSR and CSC.

cdef inline bint layer_run(
    const floating* x, floating* out, Py_ssize_t n, Layer* layer, double inverse_n,
    const double* gamma, const double* beta
) noexcept nogil:
    """Normalize the contiguous values of one group."""
    cdef double mean = 0.0, low = 0.0, inverse, s1 = 0.0, s2 = 0.0
    if layer.center:
        layer_sums(x, n, inverse_n, &mean, &s1, &s2)
    else:
        s2 = norm_of_run(x, n, L2)
    inverse_scales(
        x, layer, 1, n + layer.extra, inverse_n, &mean, &s1, &s2, &low, &inverse, gamma != NULL
    )
    if inverse < 0.0:
        return layer_slow(x, out, n, 1, layer, gamma, beta)
    standardize_run(x, out, n, mean, low, inverse, gamma, beta)
    return False


def layer_norm_csr(
    const floating[::1] data, floating[::1] out, const integral[::1] indices,
    const integral[::1] indptr, Py_ssize_t n_columns, Py_ssize_t n_groups, bint scale, double eps
):
    """Divide the stored values of each group of a CSR row (sorted) by its root mean square."""
    cdef Layer layer
    cdef Py_ssize_t row, group, first, last, size = n_columns // n_groups
    cdef bint bad = False
    layer.center, layer.scale, layer.eps = False, scale, eps
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
