# Statistics per group of samples: each run of samples has states of its own.

cdef enum:
    AHEAD = 16  # samples that are fetched before they are copied: twice as fast as without


def take_samples(const floating[:, ::1] x, const int64_t[::1] order, floating[:, ::1] out):
    """Copy the samples at some places."""
    cdef Py_ssize_t i, k, n = order.shape[0], width = x.shape[1]
    cdef Py_ssize_t line = 64 // sizeof(floating)
    cdef const floating* next_one
    if width == 0 or n == 0:
        return
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                next_one = &x[order[i + AHEAD], 0]
                k = 0
                while k < width:
                    sknorm_prefetch(next_one + k)
                    k += line
            memcpy(&out[i, 0], &x[order[i], 0], width * sizeof(floating))


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


def group_moments(
    const floating[:, :, ::1] x, const int64_t[::1] starts, const double[::1] weight,
    double[:, ::1] table
):
    """Merge runs of samples, from each start to the next, into the channels of their groups.

    The columns of the table are those of ``Moments``: the channels of the first group, and so on.
    """
    cdef Py_ssize_t g, first, n, n_channels = x.shape[1], inner = x.shape[2]
    cdef Py_ssize_t n_groups = starts.shape[0] - 1, stride = table.shape[1]
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
