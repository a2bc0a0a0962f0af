# Order statistics: values are counted against bounds, and those between them collected.

cdef extern from "quantiles.h" nogil:
    void sknorm_count_float(
        const float* x, int64_t n, const double* low, const double* high, int64_t* below,
        int64_t* to_low, int64_t* to_high
    )
    void sknorm_count_double(
        const double* x, int64_t n, const double* low, const double* high, int64_t* below,
        int64_t* to_low, int64_t* to_high
    )
    void sknorm_count_float_finite(const float* x, int64_t n, int64_t* finite)
    void sknorm_count_double_finite(const double* x, int64_t n, int64_t* finite)
    void sknorm_count_float_run(
        const float* x, int64_t n, double low, double high, int64_t* below, int64_t* to_low,
        int64_t* to_high
    )
    void sknorm_count_double_run(
        const double* x, int64_t n, double low, double high, int64_t* below, int64_t* to_low,
        int64_t* to_high
    )
    void sknorm_count_float_keep(
        const float* x, int64_t n, const double* low, const double* high, double* near,
        int64_t* filled, int64_t room
    )
    void sknorm_count_double_keep(
        const double* x, int64_t n, const double* low, const double* high, double* near,
        int64_t* filled, int64_t room
    )
    int64_t sknorm_count_float_run_keep(
        const float* x, int64_t n, double low, double high, double* near, int64_t filled,
        int64_t room
    )
    int64_t sknorm_count_double_run_keep(
        const double* x, int64_t n, double low, double high, double* near, int64_t filled,
        int64_t room
    )
    int64_t sknorm_count_float_run_finite(const float* x, int64_t n)
    int64_t sknorm_count_double_run_finite(const double* x, int64_t n)


cdef inline void count_row(
    const floating* x, Py_ssize_t n, const double* low, const double* high, int64_t* counts,
    Py_ssize_t stride
) noexcept nogil:
    if floating is float:
        sknorm_count_float(x, n, low, high, counts, counts + stride, counts + 2 * stride)
    else:
        sknorm_count_double(x, n, low, high, counts, counts + stride, counts + 2 * stride)


cdef inline void count_run(
    const floating* x, Py_ssize_t n, double low, double high, int64_t* counts, Py_ssize_t stride
) noexcept nogil:
    if floating is float:
        sknorm_count_float_run(x, n, low, high, counts, counts + stride, counts + 2 * stride)
    else:
        sknorm_count_double_run(x, n, low, high, counts, counts + stride, counts + 2 * stride)


cdef inline void count_finite(const floating* x, Py_ssize_t n, int64_t* finite) noexcept nogil:
    if floating is float:
        sknorm_count_float_finite(x, n, finite)
    else:
        sknorm_count_double_finite(x, n, finite)


cdef inline int64_t count_run_finite(const floating* x, Py_ssize_t n) noexcept nogil:
    if floating is float:
        return sknorm_count_float_run_finite(x, n)
    else:
        return sknorm_count_double_run_finite(x, n)


cdef inline void keep_row(
    const floating* x, Py_ssize_t n, const double* low, const double* high, double* near,
    int64_t* filled, Py_ssize_t room
) noexcept nogil:
    if floating is float:
        sknorm_count_float_keep(x, n, low, high, near, filled, room)
    else:
        sknorm_count_double_keep(x, n, low, high, near, filled, room)


cdef inline int64_t keep_run(
    const floating* x, Py_ssize_t n, double low, double high, double* near, int64_t filled,
    Py_ssize_t room
) noexcept nogil:
    if floating is float:
        return sknorm_count_float_run_keep(x, n, low, high, near, filled, room)
    else:
        return sknorm_count_double_run_keep(x, n, low, high, near, filled, room)


def collect_near(
    const floating[:, :, ::1] x, Py_ssize_t first, const double[:, ::1] low,
    const double[:, ::1] high, int64_t[:, :, ::1] counts, int64_t[::1] finite,
    double[:, :, ::1] near, int64_t[:, ::1] filled
):
    """Count the values of some channels, from the first on, and collect those between bounds.

    For each target and channel, ``counts`` gains the numbers of values below the lower bound, up
    to it, and up to the upper one; ``near`` the values between both, of which there are
    ``filled``, also where they are more than it has room for. Values that are not finite are left
    out.
    """
    cdef Py_ssize_t o, c, t, i, piece, n = x.shape[2], width = low.shape[1]
    cdef Py_ssize_t room = near.shape[2], stride = counts.shape[2], n_targets = low.shape[0]
    cdef const floating* p
    if x.shape[0] == 0 or width == 0 or n == 0 or n_targets == 0:
        return
    with nogil:
        for o in range(x.shape[0]):
            if n == 1:
                p = &x[o, first, 0]
                count_finite(p, width, &finite[0])
                for t in range(n_targets):
                    count_row(p, width, &low[t, 0], &high[t, 0], &counts[t, 0, 0], stride)
                    keep_row(
                        p, width, &low[t, 0], &high[t, 0], &near[t, 0, 0], &filled[t, 0], room
                    )
                continue
            for c in range(width):
                i = 0
                while i < n:
                    piece = min(<Py_ssize_t> RUN, n - i)
                    p = &x[o, first + c, i]
                    finite[c] += count_run_finite(p, piece)
                    for t in range(n_targets):
                        count_run(p, piece, low[t, c], high[t, c], &counts[t, 0, c], stride)
                        filled[t, c] = keep_run(
                            p, piece, low[t, c], high[t, c], &near[t, c, 0], filled[t, c], room
                        )
                    i += piece
