# Statistics per group of samples: each run of samples has states of its own.

cdef enum:  # what is fetched before it is copied: three times as fast as without
    SAMPLES_AHEAD = 32
    VALUES_AHEAD = 160
    VALUES_IN_FLIGHT = 4096  # of samples: longer ones are fetched well without

cdef struct Buffers:
    Py_ssize_t most  # samples that are copied at a time
    Py_ssize_t ahead
    double* states
    double* weights
    void* samples
    double* pool


cdef inline Py_ssize_t in_values(Py_ssize_t stride, Py_ssize_t size) noexcept nogil:
    """Return a stride, which may be negative, in values of a size in bytes."""
    return stride // size


cdef inline Py_ssize_t samples_ahead(Py_ssize_t size) noexcept nogil:
    """Return how many samples of so many values to fetch before they are read."""
    return min(<Py_ssize_t> SAMPLES_AHEAD, VALUES_IN_FLIGHT // size)


cdef inline void take_ahead(
    const floating* x, Py_ssize_t stride, Py_ssize_t size, const int64_t* order, Py_ssize_t n,
    floating* out, Py_ssize_t n_known
) noexcept nogil:
    """Copy samples, and fetch those that are next in the order, of which so many are known."""
    cdef Py_ssize_t i, ahead = samples_ahead(size), n_bytes = size * sizeof(floating)
    for i in range(n):
        if ahead and i + ahead < n_known:
            sknorm_prefetch_all(x + order[i + ahead] * stride, n_bytes)
        memcpy(out + i * size, x + order[i] * stride, n_bytes)


def take_samples(const floating[:, :] x, const int64_t[::1] order, floating[:, ::1] out):
    """Copy the samples at some places."""
    cdef Py_ssize_t n = order.shape[0], width = x.shape[1]
    if width == 0 or n == 0:
        return
    if width > 1 and x.strides[1] != sizeof(floating):
        take_by_column(x, order, out)
        return
    with nogil:
        take_ahead(
            &x[0, 0], in_values(x.strides[0], sizeof(floating)), width, &order[0], n, &out[0, 0], n
        )


cdef void take_by_column(
    const floating[:, :] x, const int64_t[::1] order, floating[:, ::1] out
) noexcept nogil:
    cdef Py_ssize_t i, c, n = order.shape[0]
    for c in range(x.shape[1]):
        for i in range(n):
            if i + VALUES_AHEAD < n:
                sknorm_prefetch(&x[order[i + VALUES_AHEAD], c])
            out[i, c] = x[order[i], c]


cdef inline bint is_empty(const double* table, Py_ssize_t n) noexcept nogil:
    """Tell whether no value of a group was seen yet, by the counts of its channels."""
    cdef Py_ssize_t c = 0
    while c + LANES <= n:
        if not f64x8_all_at_most(f64x8_load_double(table + c), 0.0):
            return False
        c += LANES
    while c < n:
        if table[c] > 0.0:
            return False
        c += 1
    return True


cdef void load_states(
    const double* table, Py_ssize_t stride, Py_ssize_t n, double* states
) noexcept nogil:
    """Copy columns of a table to states, one after the other; zeros are of no value either."""
    cdef Py_ssize_t k, c
    cdef bint empty = is_empty(table, n)
    for c in range(n):
        for k in range(STATE):
            states[STATE * c + k] = 0.0 if empty else table[k * stride + c]
        if empty:
            states[STATE * c + 6] = EMPTY
            states[STATE * c + 7] = INFINITY
            states[STATE * c + 8] = -INFINITY


cdef void store_states(
    const double* states, Py_ssize_t stride, Py_ssize_t n, double* table
) noexcept nogil:
    cdef Py_ssize_t k, c
    for k in range(STATE):
        for c in range(n):
            table[k * stride + c] = states[STATE * c + k]


cdef bint first_moments(
    const floating* x, Py_ssize_t step, const int64_t* order, Py_ssize_t n, Py_ssize_t n_channels,
    double* table, Py_ssize_t stride, double* pool
) noexcept nogil:
    """Find the statistics of a few samples of a group, of which no value was seen yet.

    They are those that are merged into states elsewhere, to the last bit: eight channels at a time,
    which is three times as fast where groups are of ten samples. What is in the table is zeros.
    Unless ``pool`` is NULL, they are added to its sums over groups; counts of channels that have a
    value of each sample need not be written then.
    """
    cdef const floating* rows[FEW_ROWS]
    cdef F64x8 zero = f64x8_all(0.0), count = f64x8_all(<double> n), share = f64x8_all(1.0 / n)
    cdef F64x8 shift, s1, s2, low, high, v, center, mean, error, moved, m2
    cdef Py_ssize_t k = 0, c, r
    cdef bint infinite = False, are_safe
    for r in range(n):
        rows[r] = x + order[r] * step
    while k < n_channels:
        c = min(k, n_channels - LANES)
        shift = load(rows[0] + c)
        s1 = zero
        for r in range(n):
            s1 = f64x8_add(s1, f64x8_sub(load(rows[r] + c), shift))
        shift = f64x8_add(shift, f64x8_mul(s1, share))
        s1 = s2 = zero
        low = f64x8_all(INFINITY)
        high = f64x8_all(-INFINITY)
        for r in range(n):
            v = load(rows[r] + c)
            low = f64x8_lesser(v, low)
            high = f64x8_greater(v, high)
            v = f64x8_sub(v, shift)
            s1 = f64x8_add(s1, v)
            s2 = f64x8_add(s2, f64x8_mul(v, v))
        center = f64x8_div(s1, count)
        mean = f64x8_add(shift, center)  # as ``add`` has it
        moved = f64x8_sub(mean, shift)
        error = f64x8_add(
            f64x8_sub(shift, f64x8_sub(mean, moved)), f64x8_sub(center, moved)
        )
        moved = f64x8_add(mean, error)
        error = f64x8_sub(error, f64x8_sub(moved, mean))
        mean = f64x8_add(moved, error)
        error = f64x8_sub(error, f64x8_sub(mean, moved))
        m2 = f64x8_greater(f64x8_sub(s2, f64x8_mul(s1, center)), zero)
        f64x8_store_double(table + 2 * stride + c, mean)
        f64x8_store_double(table + 3 * stride + c, error)
        f64x8_store_double(table + 4 * stride + c, m2)
        f64x8_store_double(table + 7 * stride + c, low)
        f64x8_store_double(table + 8 * stride + c, high)
        are_safe = are_in_safe_range(shift, s2)
        if pool == NULL or not are_safe:
            f64x8_store_double(table + c, count)
        if not are_safe:
            infinite |= careful_moments(rows, n, c, shift, s2, table + c, stride)
        if pool != NULL:
            if are_safe:
                add_to_pool(count, mean, error, m2, low, high, pool)
            else:
                add_stored_to_pool(table + c, stride, pool)
            pool += POOL * LANES
        k += LANES
    return infinite


cdef bint careful_moments(
    const floating** rows, Py_ssize_t n, Py_ssize_t channel, F64x8 shift, F64x8 s2, double* table,
    Py_ssize_t stride
) noexcept nogil:
    """Find the statistics of those of eight channels whose sums are not in the safe range."""
    cdef double shifts[LANES]
    cdef double squares[LANES]
    cdef Py_ssize_t i
    cdef bint infinite = False
    f64x8_store_double(shifts, shift)
    f64x8_store_double(squares, s2)
    for i in range(LANES):
        if not in_safe_range(shifts[i], squares[i]):
            infinite |= careful_moments_of_one(rows, n, channel + i, table + i, stride)
    return infinite


cdef bint careful_moments_of_one(
    const floating** rows, Py_ssize_t n, Py_ssize_t channel, double* table, Py_ssize_t stride
) noexcept nogil:
    """Find the statistics of a few values of one channel, whatever they are."""
    cdef double values[FEW_ROWS]
    cdef double state[STATE]
    cdef Py_ssize_t r
    cdef bint infinite
    state[:] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, EMPTY, INFINITY, -INFINITY]
    for r in range(n):
        values[r] = rows[r][channel]
    infinite = merge_slow(values, NULL, n, state)
    store_states(state, stride, 1, table)
    return infinite


