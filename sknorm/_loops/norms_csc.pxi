# Norms of the rows of CSC, found and divided by along the columns.

cdef enum:
    CSC_ROWS = 32768  # rows whose norms stay in the cache while all columns are walked along


cdef inline void add_to_norm(double* total, double* error, double v, Norm kind) noexcept nogil:
    """Add a value to a row's norm. A square that is lost leaves a trace, which is no safe sum."""
    if kind == MAX:
        v = fabs(v)
        error[0] += v - v
        total[0] = v if v > total[0] else total[0]
        return
    if kind == L1:
        v = fabs(v)
    elif v * v == 0.0 and v != 0.0:
        v = 5e-324
    else:
        v = v * v
    add_one_exactly(total, error, v)


cdef inline void sum_block_csc(
    const floating* data, const integral* indices, const integral* indptr, Py_ssize_t n_columns,
    Py_ssize_t last, Norm kind, double* norms, double* errors, Py_ssize_t* places
) noexcept nogil:
    """Find what the norms of the rows before the last are made of, and where those rows end."""
    cdef Py_ssize_t j, k, row, first = last - CSC_ROWS
    for j in range(n_columns):
        k = places[j]
        while k < indptr[j + 1] and indices[k] < last:
            row = indices[k]
            add_to_norm(&norms[row], &errors[row - first], data[k], kind)
            k += 1
        places[n_columns + j] = k


cdef inline void divide_block_csc(
    const floating* data, floating* out, const integral* indices, Py_ssize_t n_columns,
    Py_ssize_t last, const double* divide, const Py_ssize_t* places
) noexcept nogil:
    cdef Py_ssize_t j, k, first = last - CSC_ROWS
    for j in range(n_columns):
        for k in range(places[j], places[n_columns + j]):
            out[k] = <floating> (data[k] / divide[indices[k] - first])


cdef inline bint settle_block(
    double* norms, double* divide, Py_ssize_t n, Norm kind
) noexcept nogil:
    """Make norms of sums, and what to divide by; False if one needs more care."""
    cdef Py_ssize_t i
    cdef bint simple = True
    for i in range(n):
        divide[i] = 1.0
        if norms[i] != 0.0:
            simple &= settles(&norms[i], kind)
            divide[i] = norms[i]
    return simple


cdef inline bint normalize_csc(
    const floating* data, floating* out, const integral* indices, const integral* indptr,
    Py_ssize_t n_rows, Py_ssize_t n_columns, Norm kind, double* norms, double* work,
    Py_ssize_t* places
) noexcept nogil:
    """Divide the rows of a sorted CSC array by their norms; False if one needs more care.

    In place, all sums come before the first division: nothing is written where care is needed.
    """
    cdef Py_ssize_t j, first, last, rows, phase
    cdef bint in_place = data == out, simple = True
    for phase in range(2 if in_place else 1):
        for j in range(n_columns):
            places[j] = indptr[j]
        first = 0
        while first < n_rows and simple:
            last = first + CSC_ROWS
            rows = min(<Py_ssize_t> CSC_ROWS, n_rows - first)
            if phase == 0:
                for j in range(rows):
                    norms[first + j] = work[j] = 0.0
                sum_block_csc(
                    data, indices, indptr, n_columns, last, kind, norms, work, places
                )
                if kind == MAX:
                    for j in range(rows):
                        norms[first + j] += work[j]
                simple = settle_block(norms + first, work, rows, kind)
            else:
                for j in range(rows):
                    work[j] = norms[first + j] if norms[first + j] != 0.0 else 1.0
                find_ends_csc(indices, indptr, n_columns, last, places)
            if simple and (phase == 1 or not in_place):
                divide_block_csc(data, out, indices, n_columns, last, work, places)
            for j in range(n_columns):
                places[j] = places[n_columns + j]
            first = last
    return simple


cdef inline void find_ends_csc(
    const integral* indices, const integral* indptr, Py_ssize_t n_columns, Py_ssize_t last,
    Py_ssize_t* places
) noexcept nogil:
    cdef Py_ssize_t j, k
    for j in range(n_columns):
        k = places[j]
        while k < indptr[j + 1] and indices[k] < last:
            k += 1
        places[n_columns + j] = k


def normalize_vectors_csc(
    const floating[::1] data, floating[::1] out, const integral[::1] indices,
    const integral[::1] indptr, double[::1] norms, int kind
):
    """Divide the rows of a CSC array, whose indices are sorted, by their norms.

    Return False where that takes more care: NaN, infinity, or sums that left the range.
    """
    cdef Py_ssize_t n_columns = indptr.shape[0] - 1, n_rows = norms.shape[0]
    cdef double* work
    cdef Py_ssize_t* places
    cdef bint simple
    if data.shape[0] == 0 or n_rows == 0:
        return True
    work = <double*> malloc(CSC_ROWS * sizeof(double))
    places = <Py_ssize_t*> malloc(2 * n_columns * sizeof(Py_ssize_t))
    if work == NULL or places == NULL:
        free(work)
        free(places)
        raise MemoryError("no memory for the norms of a sparse array")
    with nogil:
        if kind == L1:
            simple = normalize_csc(
                &data[0], &out[0], &indices[0], &indptr[0], n_rows, n_columns, L1, &norms[0],
                work, places,
            )
        elif kind == L2:
            simple = normalize_csc(
                &data[0], &out[0], &indices[0], &indptr[0], n_rows, n_columns, L2, &norms[0],
                work, places,
            )
        else:
            simple = normalize_csc(
                &data[0], &out[0], &indices[0], &indptr[0], n_rows, n_columns, MAX, &norms[0],
                work, places,
            )
    free(work)
    free(places)
    return simple
