# Statistics of all groups, of those of each: sums over groups, while they are in the cache.

cdef enum:
    POOL = 7  # a shift, sums and extremes over groups, each for some channels
    POOLED_GROUPS = 128  # whose sums are merged into those of all
    FIRST_POOLED = 8  # the same of the first: the mean of one group may be far from that of all


cdef void open_pool(const double* states, Py_ssize_t n_channels, double* pool) noexcept nogil:
    """Begin sums over groups, of deviations from the mean so far.

    For each vector of channels, the last of which may overlap the one before, there are POOL
    vectors of sums in the pool.
    """
    cdef Py_ssize_t k = 0, c, i
    while k < n_channels:
        c = min(k, n_channels - LANES)
        for i in range(LANES):
            pool[i] = start(states + STATE * (c + i))
            pool[LANES + i] = pool[2 * LANES + i] = pool[3 * LANES + i] = 0.0
            pool[4 * LANES + i] = 0.0
            pool[5 * LANES + i] = INFINITY
            pool[6 * LANES + i] = -INFINITY
        pool += POOL * LANES
        k += LANES


cdef inline void add_to_pool(
    F64x8 n, F64x8 mean, F64x8 mean_low, F64x8 m2, F64x8 low, F64x8 high, double* pool
) noexcept nogil:
    """Add the statistics of one group, in no unit of their own, to a vector of sums over groups.

    Where there is no value so far, those are of deviations from the mean of this group.
    """
    cdef F64x8 d
    if not f64x8_all_at_least(f64x8_load_double(pool + LANES), 1.0):
        begin_sums(n, mean, pool)
    d = f64x8_add(f64x8_sub(mean, f64x8_load_double(pool)), mean_low)
    add_vector(pool + LANES, n)
    n = f64x8_mul(n, d)
    add_vector(pool + 2 * LANES, n)
    add_vector(pool + 3 * LANES, f64x8_add(f64x8_mul(n, d), m2))
    f64x8_store_double(pool + 5 * LANES, f64x8_lesser(low, f64x8_load_double(pool + 5 * LANES)))
    f64x8_store_double(pool + 6 * LANES, f64x8_greater(high, f64x8_load_double(pool + 6 * LANES)))


cdef void begin_sums(F64x8 n, F64x8 mean, double* pool) noexcept nogil:
    cdef double counts[LANES]
    cdef double means[LANES]
    cdef Py_ssize_t i
    f64x8_store_double(counts, n)
    f64x8_store_double(means, mean)
    for i in range(LANES):
        if pool[LANES + i] == 0.0 and pool[i] == 0.0 and counts[i] > 0.0:
            pool[i] = means[i]


cdef void add_stored_to_pool(const double* table, Py_ssize_t stride, double* pool) noexcept nogil:
    """Add the statistics that the table has of one group to a vector of sums over groups."""
    cdef F64x8 unit = f64x8_load_double(table + 6 * stride)
    unit = f64x8_abs(f64x8_mul(unit, f64x8_sub(unit, f64x8_all(EMPTY))))  # 0 of 0 and of EMPTY
    add_vector(pool + 4 * LANES, unit)
    add_to_pool(
        f64x8_load_double(table), f64x8_load_double(table + 2 * stride),
        f64x8_load_double(table + 3 * stride), f64x8_load_double(table + 4 * stride),
        f64x8_load_double(table + 7 * stride), f64x8_load_double(table + 8 * stride), pool,
    )


cdef void add_group_to_pool(
    const double* table, Py_ssize_t n_channels, Py_ssize_t stride, double* pool
) noexcept nogil:
    cdef Py_ssize_t k = 0
    while k < n_channels:
        add_stored_to_pool(table + min(k, n_channels - LANES), stride, pool)
        pool += POOL * LANES
        k += LANES


cdef inline void add_vector(double* sums, F64x8 v) noexcept nogil:
    f64x8_store_double(sums, f64x8_add(f64x8_load_double(sums), v))


cdef void close_pool(
    const double* table, const int64_t* starts, Py_ssize_t n_groups, Py_ssize_t n_channels,
    Py_ssize_t step, Py_ssize_t stride, const double* pool, double* states
) noexcept nogil:
    """Merge sums over groups, whose statistics begin in the table, into states of all groups.

    Where a group has a unit of its own, or the sums left the safe range, groups are merged. Their
    counts are their sizes where they are 0 in spite of a value.
    """
    cdef Py_ssize_t k = 0, c, i, g
    cdef double count
    cdef const double* group
    cdef double* state
    while k < n_channels:
        c = min(k, n_channels - LANES)
        for i in range(k - c, LANES):
            state = states + STATE * (c + i)
            widen(state, pool[5 * LANES + i], pool[6 * LANES + i])
            if (
                pool[4 * LANES + i] == 0.0 and is_scaled(state)
                and in_safe_range(pool[i], pool[3 * LANES + i])
            ):
                if pool[LANES + i] > 0.0:
                    merge_sums(
                        state, pool[LANES + i], 0.0, pool[i], pool[2 * LANES + i],
                        pool[3 * LANES + i],
                    )
                continue
            for g in range(n_groups):
                group = table + g * step + c + i
                count = group[0]
                if count == 0.0 and group[7 * stride] <= group[8 * stride]:
                    count = <double> (starts[g + 1] - starts[g])
                merge(
                    state, count, 0.0, group[2 * stride], group[3 * stride], group[4 * stride],
                    group[6 * stride],
                )
        pool += POOL * LANES
        k += LANES
