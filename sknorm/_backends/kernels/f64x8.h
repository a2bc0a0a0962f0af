/* Eight float64 values at a time, in the registers that the machine has.

   Compilers vectorize the kernels' reductions badly on their own: GCC 12 shuffles whole blocks
   between registers, and is 2 to 4 times slower than this on rows of 50 values. There are always
   eight lanes, whatever the width of a register, so that results do not depend on the machine. */

#ifndef SKNORM_LANES_H
#define SKNORM_LANES_H

#include <stddef.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#endif

#define SKNORM_F64X8 8

#if (defined(__GNUC__) || defined(__clang__)) && !defined(SKNORM_PLAIN)
#define SKNORM_INLINE static inline __attribute__((always_inline, unused))
#if defined(__AVX512F__)
#define SKNORM_REGISTER 64
#elif defined(__AVX__)
#define SKNORM_REGISTER 32
#else
#define SKNORM_REGISTER 16
#endif
#define SKNORM_PARTS (64 / SKNORM_REGISTER)
typedef double sknorm_part __attribute__((vector_size(SKNORM_REGISTER)));
typedef long long sknorm_bits __attribute__((vector_size(SKNORM_REGISTER)));
typedef float sknorm_floats __attribute__((vector_size(SKNORM_REGISTER / 2)));
#else /* Plain loops, for other compilers or to test them: a "register" is one value. */
#define SKNORM_INLINE static __inline
#define SKNORM_REGISTER 8
#define SKNORM_PARTS 8
typedef double sknorm_part;
#endif

typedef struct {
    sknorm_part part[SKNORM_PARTS];
} F64x8;

#define SKNORM_EACH for (int k = 0; k < SKNORM_PARTS; k++)

/* The same value in all lanes, and lanes out of memory, of this type or another. Those are loaded
   one part at a time: copied as a whole, they would take the way through memory. */
#if SKNORM_REGISTER == 8
#define SKNORM_SPREAD(part_type, value) (value)
#else
#define SKNORM_SPREAD(part_type, value) ((value) - (part_type){0})
#endif
#define SKNORM_LANES(type, all, load, each, part_type, value_type)                                 \
    SKNORM_INLINE type all(value_type value) {                                                     \
        type a;                                                                                    \
        each a.part[k] = SKNORM_SPREAD(part_type, value);                                          \
        return a;                                                                                  \
    }                                                                                              \
    SKNORM_INLINE type load(const value_type *x) {                                                 \
        type a;                                                                                    \
        each {                                                                                     \
            part_type part;                                                                        \
            memcpy(&part, x + k * (ptrdiff_t)(sizeof part / sizeof *x), sizeof part);              \
            a.part[k] = part;                                                                      \
        }                                                                                          \
        return a;                                                                                  \
    }

SKNORM_LANES(F64x8, f64x8_all, f64x8_load_double, SKNORM_EACH, sknorm_part, double)

/* Eight values from anywhere, in less instructions than one at a time. */
SKNORM_INLINE F64x8 f64x8_of(double a, double b, double c, double d, double e, double f, double g,
                             double h) {
#if SKNORM_REGISTER == 64
    F64x8 v = {{{a, b, c, d, e, f, g, h}}};
#elif SKNORM_REGISTER == 32
    F64x8 v = {{{a, b, c, d}, {e, f, g, h}}};
#elif SKNORM_REGISTER == 16
    F64x8 v = {{{a, b}, {c, d}, {e, f}, {g, h}}};
#else
    F64x8 v = {{a, b, c, d, e, f, g, h}};
#endif
    return v;
}

/* A part from float32 values, and back. GCC 12 makes four instructions of a conversion of vectors
   that processors have one for, which takes a quarter more of a fit's time. */
#if SKNORM_REGISTER == 64
#define SKNORM_WIDEN(x) (sknorm_part) _mm512_cvtps_pd(_mm256_loadu_ps(x))
#define SKNORM_NARROW(x, a) _mm256_storeu_ps(x, _mm512_cvtpd_ps((__m512d)(a)))
#elif SKNORM_REGISTER == 32
#define SKNORM_WIDEN(x) (sknorm_part) _mm256_cvtps_pd(_mm_loadu_ps(x))
#define SKNORM_NARROW(x, a) _mm_storeu_ps(x, _mm256_cvtpd_ps((__m256d)(a)))
#elif SKNORM_REGISTER == 16 && defined(__SSE2__)
#define SKNORM_WIDEN(x)                                                                            \
    (sknorm_part) _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(x))))
