# Statistics of all groups, of those of each: sums over groups, while they are in the cache.

cdef enum:
    POOL = 7  # a shift, sums and extremes over groups, each for some channels
    POOLED_AT_ONCE = 32  # groups whose statistics are in the nearest cache still
    POOLED_GROUPS = 512  # whose sums are merged into those of all


cdef double first_mean(
    const double* table, Py_ssize_t n_groups, Py_ssize_t step, Py_ssize_t stride
) noexcept nogil:
    """Return the mean of the first of some groups that has a value of a channel."""
    cdef Py_ssize_t g
    for g in range(n_groups):
        if table[g * step] > 0.0:
            return table[g * step + 2 * stride]
    return 0.0


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


cdef void add_to_pool(
    const double* table, Py_ssize_t n_groups, Py_ssize_t n_channels, Py_ssize_t step,
    Py_ssize_t stride, double* pool
) noexcept nogil:
    """Add the statistics of a few groups, from one step to the next, to sums over groups.

    Where there is no value so far, those are of deviations from the mean of the first group.
    """
    cdef F64x8 shift, n, s0, s1, s2, low, high, d, unit, other, empty = f64x8_all(EMPTY)
    cdef Py_ssize_t k = 0, c, g, i
    cdef const double* group
    while k < n_channels:
        c = min(k, n_channels - LANES)
        for i in range(LANES):
            if pool[i] == 0.0 and pool[LANES + i] == 0.0:
                pool[i] = first_mean(table + c + i, n_groups, step, stride)
        shift = f64x8_load_double(pool)
        s0 = s1 = s2 = other = f64x8_all(0.0)
        low = f64x8_load_double(pool + 5 * LANES)
        high = f64x8_load_double(pool + 6 * LANES)
        group = table + c
        for g in range(n_groups):
            n = f64x8_load_double(group)
            d = f64x8_sub(f64x8_load_double(group + 2 * stride), shift)
            d = f64x8_add(d, f64x8_load_double(group + 3 * stride))
            s0 = f64x8_add(s0, n)
            n = f64x8_mul(n, d)
            s1 = f64x8_add(s1, n)
            s2 = f64x8_add(
                s2, f64x8_add(f64x8_mul(n, d), f64x8_load_double(group + 4 * stride))
            )
            unit = f64x8_load_double(group + 6 * stride)
            unit = f64x8_mul(unit, f64x8_sub(unit, empty))  # 0 where it is 0 or EMPTY
            other = f64x8_max(other, f64x8_abs(unit))
            low = f64x8_lesser(f64x8_load_double(group + 7 * stride), low)
            high = f64x8_greater(f64x8_load_double(group + 8 * stride), high)
            group += step
        add_vector(pool + LANES, s0)
        add_vector(pool + 2 * LANES, s1)
        add_vector(pool + 3 * LANES, s2)
        add_vector(pool + 4 * LANES, other)
        f64x8_store_double(pool + 5 * LANES, low)
        f64x8_store_double(pool + 6 * LANES, high)
        pool += POOL * LANES
        k += LANES


cdef inline void add_vector(double* sums, F64x8 v) noexcept nogil:
    f64x8_store_double(sums, f64x8_add(f64x8_load_double(sums), v))


cdef void close_pool(
    const double* table, Py_ssize_t n_groups, Py_ssize_t n_channels, Py_ssize_t step,
    Py_ssize_t stride, const double* pool, double* states
) noexcept nogil:
    """Merge sums over groups, whose statistics begin in the table, into states of all groups.

    Where a group has a unit of its own, or the sums left the safe range, groups are merged.
    """
    cdef Py_ssize_t k = 0, c, i, g
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
                merge(
                    state, group[0], 0.0, group[2 * stride], group[3 * stride], group[4 * stride],
                    group[6 * stride],
                )
        pool += POOL * LANES
        k += LANES
