# Values centered, scaled and drawn into an interval, and the way back.

cdef extern from "squash.h" nogil:
    void sknorm_squash_float_row(
        const float* x, float* out, int64_t n, const double* center, const double* times,
        const double* gamma, const double* beta, const double* power, double bound, int kind,
        int inverse
    )
    void sknorm_squash_double_row(
        const double* x, double* out, int64_t n, const double* center, const double* times,
        const double* gamma, const double* beta, const double* power, double bound, int kind,
        int inverse
    )
    void sknorm_squash_float_run(
        const float* x, float* out, int64_t n, const double* center, const double* times,
        const double* gamma, const double* beta, const double* power, double bound, int kind,
        int inverse
    )
    void sknorm_squash_double_run(
        const double* x, double* out, int64_t n, const double* center, const double* times,
        const double* gamma, const double* beta, const double* power, double bound, int kind,
        int inverse
    )


def squash(
    const floating[:, :, ::1] x, floating[:, :, ::1] out, const double[::1] center,
    const double[::1] times, const double[::1] gamma, const double[::1] beta,
    const double[::1] power, double bound, int kind, bint inverse
):
    """Squash each channel of x into out, which may be x itself. Infinity ends at the bound."""
    cdef Py_ssize_t i, o, c, width, n = x.shape[2], step
    if x.shape[0] == 0 or x.shape[1] == 0 or n == 0:
        return
    step = block_length(sizeof(floating) * x.shape[1] * n)
    with nogil:
        for i in range(x.shape[0]):
            o = reversed_block_index(i, x.shape[0], step)
            c = 0
            while c < x.shape[1]:
                width = x.shape[1] - c if n == 1 else 1
                if floating is float and n == 1:
                    sknorm_squash_float_row(
                        &x[o, c, 0], &out[o, c, 0], width, &center[c], &times[c], &gamma[c],
                        &beta[c], &power[c], bound, kind, inverse,
                    )
                elif floating is float:
                    sknorm_squash_float_run(
                        &x[o, c, 0], &out[o, c, 0], n, &center[c], &times[c], &gamma[c],
                        &beta[c], &power[c], bound, kind, inverse,
                    )
                elif n == 1:
                    sknorm_squash_double_row(
                        &x[o, c, 0], &out[o, c, 0], width, &center[c], &times[c], &gamma[c],
                        &beta[c], &power[c], bound, kind, inverse,
                    )
                else:
                    sknorm_squash_double_run(
                        &x[o, c, 0], &out[o, c, 0], n, &center[c], &times[c], &gamma[c],
                        &beta[c], &power[c], bound, kind, inverse,
                    )
                c += width