#define SKNORM_NARROW(x, a)                                                                        \
    _mm_storel_epi64((__m128i *)(x), _mm_castps_si128(_mm_cvtpd_ps((__m128d)(a))))
#elif SKNORM_REGISTER == 16
SKNORM_INLINE sknorm_part sknorm_widen(const float *x) {
    sknorm_floats part;
    memcpy(&part, x, sizeof part);
    return __builtin_convertvector(part, sknorm_part);
}

SKNORM_INLINE void sknorm_narrow(float *x, sknorm_part a) {
    sknorm_floats part = __builtin_convertvector(a, sknorm_floats);
    memcpy(x, &part, sizeof part);
}
#define SKNORM_WIDEN(x) sknorm_widen(x)
#define SKNORM_NARROW(x, a) sknorm_narrow(x, a)
#else
#define SKNORM_WIDEN(x) *(x)
#define SKNORM_NARROW(x, a) *(x) = (float)(a)
#endif

SKNORM_INLINE F64x8 f64x8_load_float(const float *x) {
    F64x8 a;
    SKNORM_EACH a.part[k] = SKNORM_WIDEN(x + k * (SKNORM_REGISTER / 8));
    return a;
}

SKNORM_INLINE void f64x8_store_double(double *x, F64x8 a) {
    SKNORM_EACH {
        sknorm_part part = a.part[k];
        memcpy(x + k * (SKNORM_REGISTER / 8), &part, sizeof part);
    }
}

SKNORM_INLINE void f64x8_store_float(float *x, F64x8 a) {
    SKNORM_EACH SKNORM_NARROW(x + k * (SKNORM_REGISTER / 8), a.part[k]);
}

/* An operation on each two lanes, of this type or another. */
#define SKNORM_OPERATION(type, name, each, sign)     \
    SKNORM_INLINE type name(type a, type b) {        \
        each a.part[k] = a.part[k] sign b.part[k];   \
        return a;                                    \
    }

SKNORM_OPERATION(F64x8, f64x8_add, SKNORM_EACH, +)
SKNORM_OPERATION(F64x8, f64x8_sub, SKNORM_EACH, -)
SKNORM_OPERATION(F64x8, f64x8_mul, SKNORM_EACH, *)
SKNORM_OPERATION(F64x8, f64x8_div, SKNORM_EACH, /)

SKNORM_INLINE F64x8 f64x8_abs(F64x8 a) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH a.part[k] = a.part[k] < 0 ? -a.part[k] : a.part[k];
#else
    SKNORM_EACH a.part[k] = (sknorm_part)((sknorm_bits)a.part[k] & 0x7fffffffffffffffLL);
#endif
    return a;
}

/* The larger of each two that are not negative, or of their bits: NaN is larger than infinity. */
SKNORM_INLINE F64x8 f64x8_max(F64x8 a, F64x8 b) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH b.part[k] =
        a.part[k] <= b.part[k] || b.part[k] != b.part[k] ? b.part[k] : a.part[k];
#elif SKNORM_REGISTER == 64
    b.part[0] = (sknorm_part)_mm512_max_epi64((__m512i)a.part[0], (__m512i)b.part[0]);
#else
    SKNORM_EACH {
        sknorm_bits larger = (sknorm_bits)a.part[k] > (sknorm_bits)b.part[k];
        b.part[k] = (sknorm_part)(((sknorm_bits)a.part[k] & larger) |
                                  ((sknorm_bits)b.part[k] & ~larger));
    }
#endif
    return b;
}

/* Without the first lanes, which become 0. */
SKNORM_INLINE F64x8 f64x8_last(F64x8 a, ptrdiff_t skipped) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH a.part[k] = k < skipped ? 0.0 : a.part[k];
#else
    static const long long kept[2 * SKNORM_F64X8] = {0,  0,  0,  0,  0,  0,  0,  0,
                                                     -1, -1, -1, -1, -1, -1, -1, -1};
    SKNORM_EACH {
        sknorm_bits mask;
        memcpy(&mask, kept + SKNORM_F64X8 - skipped + k * (SKNORM_REGISTER / 8), sizeof mask);
        a.part[k] = (sknorm_part)((sknorm_bits)a.part[k] & mask);
    }
