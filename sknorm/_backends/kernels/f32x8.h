/* Eight float32 values at a time, for results that need no more digits than their own.

   On some processors the way from float32 to float64 and back takes longer than a copy of the
   memory. Parameters come in two parts, of which the second is what the first loses to float32. */

#ifndef SKNORM_SINGLES_H
#define SKNORM_SINGLES_H

#include "f64x8.h"

#if SKNORM_REGISTER == 8
#define SKNORM_SINGLE 4
typedef float sknorm_single;
#else
#define SKNORM_SINGLE (SKNORM_REGISTER > 32 ? 32 : SKNORM_REGISTER)
typedef float sknorm_single __attribute__((vector_size(SKNORM_SINGLE)));
typedef int sknorm_single_bits __attribute__((vector_size(SKNORM_SINGLE)));
#endif
#define SKNORM_EACH_SINGLE for (int k = 0; k < 32 / SKNORM_SINGLE; k++)

typedef struct {
    sknorm_single part[32 / SKNORM_SINGLE];
} F32x8;

SKNORM_LANES(F32x8, f32x8_all, f32x8_load, SKNORM_EACH_SINGLE, sknorm_single, float)

SKNORM_INLINE void f32x8_store(float *x, F32x8 a) {
    SKNORM_EACH_SINGLE {
        sknorm_single part = a.part[k];
        memcpy(x + k * (SKNORM_SINGLE / 4), &part, sizeof part);
    }
}

SKNORM_OPERATION(F32x8, f32x8_add, SKNORM_EACH_SINGLE, +)
SKNORM_OPERATION(F32x8, f32x8_sub, SKNORM_EACH_SINGLE, -)
SKNORM_OPERATION(F32x8, f32x8_mul, SKNORM_EACH_SINGLE, *)

/* The larger of each two magnitudes, by their bits: NaN is larger than infinity. */
SKNORM_INLINE F32x8 f32x8_max_abs(F32x8 a, F32x8 b) {
    SKNORM_EACH_SINGLE {
#if SKNORM_REGISTER == 8
        float x = a.part[k] < 0 ? -a.part[k] : a.part[k];
        float y = b.part[k] < 0 ? -b.part[k] : b.part[k];
        a.part[k] = x <= y || y != y ? y : x;
#else
        sknorm_single_bits x = (sknorm_single_bits)a.part[k] & 0x7fffffff;
        sknorm_single_bits y = (sknorm_single_bits)b.part[k] & 0x7fffffff;
#ifdef __AVX2__
        a.part[k] = (sknorm_single)_mm256_max_epi32((__m256i)x, (__m256i)y);
#else
        sknorm_single_bits larger = x > y;
        a.part[k] = (sknorm_single)((x & larger) | (y & ~larger));
#endif
#endif
    }
    return a;
}

/* The largest lane of those that are not negative, likewise. */
SKNORM_INLINE float f32x8_largest(F32x8 a) {
    float v[8];
    int bits[8], m;
    f32x8_store(v, a);
    memcpy(bits, v, sizeof bits);
    m = bits[0];
    for (int k = 1; k < 8; k++) m = bits[k] > m ? bits[k] : m;
    memcpy(v, &m, sizeof m);
    return v[0];
}

/* 0, or NaN where a lane is NaN. */
SKNORM_INLINE double f32x8_check(F32x8 a) {
    float v[8], sum = 0.0f;
    f32x8_store(v, a);
    for (int k = 0; k < 8; k++) sum += v[k];
    return sum;
}

/* Cut a number off where float32 ends. The rest has its sign, so that -0 times both is still -0. */
SKNORM_INLINE float sknorm_cut(double value) {
    long long bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= ~0x1fffffffLL;
    memcpy(&value, &bits, sizeof bits);
    return (float)value;
}

#endif
