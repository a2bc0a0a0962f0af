/* Values drawn into an interval, in loops that compilers turn into vector instructions. */
#ifndef SKNORM_SQUASH_H
#define SKNORM_SQUASH_H

#include <float.h>
#include <math.h>
#include <stdint.h>

enum { SKNORM_SOFT = 1, SKNORM_TANH = 2, SKNORM_CLIP = 3 };

/* Beyond this the square of a ratio may overflow, and long before it the result is the bound. */
#define SKNORM_FAR 1e150

static inline double sknorm_soft(double z, double bound) {
    double r = z * (1.0 / bound), y = z / sqrt(1.0 + r * r);
    return fabs(r) > SKNORM_FAR ? copysign(bound, z) : y;
}

static inline double sknorm_soft_inverse(double y, double bound) {
    double r = y / bound, rest = (1.0 - r) * (1.0 + r);
    return rest > 0.0 ? y / sqrt(rest) : y == y ? copysign(INFINITY, y) : y;
}

static inline double sknorm_tanh(double z, double bound) { return bound * tanh(z / bound); }

static inline double sknorm_tanh_inverse(double y, double bound) {
    double r = y / bound;
    return fabs(r) < 1.0 ? bound * atanh(r) : y == y ? copysign(INFINITY, y) : y;
}

static inline double sknorm_clip(double z, double bound) {
    return z > bound ? bound : z < -bound ? -bound : z;
}

static inline double sknorm_clip_inverse(double y, double bound) { return y; }

/* Infinity ends at the bound also where all finite values, of a constant channel, become 0. */
#define SKNORM_FORWARD(FUNCTION)                                                               \
    double z = (x[k] * power[c] - center[c]) * times[c];                                       \
    double y = FUNCTION(z, bound);                                                             \
    y = fabs((double) x[k]) > DBL_MAX ? copysign(bound, (double) x[k]) : y;                    \
    out[k] = y * gamma[c] + beta[c];

#define SKNORM_BACKWARD(FUNCTION)                                                              \
    double z = FUNCTION((x[k] - beta[c]) / gamma[c], bound);                                   \
    z = times[c] == 0.0 && z == z ? 0.0 : z / times[c];                                        \
    out[k] = (z + center[c]) / power[c];

/* One value of each channel (STEP 1), or all values of one channel (STEP 0). */
#define SKNORM_SQUASH(NAME, VALUE, BODY, FUNCTION, STEP)                                       \
    static void NAME(                                                                          \
        const VALUE* x, VALUE* out, int64_t n, const double* center, const double* times,      \
        const double* gamma, const double* beta, const double* power, double bound) {          \
        int64_t k;                                                                             \
        _Pragma("GCC ivdep") for (k = 0; k < n; k++) {                                         \
            const int64_t c = STEP * k;                                                        \
            BODY(FUNCTION)                                                                     \
        }                                                                                      \
    }

#define SKNORM_SQUASHES(SUFFIX, VALUE, STEP)                                                   \
    SKNORM_SQUASH(sknorm_soft_##SUFFIX, VALUE, SKNORM_FORWARD, sknorm_soft, STEP)              \
    SKNORM_SQUASH(sknorm_tanh_##SUFFIX, VALUE, SKNORM_FORWARD, sknorm_tanh, STEP)              \
    SKNORM_SQUASH(sknorm_clip_##SUFFIX, VALUE, SKNORM_FORWARD, sknorm_clip, STEP)              \
    SKNORM_SQUASH(sknorm_unsoft_##SUFFIX, VALUE, SKNORM_BACKWARD, sknorm_soft_inverse, STEP)   \
    SKNORM_SQUASH(sknorm_untanh_##SUFFIX, VALUE, SKNORM_BACKWARD, sknorm_tanh_inverse, STEP)   \
    SKNORM_SQUASH(sknorm_unclip_##SUFFIX, VALUE, SKNORM_BACKWARD, sknorm_clip_inverse, STEP)   \
    static void sknorm_squash_##SUFFIX(                                                        \
        const VALUE* x, VALUE* out, int64_t n, const double* center, const double* times,      \
        const double* gamma, const double* beta, const double* power, double bound, int kind,  \
        int inverse) {                                                                         \
        void (*run)(                                                                           \
            const VALUE*, VALUE*, int64_t, const double*, const double*, const double*,        \
            const double*, const double*, double) =                                            \
            kind == SKNORM_SOFT   ? (inverse ? sknorm_unsoft_##SUFFIX : sknorm_soft_##SUFFIX)  \
            : kind == SKNORM_TANH ? (inverse ? sknorm_untanh_##SUFFIX : sknorm_tanh_##SUFFIX)  \
                                  : (inverse ? sknorm_unclip_##SUFFIX : sknorm_clip_##SUFFIX); \
        run(x, out, n, center, times, gamma, beta, power, bound);                              \
    }

SKNORM_SQUASHES(float_row, float, 1)
SKNORM_SQUASHES(double_row, double, 1)
SKNORM_SQUASHES(float_run, float, 0)
SKNORM_SQUASHES(double_run, double, 0)

#endif
