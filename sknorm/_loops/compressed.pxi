# Statistics of the stored values of CSR and CSC arrays, per column.

cdef bint merge_values(
    const floating* x, const double* w, Py_ssize_t n, double* cell
) noexcept nogil:
    """Merge any number of contiguous values into a cell."""
    cdef Py_ssize_t i = 0, length
    cdef bint infinite = False
    while i < n:
        length = min(<Py_ssize_t> RUN, n - i)
        infinite |= merge_runs(
            x + i, 1, 0, length, NULL, w + i if w != NULL else NULL, cell
        )
        i += length
    return infinite


def csc_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSC array into its cell."""
    cdef double w[RUN]
    cdef Py_ssize_t j, k, i, length
    cdef bint infinite = False
    if data.shape[0] == 0:
        return False
    with nogil:
        for j in range(indptr.shape[0] - 1):
            k = indptr[j]
            while k < indptr[j + 1]:
                length = min(<Py_ssize_t> RUN, indptr[j + 1] - k)
                if weight is not None:
                    for i in range(length):
                        w[i] = weight[indices[k + i]]
                infinite |= merge_values(
                    &data[k], w if weight is not None else NULL, length, &table[j, 0]
                )
                k += length
    return infinite


cdef enum:
    FIELDS = 4  # of a column of CSR: its shift, sums of deviations and of squares, and count


cdef bint scatter_block(
    const floating* data, const integral* indices, Py_ssize_t n, Py_ssize_t n_columns,
    double* columns, double* table
) noexcept nogil:
    """Merge a block of values into the cells of their columns; False if one needs more care.

    A column's four fields share a cache line. Where the block has the first values of a column,
    a first pass finds the shift.
    """
    cdef Py_ssize_t j, k, attempt
    cdef double* c
    cdef bint fresh = False
    for j in range(n_columns):
        columns[FIELDS * j] = start(table + 7 * j)
    for attempt in range(2):
        for j in range(n_columns):
            c = columns + FIELDS * j
            c[1] = c[2] = c[3] = 0.0
        for k in range(n):
            sknorm_scatter(columns + FIELDS * indices[k], data[k])
        fresh = False
        for j in range(n_columns):
            c = columns + FIELDS * j
            if attempt == 0 and c[3] > 0.0 and table[7 * j] == 0.0 and fabs(c[1]) < HUGE_SQUARE:
                c[0] = c[1] / c[3]
                fresh = True
        if not fresh:
            break
    for j in range(n_columns):
        c = columns + FIELDS * j
        if c[3] > 0.0 and not (in_own_unit(table + 7 * j) and is_tame(c[0], c[2])):
            return False
        if c[3] > CHUNK:
            return False  # too many for a plain sum
    for j in range(n_columns):
        c = columns + FIELDS * j
        if c[3] > 0.0:
            merge_sums(table + 7 * j, c[3], 0.0, c[0], c[1], c[2])
    return True


cdef bint sort_block(
    const floating* data, const integral* indices, const integral[::1] indptr, Py_ssize_t first,
    Py_ssize_t last, const double[::1] weight, Py_ssize_t n_columns, double* values,
    double* weights, Py_ssize_t* ends, double* table
) noexcept nogil:
    """Merge a block of rows by sorting its values by column (a counting sort), with all care."""
    cdef Py_ssize_t row, j, k
    cdef bint infinite = False
    for j in range(n_columns + 1):
        ends[j] = 0
    for k in range(indptr[first], indptr[last]):
        ends[indices[k] + 1] += 1
    for j in range(n_columns):
        ends[j + 1] += ends[j]
    # ends[j] is where column j begins; placing a value moves it on to where j + 1 begins.
    for row in range(first, last):
        for k in range(indptr[row], indptr[row + 1]):
            j = indices[k]
            values[ends[j]] = data[k]
            if weights != NULL:
                weights[ends[j]] = weight[row]
            ends[j] += 1
    k = 0
    for j in range(n_columns):
        infinite |= merge_values(
            values + k, weights + k if weights != NULL else NULL, ends[j] - k, table + 7 * j
        )
        k = ends[j]
    return infinite


def csr_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSR array into its cell.

    Blocks of rows have some 64 values a column, which makes the merging cheap.
    """
    cdef Py_ssize_t n_rows = indptr.shape[0] - 1, n_columns = table.shape[0]
    cdef Py_ssize_t first, last, row, most, longest = 0
    cdef bint weighted = weight is not None, infinite = False, done
    cdef double* values
    cdef double* weights
    cdef double* columns
    cdef Py_ssize_t* ends
    if data.shape[0] == 0 or n_rows == 0:
        return False
    for row in range(n_rows):
        longest = max(longest, <Py_ssize_t> (indptr[row + 1] - indptr[row]))
    most = min(
        max(<Py_ssize_t> 32768, 64 * n_columns, longest),
        <Py_ssize_t> (indptr[n_rows] - indptr[0]),
    )
    values = <double*> malloc((most + 1) * sizeof(double))
    weights = <double*> malloc((most + 1) * sizeof(double)) if weighted else NULL
    columns = <double*> malloc(FIELDS * (n_columns + 2) * sizeof(double))
    ends = <Py_ssize_t*> malloc((n_columns + 1) * sizeof(Py_ssize_t))
    if values == NULL or columns == NULL or ends == NULL or (weighted and weights == NULL):
        free(values)
        free(weights)
        free(columns)
        free(ends)
        raise MemoryError("no memory for the statistics of a sparse array")
    with nogil:
        first = 0
        while first < n_rows:
            last = first + 1
            while last < n_rows and indptr[last + 1] - indptr[first] <= most:
                last += 1
            done = not weighted and scatter_block(
                &data[0] + indptr[first], &indices[0] + indptr[first],
                indptr[last] - indptr[first], n_columns,
                <double*> ((<size_t> columns + 63) & ~<size_t> 63), &table[0, 0],
            )
            if not done:
                infinite |= sort_block(
                    &data[0], &indices[0], indptr, first, last, weight, n_columns, values,
                    weights, ends, &table[0, 0],
                )
            first = last
    free(values)
    free(weights)
    free(columns)
    free(ends)
    return infinite
