# Rows of CSR divided by their norms.

cdef inline bint normalize_run(
    const floating* x, floating* out, Py_ssize_t n, Norm kind, double* norm
) noexcept nogil:
    """Divide contiguous values by their norm."""
    cdef double total = norm_of_run(x, n, kind), inverse
    if not finalize_norms(x, 1, kind, &total, &inverse):
        return normalize_slow(x, out, n, 1, kind, norm)
    norm[0] = total
    divide_run(x, out, n, total, inverse)
    return False


def normalize_csr(
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
