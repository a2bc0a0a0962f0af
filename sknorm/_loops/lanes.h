/* Eight float64 values at a time, in the registers that the machine has.

   Compilers vectorize the kernels' reductions badly on their own: GCC 12 shuffles whole blocks
   between registers, and is 2 to 4 times slower than this on rows of 50 values. There are always
   eight lanes, whatever the width of a register, so that results do not depend on the machine. */

#ifndef SKNORM_LANES_H
#define SKNORM_LANES_H

#include <string.h>

#define SKNORM_LANES 8

#if defined(__GNUC__) || defined(__clang__)
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
#else /* Plain loops: a "register" is one value. */
#define SKNORM_INLINE static __inline
#define SKNORM_REGISTER 8
#define SKNORM_PARTS 8
typedef double sknorm_part;
#endif

typedef struct {
    sknorm_part part[SKNORM_PARTS];
} Lanes;

#define SKNORM_EACH for (int k = 0; k < SKNORM_PARTS; k++)

SKNORM_INLINE Lanes lanes_all(double value) {
    Lanes a;
#if SKNORM_REGISTER == 8
    SKNORM_EACH a.part[k] = value;
#else
    SKNORM_EACH a.part[k] = value - (sknorm_part){0};
#endif
    return a;
}

/* One part at a time: copied as a whole, the lanes would take the way through memory. */
SKNORM_INLINE Lanes lanes_load_double(const double *x) {
    Lanes a;
    SKNORM_EACH {
        sknorm_part part;
        memcpy(&part, x + k * (SKNORM_REGISTER / 8), sizeof part);
        a.part[k] = part;
    }
    return a;
}

SKNORM_INLINE Lanes lanes_load_float(const float *x) {
    Lanes a;
#if SKNORM_REGISTER == 8
    SKNORM_EACH a.part[k] = x[k];
#else
    SKNORM_EACH {
        sknorm_floats part;
        memcpy(&part, x + k * (SKNORM_REGISTER / 8), sizeof part);
        a.part[k] = __builtin_convertvector(part, sknorm_part);
    }
#endif
    return a;
}

SKNORM_INLINE void lanes_store_double(double *x, Lanes a) {
    SKNORM_EACH {
        sknorm_part part = a.part[k];
        memcpy(x + k * (SKNORM_REGISTER / 8), &part, sizeof part);
    }
}

SKNORM_INLINE void lanes_store_float(float *x, Lanes a) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH x[k] = (float)a.part[k];
#else
    SKNORM_EACH {
        sknorm_floats part = __builtin_convertvector(a.part[k], sknorm_floats);
        memcpy(x + k * (SKNORM_REGISTER / 8), &part, sizeof part);
    }
#endif
}

/* Ask for memory that will be needed soon; harmless anywhere. */
SKNORM_INLINE void lanes_prefetch(const void *x) {
#if SKNORM_REGISTER == 8
    (void)x;
#else
    __builtin_prefetch(x);
#endif
}

SKNORM_INLINE Lanes lanes_add(Lanes a, Lanes b) {
    SKNORM_EACH a.part[k] = a.part[k] + b.part[k];
    return a;
}

SKNORM_INLINE Lanes lanes_sub(Lanes a, Lanes b) {
    SKNORM_EACH a.part[k] = a.part[k] - b.part[k];
    return a;
}

SKNORM_INLINE Lanes lanes_mul(Lanes a, Lanes b) {
    SKNORM_EACH a.part[k] = a.part[k] * b.part[k];
    return a;
}

SKNORM_INLINE Lanes lanes_div(Lanes a, Lanes b) {
    SKNORM_EACH a.part[k] = a.part[k] / b.part[k];
    return a;
}

SKNORM_INLINE Lanes lanes_abs(Lanes a) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH a.part[k] = a.part[k] < 0 ? -a.part[k] : a.part[k];
#else
    SKNORM_EACH a.part[k] = (sknorm_part)((sknorm_bits)a.part[k] & 0x7fffffffffffffffLL);
#endif
    return a;
}

/* The larger of each two; b where one of them is NaN. */
SKNORM_INLINE Lanes lanes_max(Lanes a, Lanes b) {
#if SKNORM_REGISTER == 8
    SKNORM_EACH b.part[k] = a.part[k] > b.part[k] ? a.part[k] : b.part[k];
#else
    SKNORM_EACH {
        sknorm_bits larger = a.part[k] > b.part[k];
        b.part[k] = (sknorm_part)(((sknorm_bits)a.part[k] & larger) |
                                  ((sknorm_bits)b.part[k] & ~larger));
    }
#endif
    return b;
}

/* The sum of the lanes, always in the same order. */
SKNORM_INLINE double lanes_sum(Lanes a) {
    double v[SKNORM_LANES];
    lanes_store_double(v, a);
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

SKNORM_INLINE double lanes_largest(Lanes a) {
    double v[SKNORM_LANES], m;
    lanes_store_double(v, a);
    m = v[0];
    for (int k = 1; k < SKNORM_LANES; k++) m = v[k] > m ? v[k] : m;
    return m;
}

/* Add a value to a column's four fields, which are its shift, the sums of deviations from it and of
   their squares, and the count. */
SKNORM_INLINE void sknorm_scatter(double *fields, double x) {
    double d = x - fields[0];
#if SKNORM_REGISTER >= 32
    typedef double four __attribute__((vector_size(32)));
    four sum;
    memcpy(&sum, fields, sizeof sum);
    sum += (four){0.0, d, d * d, 1.0};
    memcpy(fields, &sum, sizeof sum);
#else
    fields[1] += d;
    fields[2] += d * d;
    fields[3] += 1.0;
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
