# Statistics of the stored values of CSC arrays, whose columns lie one after the other.

def csc_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    Py_ssize_t n_rows, const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSC array into its state; return a status."""
    cdef double w[RUN]
    cdef Py_ssize_t j, k, i, length
    cdef bint infinite = False, below = True
    if data.shape[0] == 0:
        return FINE
    with nogil:
        for j in range(indptr.shape[0] - 1):
            k = indptr[j]
            while k < indptr[j + 1]:
                length = min(<Py_ssize_t> RUN, indptr[j + 1] - k)
                below = are_below(&indices[k], length, n_rows)
                if not below:
                    break
                if weight is not None:
                    for i in range(length):
                        w[i] = weight[indices[k + i]]
                infinite |= merge_values(
                    &data[k], w if weight is not None else NULL, length, &table[j, 0],
                    BYTES_AHEAD,
                )
                k += length
            if not below:
                break
    if not below:
        return MALFORMED
    return NON_FINITE if infinite else FINE
