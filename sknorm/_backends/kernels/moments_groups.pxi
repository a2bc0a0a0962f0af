# Statistics per group of samples: each run of samples has states of its own.

cdef enum:  # what is fetched before it is copied: three times as fast as without
    SAMPLES_AHEAD = 32
    VALUES_AHEAD = 160


def take_samples(const floating[:, :] x, const int64_t[::1] order, floating[:, ::1] out):
    """Copy the samples at some places."""
    cdef Py_ssize_t i, k, n = order.shape[0], width = x.shape[1]
    cdef Py_ssize_t line = 64 // sizeof(floating)
    cdef const floating* next_one
    if width == 0 or n == 0:
        return
    if width > 1 and x.strides[1] != sizeof(floating):
        take_by_column(x, order, out)
        return
    with nogil:
        for i in range(n):
            if i + SAMPLES_AHEAD < n:
                next_one = &x[order[i + SAMPLES_AHEAD], 0]
                k = 0
                while k < width:
                    sknorm_prefetch(next_one + k)
                    k += line
            memcpy(&out[i, 0], &x[order[i], 0], width * sizeof(floating))


cdef void take_by_column(
    const floating[:, :] x, const int64_t[::1] order, floating[:, ::1] out
) noexcept nogil:
    cdef Py_ssize_t i, c, n = order.shape[0]
    for c in range(x.shape[1]):
        for i in range(n):
            if i + VALUES_AHEAD < n:
                sknorm_prefetch(&x[order[i + VALUES_AHEAD], c])
            out[i, c] = x[order[i], c]


cdef void load_states(
    const double* table, Py_ssize_t stride, Py_ssize_t n, double* states
) noexcept nogil:
    """Copy columns of a table to states, one after the other."""
    cdef Py_ssize_t k, c
    for k in range(STATE):
        for c in range(n):
            states[STATE * c + k] = table[k * stride + c]


cdef void store_states(
    const double* states, Py_ssize_t stride, Py_ssize_t n, double* table
) noexcept nogil:
    cdef Py_ssize_t k, c
    for k in range(STATE):
        for c in range(n):
            table[k * stride + c] = states[STATE * c + k]


cdef inline bint is_empty(const double* table, Py_ssize_t n) noexcept nogil:
    """Tell whether no value of a group was seen yet, by the counts of its channels."""
    cdef Py_ssize_t c
    for c in range(n):
        if table[c] != 0.0:
            return False
    return True


cdef bint first_moments(
    const floating* x, Py_ssize_t n, Py_ssize_t n_channels, double* table, Py_ssize_t stride
) noexcept nogil:
    """Find the statistics of a few samples of a group, of which no value was seen yet.

    They are those that are merged into states elsewhere, to the last bit: eight channels at a time,
    which is three times as fast where groups are of ten samples.
    """
    cdef double shifts[LANES]
    cdef double squares[LANES]
    cdef double state[STATE]
    cdef F64x8 zero = f64x8_all(0.0), count = f64x8_all(<double> n)
    cdef F64x8 shift, s1, s2, low, high, v, center, mean, error, moved
    cdef Py_ssize_t k = 0, c, r, i
    cdef const floating* p
    cdef bint infinite = False
    while k < n_channels:
        c = min(k, n_channels - LANES)
        p = x + c
        shift = load(p)
        s1 = zero
        for r in range(n):
            s1 = f64x8_add(s1, f64x8_sub(load(p), shift))
            p += n_channels
        shift = f64x8_add(shift, f64x8_div(s1, count))
        s1 = s2 = zero
        low = f64x8_all(INFINITY)
        high = f64x8_all(-INFINITY)
        p = x + c
        for r in range(n):
            v = load(p)
            low = f64x8_lesser(v, low)
            high = f64x8_greater(v, high)
            v = f64x8_sub(v, shift)
            s1 = f64x8_add(s1, v)
            s2 = f64x8_add(s2, f64x8_mul(v, v))
            p += n_channels
        center = f64x8_div(s1, count)
        mean = f64x8_add(shift, center)  # as ``add`` has it
        moved = f64x8_sub(mean, shift)
        error = f64x8_add(
            f64x8_sub(shift, f64x8_sub(mean, moved)), f64x8_sub(center, moved)
        )
        moved = f64x8_add(mean, error)
        error = f64x8_sub(error, f64x8_sub(moved, mean))
        mean = f64x8_add(moved, error)
        f64x8_store_double(table + c, count)
        f64x8_store_double(table + 2 * stride + c, mean)
        f64x8_store_double(table + 3 * stride + c, f64x8_sub(error, f64x8_sub(mean, moved)))
        f64x8_store_double(
            table + 4 * stride + c, f64x8_greater(f64x8_sub(s2, f64x8_mul(s1, center)), zero)
        )
        f64x8_store_double(table + 6 * stride + c, zero)
        f64x8_store_double(table + 7 * stride + c, low)
        f64x8_store_double(table + 8 * stride + c, high)
        f64x8_store_double(shifts, shift)
        f64x8_store_double(squares, s2)
        for i in range(LANES):
            if not in_safe_range(shifts[i], squares[i]):
                state[:] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, EMPTY, INFINITY, -INFINITY]
                infinite |= merge_block(x + c + i, n, n_channels, 1, NULL, NULL, state)
                store_states(state, stride, 1, table + c + i)
        k += LANES
    return infinite


def group_moments(
    const floating[:, :, ::1] x, const int64_t[::1] starts, const double[::1] weight,
    double[:, :] table
):
    """Merge runs of samples, from each start to the next, into the channels of their groups.

    The columns of the table are those of ``Moments``: the channels of the first group, and so on.
    They may be some of a larger one, but lie side by side.
    """
    cdef Py_ssize_t g, first, n, n_channels = x.shape[1], inner = x.shape[2]
    cdef Py_ssize_t n_groups = starts.shape[0] - 1, stride = table.strides[0] // sizeof(double)
    cdef const double* w = NULL
    cdef double* states
    cdef bint infinite = False
    if x.shape[0] == 0 or n_channels == 0 or inner == 0:
        return False
    if weight is not None:
        w = &weight[0]
    states = <double*> malloc(STATE * n_channels * sizeof(double))
    if states == NULL:
        raise MemoryError
    with nogil:
        for g in range(n_groups):
            first = starts[g]
            n = starts[g + 1] - first
            if n <= 0:
                continue
            if (
                inner == 1 and w == NULL and n <= FEW_ROWS and n_channels >= LANES
                and is_empty(&table[0, g * n_channels], n_channels)
            ):
                infinite |= first_moments(
                    &x[first, 0, 0], n, n_channels, &table[0, g * n_channels], stride
                )
                continue
            load_states(&table[0, g * n_channels], stride, n_channels, states)
            if inner == 1 or LANES <= inner <= SHORT:
                infinite |= channel_moments_of_rows(
                    &x[first, 0, 0], n, n_channels, inner, w + first if w != NULL else NULL, states
                )
            else:
                infinite |= channel_moments_of_runs(
                    &x[first, 0, 0], n, n_channels, inner, w + first if w != NULL else NULL, NULL,
                    states,
                )
            store_states(states, stride, n_channels, &table[0, g * n_channels])
        free(states)
    return infinite