cdef bint merge_samples(
    const floating* x, Py_ssize_t n, Py_ssize_t n_channels, Py_ssize_t inner, const double* w,
    double* table, Py_ssize_t stride, double* states
) noexcept nogil:
    """Merge samples of one group, which lie side by side, into its channels."""
    cdef bint infinite
    load_states(table, stride, n_channels, states)
    if inner == 1 or LANES <= inner <= SHORT:
        infinite = channel_moments_of_rows(x, n, n_channels, inner, w, states)
    else:
        infinite = channel_moments_of_runs(x, n, n_channels, inner, w, NULL, states)
    store_states(states, stride, n_channels, table)
    return infinite


cdef bint group_of_samples(
    const floating* x, Py_ssize_t step, Py_ssize_t n_channels, Py_ssize_t inner,
    const int64_t* order, Py_ssize_t n, Py_ssize_t n_known, const double* weight, double* table,
    Py_ssize_t stride, bint fresh, const Buffers* buffers
) noexcept nogil:
    """Merge the samples at n places into the channels of their group.

    Unless there is no pool, what the group has then is added to it.
    """
    cdef Py_ssize_t i, taken, size = n_channels * inner, ahead = buffers.ahead
    cdef floating* samples = <floating*> buffers.samples
    cdef bint infinite = False
    if n <= 0:
        load_states(table, stride, n_channels, buffers.states)
        store_states(buffers.states, stride, n_channels, table)
    elif fresh and inner == 1 and weight == NULL and n <= FEW_ROWS and n_channels >= LANES:
        for i in range(n):
            if ahead and i + ahead < n_known:
                sknorm_prefetch_all(x + order[i + ahead] * step, size * sizeof(floating))
        return first_moments(x, step, order, n, n_channels, table, stride, buffers.pool)
    while n > 0:
        taken = min(buffers.most, n)
        take_ahead(x, step, size, order, taken, samples, n_known)
        if weight != NULL:
            for i in range(taken):
                buffers.weights[i] = weight[order[i]]
        infinite |= merge_samples(
            samples, taken, n_channels, inner, buffers.weights if weight != NULL else NULL,
            table, stride, buffers.states,
        )
        order += taken
        n -= taken
        n_known -= taken
    if buffers.pool != NULL:
        add_group_to_pool(table, n_channels, stride, buffers.pool)
    return infinite