#endif
    return a;
}

/* The sum of the lanes, always in the same order: neighbors, then pairs, then halves. */
SKNORM_INLINE double f64x8_sum(F64x8 a) {
#if SKNORM_REGISTER == 64
    __m512d v = (__m512d)a.part[0];
    v = v + _mm512_permute_pd(v, 0x55);
    v = v + _mm512_permutex_pd(v, 0x4e);
    return _mm512_cvtsd_f64(v) + _mm_cvtsd_f64(_mm512_extractf64x2_pd(v, 2));
#else
    double v[SKNORM_F64X8];
    f64x8_store_double(v, a);
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
#endif
}

/* The lesser of each two, and the greater, of this type or another; of equal ones, and beside NaN,
   the second. */
#if SKNORM_REGISTER == 64
#define SKNORM_VECTOR(name) _mm512_##name
typedef __m512d sknorm_pd;
typedef __m512 sknorm_ps;
#elif SKNORM_REGISTER == 32
#define SKNORM_VECTOR(name) _mm256_##name
typedef __m256d sknorm_pd;
typedef __m256 sknorm_ps;
#elif SKNORM_REGISTER == 16 && defined(__SSE2__)
#define SKNORM_VECTOR(name) _mm_##name
typedef __m128d sknorm_pd;
typedef __m128 sknorm_ps;
#endif
#ifdef SKNORM_VECTOR
#define SKNORM_SELECT(type, name, each, part_type, value_type, kind, operation, sign)              \
    SKNORM_INLINE type name(type a, type b) {                                                      \
        each b.part[k] = (part_type)SKNORM_VECTOR(operation##_##kind)(                             \
            (sknorm_##kind)a.part[k], (sknorm_##kind)b.part[k]);                                   \
        return b;                                                                                  \
    }
#else
#define SKNORM_SELECT(type, name, each, part_type, value_type, kind, operation, sign)              \
    SKNORM_INLINE type name(type a, type b) {                                                      \
        value_type *p = (value_type *)&a, *q = (value_type *)&b;                                   \
        for (size_t k = 0; k < sizeof a / sizeof *p; k++) q[k] = p[k] sign q[k] ? p[k] : q[k];     \
        return b;                                                                                  \
    }
#endif
SKNORM_SELECT(F64x8, f64x8_lesser, SKNORM_EACH, sknorm_part, double, pd, min, <)
SKNORM_SELECT(F64x8, f64x8_greater, SKNORM_EACH, sknorm_part, double, pd, max, >)

/* The least and the greatest lane. */
SKNORM_INLINE double f64x8_least_lane(F64x8 a) {
    double v[SKNORM_F64X8], m;
    f64x8_store_double(v, a);
    m = v[0];
    for (int k = 1; k < SKNORM_F64X8; k++) m = v[k] < m ? v[k] : m;
    return m;
}

SKNORM_INLINE double f64x8_greatest_lane(F64x8 a) {
    double v[SKNORM_F64X8], m;
    f64x8_store_double(v, a);
    m = v[0];
    for (int k = 1; k < SKNORM_F64X8; k++) m = v[k] > m ? v[k] : m;
    return m;
}

/* The largest lane, as f64x8_max has it; without branches, which could not be predicted. */
SKNORM_INLINE double f64x8_largest(F64x8 a) {
    double v[SKNORM_F64X8];
    long long bits[SKNORM_F64X8], m;
    f64x8_store_double(v, a);
    memcpy(bits, v, sizeof bits);
    m = bits[0];
    for (int k = 1; k < SKNORM_F64X8; k++) m = bits[k] > m ? bits[k] : m;
    memcpy(v, &m, sizeof m);
    return v[0];
}

/* Whether all lanes are at most, or at least, a bound: NaN is neither. */
#if SKNORM_REGISTER == 64
#define SKNORM_BOUND(name, order, compare)                                                         \
    SKNORM_INLINE int name(F64x8 a, double bound) {                                                \
        return _mm512_cmp_pd_mask((__m512d)a.part[0], _mm512_set1_pd(bound), order) == 0xff;       \
    }
#elif SKNORM_REGISTER == 32
#define SKNORM_BOUND(name, order, compare)                                                         \
    SKNORM_INLINE int name(F64x8 a, double bound) {                                                \
        __m256d b = _mm256_set1_pd(bound);                                                         \
        __m256d first = _mm256_cmp_pd((__m256d)a.part[0], b, order);                               \
        return _mm256_movemask_pd(                                                                 \
                   _mm256_and_pd(first, _mm256_cmp_pd((__m256d)a.part[1], b, order))) == 0xf;      \
    }
#else
#define SKNORM_BOUND(name, order, compare)                                                         \
    SKNORM_INLINE int name(F64x8 a, double bound) {                                                \
        double v[SKNORM_F64X8];                                                                    \
        int holds = 1;                                                                             \
        f64x8_store_double(v, a);                                                                  \
        for (int k = 0; k < SKNORM_F64X8; k++) holds &= v[k] compare bound;                        \
        return holds;                                                                              \
    }
#endif
SKNORM_BOUND(f64x8_all_at_most, _CMP_LE_OQ, <=)
SKNORM_BOUND(f64x8_all_at_least, _CMP_GE_OQ, >=)

/* Begin to load what is read soon. */
SKNORM_INLINE void sknorm_prefetch(const void *x) {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(x);
#else
    (void)x;
#endif
}

/* The same of lines of memory that many bytes are in, and of all that they are in. Compilers drop
   calls that do nothing else, but not what is inlined. */
SKNORM_INLINE void sknorm_prefetch_lines(const void *x, size_t n_bytes) {
    for (size_t k = 0; k < n_bytes; k += 64) sknorm_prefetch((const char *)x + k);
}

SKNORM_INLINE void sknorm_prefetch_all(const void *x, size_t n_bytes) {
    sknorm_prefetch_lines(x, n_bytes);
    sknorm_prefetch((const char *)x + n_bytes - 1);
}

/* Copy past the caches, which saves reading what is overwritten: for results too large to stay in
   a cache. sknorm_store_fence must follow the last copy. */
SKNORM_INLINE void sknorm_store_nontemporal(void *to, const void *from, size_t n) {
#if defined(__SSE2__) || defined(_M_X64)
    char *q = (char *)to;
    const char *p = (const char *)from;
    size_t head = (64 - ((size_t)q & 63)) & 63;
    if (head > n) head = n;
    memcpy(q, p, head);
    for (p += head, q += head, n -= head; n >= 64; p += 64, q += 64, n -= 64) {
#if defined(__AVX512F__)
        _mm512_stream_si512((__m512i *)q, _mm512_loadu_si512(p));
#else
        for (int k = 0; k < 64; k += 16)
            _mm_stream_si128((__m128i *)(q + k), _mm_loadu_si128((const __m128i *)(p + k)));
#endif
    }
    memcpy(q, p, n);
#else
    memcpy(to, from, n);
#endif
}

SKNORM_INLINE void sknorm_store_fence(void) {
#if defined(__SSE2__) || defined(_M_X64)
    _mm_sfence();
#endif
}

/* Add a value to a column's fields, which are the sums of deviations from its shift and of their
   squares, the count, the shift, the least value, and that of the values times -1: both are found
   at once, without branches. Return the count. */
SKNORM_INLINE double sknorm_scatter(double *fields, double x) {
    double d = x - fields[3];
#if SKNORM_REGISTER >= 32
    __m128d both = _mm_xor_pd(_mm_set1_pd(x), _mm_set_pd(-0.0, 0.0));
    _mm_storeu_pd(fields + 4, _mm_min_pd(both, _mm_loadu_pd(fields + 4)));
    __m128d sums = _mm_unpacklo_pd(_mm_set_sd(d), _mm_set_sd(d * d));
    __m256d more = _mm256_insertf128_pd(_mm256_set_pd(0.0, 1.0, 0.0, 0.0), sums, 0);
    more = _mm256_add_pd(_mm256_loadu_pd(fields), more);
    _mm256_storeu_pd(fields, more);
    return _mm_cvtsd_f64(_mm256_extractf128_pd(more, 1));
#else
    if (x < fields[4]) fields[4] = x;
    if (-x < fields[5]) fields[5] = -x;
    fields[0] += d;
    fields[1] += d * d;
    return fields[2] += 1.0;
#endif
}

/* What the running processor can do: 4 for AVX-512, 3 for AVX2 (x86-64-v4 and -v3), else 0. */
SKNORM_INLINE int sknorm_level(void) {
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")))
        return 0;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl")
               ? 4
               : 3;
#else
    return 0;
#endif
}

#endif
