/* One pass over values, for the order statistics that lie between bounds. */
#ifndef SKNORM_QUANTILES_H
#define SKNORM_QUANTILES_H

#include <math.h>
#include <stdint.h>

#define SKNORM_FINITE(v) ((v) - (v) == 0.0)

/* Count neighboring values, each of a channel of its own: those that are finite, those below the
   lower bound, those up to it, and those up to the upper bound. */
#define SKNORM_COUNT_ROW(NAME, VALUE)                                                          \
    static inline void NAME(                                                                   \
        const VALUE* restrict x, int64_t n, const double* restrict low,                        \
        const double* restrict high, int64_t* restrict below, int64_t* restrict to_low,        \
        int64_t* restrict to_high) {                                                           \
        int64_t k;                                                                             \
        for (k = 0; k < n; k++) {                                                              \
            double v = SKNORM_FINITE(x[k]) ? x[k] : NAN;                                       \
            below[k] += v < low[k];                                                            \
            to_low[k] += v <= low[k];                                                          \
            to_high[k] += v <= high[k];                                                        \
        }                                                                                      \
    }                                                                                          \
    static inline void NAME##_finite(                                                          \
        const VALUE* restrict x, int64_t n, int64_t* restrict finite) {                        \
        int64_t k;                                                                             \
        for (k = 0; k < n; k++) {                                                              \
            double v = x[k];                                                                   \
            finite[k] += SKNORM_FINITE(v);                                                     \
        }                                                                                      \
    }                                                                                          \
    /* Keep those between the bounds; where there is no more room, they are only counted. */   \
    static inline void NAME##_keep(                                                            \
        const VALUE* x, int64_t n, const double* low, const double* high, double* near,        \
        int64_t* filled, int64_t room) {                                                       \
        int64_t k;                                                                             \
        for (k = 0; k < n; k++) {                                                              \
            double v = x[k];                                                                   \
            if ((low[k] < v) & (v < high[k])) {                                                   \
                if (filled[k] < room) near[k * room + filled[k]] = v;                          \
                filled[k]++;                                                                   \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
    static inline int64_t NAME##_run_keep(                                                     \
        const VALUE* x, int64_t n, double low, double high, double* near, int64_t filled,      \
        int64_t room) {                                                                        \
        int64_t k;                                                                             \
        for (k = 0; k < n; k++) {                                                              \
            double v = x[k];                                                                   \
            if ((low < v) & (v < high)) {                                                       \
                if (filled < room) near[filled] = v;                                           \
                filled++;                                                                      \
            }                                                                                  \
        }                                                                                      \
        return filled;                                                                         \
    }                                                                                          \
    /* The same for values of one channel. */                                                  \
    static inline void NAME##_run(                                                             \
        const VALUE* restrict x, int64_t n, double low, double high, int64_t* restrict below,  \
        int64_t* restrict to_low, int64_t* restrict to_high) {                                 \
        int64_t k, a = 0, b = 0, c = 0;                                                        \
        for (k = 0; k < n; k++) {                                                              \
            double v = SKNORM_FINITE(x[k]) ? x[k] : NAN;                                       \
            a += v < low;                                                                      \
            b += v <= low;                                                                     \
            c += v <= high;                                                                    \
        }                                                                                      \
        *below += a;                                                                           \
        *to_low += b;                                                                          \
        *to_high += c;                                                                         \
    }                                                                                          \
    static inline int64_t NAME##_run_finite(const VALUE* restrict x, int64_t n) {              \
        int64_t k, a = 0;                                                                      \
        for (k = 0; k < n; k++) {                                                              \
            double v = x[k];                                                                   \
            a += SKNORM_FINITE(v);                                                             \
        }                                                                                      \
        return a;                                                                              \
    }

SKNORM_COUNT_ROW(sknorm_count_float, float)
SKNORM_COUNT_ROW(sknorm_count_double, double)

#endif