def group_moments(
    const floating[:, :, :] x, const int64_t[::1] order, const int64_t[::1] starts,
    const double[::1] weight, double[:, :, :] table, double[:, ::1] pooled, bint fresh
):
    """Merge samples into the channels of their groups.

    Those of a group are at the places that ``order`` has from one start to the next. Each lies in
    one piece. The rows of the table are those of ``Moments``, each by group and channel, whose
    channels lie side by side; zeros are of no value yet, and there is nothing else where the table
    is ``fresh``. Where ``pooled`` is not None, what the groups have then is merged into it, a state
    per channel: that is for at least as many channels as lanes, without weights. Counts of channels
    that have a value of each sample may be 0 still then, as ``CountedLater`` has them.
    """
    cdef Py_ssize_t g, first, since = 0, until = FIRST_POOLED
    cdef Py_ssize_t n_channels = x.shape[1], inner = x.shape[2]
    cdef Py_ssize_t n_groups = starts.shape[0] - 1
    cdef Py_ssize_t stride = in_values(table.strides[0], sizeof(double))
    cdef Py_ssize_t next_group = in_values(table.strides[1], sizeof(double))
    cdef Py_ssize_t size = n_channels * inner, step = in_values(x.strides[0], sizeof(floating))
    cdef const floating* samples = NULL
    cdef const int64_t* places = NULL
    cdef const double* w = NULL
    cdef double* pool = NULL
    cdef Buffers buffers
    cdef bint infinite = False
    if n_groups < 1 or size == 0:
        return False
    if order.shape[0] > 0:
        samples = &x[0, 0, 0]
        places = &order[0]
        if weight is not None:
            w = &weight[0]
    buffers.ahead = samples_ahead(size)
    buffers.most = max(<Py_ssize_t> 1, CACHED // size)
    buffers.states = <double*> malloc(STATE * n_channels * sizeof(double))
    buffers.weights = <double*> malloc(buffers.most * sizeof(double))
    buffers.samples = malloc(buffers.most * size * sizeof(floating))
    pool = <double*> malloc(POOL * (n_channels + LANES) * sizeof(double))
    try:
        if (
            buffers.states == NULL or buffers.weights == NULL or buffers.samples == NULL
            or pool == NULL
        ):
            raise MemoryError
        with nogil:
            buffers.pool = NULL if pooled is None else pool
            for g in range(n_groups):
                if pooled is not None and g == since:
                    open_pool(&pooled[0, 0], n_channels, pool)
                first = starts[g]
                infinite |= group_of_samples(
                    samples, step, n_channels, inner, places + first, starts[g + 1] - first,
                    order.shape[0] - first, w, &table[0, g, 0], stride, fresh, &buffers,
                )
                if pooled is not None and (g + 1 == until or g + 1 == n_groups):
                    close_pool(
                        &table[0, since, 0], &starts[since], g + 1 - since, n_channels, next_group,
                        stride, pool, &pooled[0, 0],
                    )
                    since = g + 1
                    until = since + POOLED_GROUPS
    finally:
        free(buffers.states)
        free(buffers.weights)
        free(buffers.samples)
        free(pool)
    return infinite
