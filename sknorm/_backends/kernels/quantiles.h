/* One pass over values, for the order statistics that lie between bounds. */
#ifndef SKNORM_QUANTILES_H
#define SKNORM_QUANTILES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SKNORM_FINITE(v) ((v) - (v) == 0.0)
#define SKNORM_HITS 512 /* values that are compared before any is kept */

/* Return the place of the first of eight bytes that is 1, and set it to 0. */
static inline int sknorm_first_byte(uint64_t* eight) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    int place = __builtin_ctzll(*eight) / 8;
    *eight &= *eight - 1;
#else
    unsigned char bytes[8];
    int place = 0;
    memcpy(bytes, eight, 8);
    while (!bytes[place]) place++;
    bytes[place] = 0;
    memcpy(eight, bytes, 8);
#endif
    return place;
}

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
        const VALUE* restrict x, int64_t n, const double* restrict low,                        \
        const double* restrict high, double* near, int64_t* filled, int64_t room) {            \
        uint8_t hit[SKNORM_HITS];                                                              \
        uint64_t eight;                                                                        \
        int64_t first, length, k;                                                              \
        for (first = 0; first < n; first += SKNORM_HITS) {                                     \
            length = n - first < SKNORM_HITS ? n - first : SKNORM_HITS;                        \
            memset(hit + (length & ~(int64_t) 7), 0, length & 7 ? 8 : 0);                      \
            for (k = 0; k < length; k++) {                                                     \
                double v = x[first + k];                                                       \
                hit[k] = (low[first + k] < v) & (v < high[first + k]);                         \
            }                                                                                  \
            for (k = 0; k < length; k += 8) {                                                  \
                memcpy(&eight, hit + k, 8);                                                    \
                while (eight) {                                                                \
                    int64_t place = first + k + sknorm_first_byte(&eight);                     \
                    if (filled[place] < room) near[place * room + filled[place]] = x[place];   \
                    filled[place]++;                                                           \
                }                                                                              \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
    static inline int64_t NAME##_run_keep(                                                     \
        const VALUE* restrict x, int64_t n, double low, double high, double* near,             \
        int64_t filled, int64_t room) {                                                        \
        uint8_t hit[SKNORM_HITS];                                                              \
        uint64_t eight;                                                                        \
        int64_t first, length, k;                                                              \
        for (first = 0; first < n; first += SKNORM_HITS) {                                     \
            length = n - first < SKNORM_HITS ? n - first : SKNORM_HITS;                        \
            memset(hit + (length & ~(int64_t) 7), 0, length & 7 ? 8 : 0);                      \
            for (k = 0; k < length; k++) {                                                     \
                double v = x[first + k];                                                       \
                hit[k] = (low < v) & (v < high);                                               \
            }                                                                                  \
            for (k = 0; k < length; k += 8) {                                                  \
                memcpy(&eight, hit + k, 8);                                                    \
                while (eight) {                                                                \
                    int64_t place = first + k + sknorm_first_byte(&eight);                     \
                    if (filled < room) near[filled] = x[place];                                \
                    filled++;                                                                  \
                }                                                                              \
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
