# Rows of CSC divided by their norms, for which all columns are walked along.

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
        v = DBL_MIN  # a subnormal one may be flushed to zero
    else:
        v = v * v
    add_one_exactly(total, error, v)


cdef inline void sum_block_csc(
    const floating* data, const integral* indices, const integral* indptr, Py_ssize_t n_columns,
    Py_ssize_t last, Norm kind, double* norms, double* errors, Py_ssize_t* places, bint advance
) noexcept nogil:
    """Find what the norms of the rows before the last are made of, from each column's place on."""
    cdef Py_ssize_t j, k, row, first = last - CSC_ROWS
    for j in range(n_columns):
        k = places[j]
        while k < indptr[j + 1] and indices[k] < last:
            row = indices[k]
            add_to_norm(&norms[row], &errors[row - first], data[k], kind)
            k += 1
        if advance:
            places[j] = k


cdef inline void divide_block_csc(
    const floating* data, floating* out, const integral* indices, const integral* indptr,
    Py_ssize_t n_columns, Py_ssize_t last, const double* divide, Py_ssize_t* places
) noexcept nogil:
    """Divide the values of the rows before the last, from each column's place on."""
    cdef Py_ssize_t j, k, first = last - CSC_ROWS
    for j in range(n_columns):
        k = places[j]
        while k < indptr[j + 1] and indices[k] < last:
            out[k] = <floating> (data[k] / divide[indices[k] - first])
            k += 1
        places[j] = k


cdef bint find_norms_csc(
    const floating* data, const integral* indices, const integral* indptr, Py_ssize_t n_columns,
    Py_ssize_t last, Py_ssize_t rows, Norm kind, double* norms, double* errors,
    Py_ssize_t* places, bint advance
) noexcept nogil:
    """Find the norms of the rows before the last; False if one needs more care.

    The loop over each kind is compiled apart.
    """
    cdef Py_ssize_t i
    cdef bint simple = True
    cdef double* own = norms + last - CSC_ROWS
    for i in range(rows):
        own[i] = errors[i] = 0.0
    if kind == L1:
        sum_block_csc(
            data, indices, indptr, n_columns, last, L1, norms, errors, places, advance
        )
    elif kind == L2:
        sum_block_csc(
            data, indices, indptr, n_columns, last, L2, norms, errors, places, advance
        )
    else:
        sum_block_csc(
            data, indices, indptr, n_columns, last, MAX, norms, errors, places, advance
        )
    for i in range(rows if kind == MAX else 0):
        own[i] += errors[i]  # NaN where a value was not finite
    finalize_norms(data, rows, kind, own, errors)
    for i in range(rows):
        simple &= errors[i] != 0.0 or own[i] == 0.0
    return simple


cdef bint divide_by_norms_csc(
    const floating* data, floating* out, const integral* indices, const integral* indptr,
    Py_ssize_t n_rows, Py_ssize_t n_columns, Norm kind, double* norms, double* work,
    Py_ssize_t* places
) noexcept nogil:
    """Divide the rows of a sorted CSC array by their norms; False if one needs more care.

    In place, all norms come before the first division: nothing is written where care is needed.
    """
    cdef Py_ssize_t j, first, rows, phase
    cdef bint in_place = data == out
    for phase in range(2 if in_place else 1):
        for j in range(n_columns):
            places[j] = indptr[j]
        first = 0
        while first < n_rows:
            rows = min(<Py_ssize_t> CSC_ROWS, n_rows - first)
            if phase == 0 and not find_norms_csc(
                data, indices, indptr, n_columns, first + CSC_ROWS, rows, kind, norms, work,
                places, in_place,
            ):
                return False
            if phase == 1 or not in_place:
                for j in range(rows):
                    work[j] = norms[first + j] if norms[first + j] != 0.0 else 1.0
                divide_block_csc(
                    data, out, indices, indptr, n_columns, first + CSC_ROWS, work, places
                )
            first += CSC_ROWS
    return True


def normalize_csc(
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
    places = <Py_ssize_t*> malloc(n_columns * sizeof(Py_ssize_t))
    if work == NULL or places == NULL:
        free(work)
        free(places)
        raise MemoryError("no memory for the norms of a sparse array")
    with nogil:
        simple = divide_by_norms_csc(
            &data[0], &out[0], &indices[0], &indptr[0], n_rows, n_columns, <Norm> kind,
            &norms[0], work, places,
        )
    free(work)
    free(places)
    return simple
