# Statistics of the stored values of CSR arrays, per column.

cdef enum Outcome:
    DONE
    OUT_OF_RANGE
    NEEDS_WATCH
    NEEDS_CARE

cdef enum:
    FIELDS = 8  # of a column of CSR: a cache line, of which ``sknorm_scatter`` uses six
    FIRST = 4  # values per column that are searched for shifts


cdef inline bint flush(double* c, double* state) noexcept nogil:
    """Merge a column's sums into its state and start anew; False if that takes more care.

    It does where sums left the range, or the first shift is far from the mean of many values.
    (Later shifts are the mean so far: where that is far, the m2 of all is as large as the
    squares.)
    """
    if not (is_scaled(state) and in_safe_range(c[3], c[1])):
        return False
    if state[0] == 0.0 and c[3] != 0.0 and c[2] >= 32.0 and c[0] * c[0] > 0.97 * (c[1] * c[2]):
        return False
    merge_sums(state, c[2], 0.0, c[3], c[0], c[1])
    widen(state, c[4], -c[5])
    c[0] = c[1] = c[2] = 0.0
    return True


cdef bint start_columns(
    const floating* data, const integral* indices, Py_ssize_t n, Py_ssize_t n_columns,
    double* columns, const double* table
) noexcept nogil:
    """Set the columns' sums to 0 and their shifts to their means so far.

    For new columns it is their first value, or 0 for those that come late. False if an index is
    out of range.
    """
    cdef Py_ssize_t j, k
    cdef double* c
    cdef bint any_new = False
    for j in range(n_columns):
        c = columns + FIELDS * j
        c[0] = c[1] = c[2] = 0.0
        c[4] = table[STATE * j + 7]
        c[5] = -table[STATE * j + 8]
        c[3] = start(table + STATE * j)
        any_new |= table[STATE * j] == 0.0
    n = min(n, FIRST * n_columns) if any_new else 0
    if not are_below(indices, n, n_columns):
        return False
    for k in range(n):
        j = indices[k]
        if columns[FIELDS * j + 3] == 0.0 and table[STATE * j] == 0.0:
            columns[FIELDS * j + 3] = finite_or_zero(data[k])
    return True


cdef Outcome scatter_block(
    const floating* data, const integral* indices, Py_ssize_t n, Py_ssize_t n_rows,
    Py_ssize_t n_columns, bint watched, double* columns, const double* before, double* table
) noexcept nogil:
    """Merge a block of values into the accumulators of their columns.

    A column's fields share a cache line. Watched, they are merged as soon as they hold as
    many values as are summed up plainly. A shift of 0 for columns that come late is exact enough
    where at least half of the rows are zero: the m2 of all is then at least half of the sum
    of squares.
    """
    cdef Py_ssize_t j, k
    cdef double* c
    cdef double count, most = CHUNK
    if not start_columns(data, indices, n, n_columns, columns, table):
        return OUT_OF_RANGE
    for k in range(n):
        j = indices[k]
        if <size_t> j >= <size_t> n_columns:
            return OUT_OF_RANGE
        if k % 8 == 0:
            sknorm_prefetch(data + k + BYTES_AHEAD // sizeof(floating))
            sknorm_prefetch(indices + k + BYTES_AHEAD // sizeof(integral))
        count = sknorm_scatter(columns + FIELDS * j, data[k])
        if watched and count >= most and not flush(columns + FIELDS * j, table + STATE * j):
            return NEEDS_CARE
    for j in range(n_columns):
        c = columns + FIELDS * j
        if c[2] > most:
            return NEEDS_WATCH
        if c[2] > 0.0 and not flush(c, table + STATE * j):
            return NEEDS_CARE
        if c[3] == 0.0 and before[STATE * j] == 0.0 and table[STATE * j] > 0.5 * n_rows:
            return NEEDS_CARE
    return DONE


cdef Outcome scatter(
    const floating* data, const integral* indices, Py_ssize_t n, Py_ssize_t n_rows,
    Py_ssize_t n_columns, bint* watched, double* columns, double* before, double* table
) noexcept nogil:
    """Merge a block of values by ``scatter_block``, or, where it needs care, leave the accumulators."""
    cdef size_t size = STATE * n_columns * sizeof(double)
    cdef Outcome outcome
    memcpy(before, table, size)
    while True:
        outcome = scatter_block(
            data, indices, n, n_rows, n_columns, watched[0], columns, before, table
        )
        if outcome == DONE:
            return outcome
        memcpy(table, before, size)
        if outcome != NEEDS_WATCH:
            return outcome
        watched[0] = True


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
            values + k, weights + k if weights != NULL else NULL, ends[j] - k, table + STATE * j,
            BYTES_AHEAD,
        )
        k = ends[j]
    return infinite


def csr_moments(
    const floating[::1] data, const integral[::1] indices, const integral[::1] indptr,
    const double[::1] weight, double[:, ::1] table
):
    """Merge the stored values of each column of a CSR array into its state; return a status.

    Blocks of rows have some 128 values per column, which makes the merging cheap. Once one has
    columns with too many, all are watched, which takes 1.2 times as long.
    """
    cdef Py_ssize_t n_rows = indptr.shape[0] - 1, n_columns = table.shape[0]
    cdef Py_ssize_t first, last, row, most, longest = 0
    cdef bint weighted = weight is not None, watched = False, infinite = False
    cdef Outcome outcome = NEEDS_CARE
    cdef double* values
    cdef double* weights
    cdef double* columns
    cdef double* before
    cdef Py_ssize_t* ends
    if data.shape[0] == 0 or n_rows == 0:
        return FINE
    for row in range(n_rows):
        longest = max(longest, <Py_ssize_t> (indptr[row + 1] - indptr[row]))
    most = min(
        max(<Py_ssize_t> 32768, 128 * n_columns, longest),
        <Py_ssize_t> (indptr[n_rows] - indptr[0]),
    )
    values = <double*> malloc((most + 1) * sizeof(double))
    weights = <double*> malloc((most + 1) * sizeof(double)) if weighted else NULL
    columns = <double*> malloc(FIELDS * (n_columns + 2) * sizeof(double))
    before = <double*> malloc(STATE * n_columns * sizeof(double))
    ends = <Py_ssize_t*> malloc((n_columns + 1) * sizeof(Py_ssize_t))
    if (
        values == NULL or columns == NULL or before == NULL or ends == NULL
        or (weighted and weights == NULL)
    ):
        free(values)
        free(weights)
        free(columns)
        free(before)
        free(ends)
        raise MemoryError("no memory for the statistics of a sparse array")
    with nogil:
        first = 0
        while first < n_rows:
            last = first + 1
            while last < n_rows and indptr[last + 1] - indptr[first] <= most:
                last += 1
            if not weighted:
                outcome = scatter(
                    &data[0] + indptr[first], &indices[0] + indptr[first],
                    indptr[last] - indptr[first], last - first, n_columns, &watched,
                    <double*> ((<size_t> columns + 63) & ~<size_t> 63), before, &table[0, 0],
                )
            elif not are_below(
                &indices[0] + indptr[first], indptr[last] - indptr[first], n_columns
            ):
                outcome = OUT_OF_RANGE
            if outcome == OUT_OF_RANGE:
                break
            if outcome == NEEDS_CARE:
                infinite |= sort_block(
                    &data[0], &indices[0], indptr, first, last, weight, n_columns, values,
                    weights, ends, &table[0, 0],
                )
            first = last
    free(values)
    free(weights)
    free(columns)
    free(before)
    free(ends)
    if outcome == OUT_OF_RANGE:
        return MALFORMED
    return NON_FINITE if infinite else FINE
