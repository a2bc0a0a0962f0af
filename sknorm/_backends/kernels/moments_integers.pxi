# Statistics of integers, which become float64 a run at a time: that stays in the nearest cache.

ctypedef fused integer:
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t


def integer_moments(const integer[::1] x, const double[::1] weight, double[:, ::1] table):
    """Merge the values of one channel into its state, the only row of the table."""
    cdef double values[RUN]
    cdef Py_ssize_t i = 0, k, length, n = x.shape[0]
    cdef const integer* run
    cdef bint infinite = False
    with nogil:
        while i < n:
            length = min(<Py_ssize_t> RUN, n - i)
            run = &x[i]
            for k in range(length):
                values[k] = <double> run[k]
            infinite |= merge_values(
                values, &weight[i] if weight is not None else NULL, length, &table[0, 0],
                <Py_ssize_t> (<size_t> (run + length) - <size_t> &values[0]),
            )
            i += length
    return infinite
