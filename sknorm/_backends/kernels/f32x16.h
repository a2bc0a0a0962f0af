/* Sixteen float32 values at a time, to find the least and the greatest of them before they become
   float64: in half as many instructions. */

#ifndef SKNORM_SIXTEEN_H
#define SKNORM_SIXTEEN_H

#include "f64x8.h"

#if SKNORM_REGISTER == 8
typedef float sknorm_sixteenth;
#else
typedef float sknorm_sixteenth __attribute__((vector_size(SKNORM_REGISTER)));
#endif
#define SKNORM_SIXTEENTH (sizeof(sknorm_sixteenth) / sizeof(float))
#define SKNORM_EACH_SIXTEENTH for (int k = 0; k < (int)(16 / SKNORM_SIXTEENTH); k++)

typedef struct {
    sknorm_sixteenth part[16 / SKNORM_SIXTEENTH];
} F32x16;

SKNORM_LANES(F32x16, f32x16_all, f32x16_load, SKNORM_EACH_SIXTEENTH, sknorm_sixteenth, float)

/* The first and the last eight as float64. But for AVX-512, loading them once more is faster than
   taking registers apart. */
SKNORM_INLINE F64x8 f32x16_first(F32x16 a, const float *x) {
#if SKNORM_REGISTER == 64
    F64x8 v;
    (void)x;
    v.part[0] = (sknorm_part)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a.part[0]));
    return v;
#else
    (void)a;
    return f64x8_load_float(x);
#endif
}

SKNORM_INLINE F64x8 f32x16_second(F32x16 a, const float *x) {
#if SKNORM_REGISTER == 64
    F64x8 v;
    (void)x;
    v.part[0] = (sknorm_part)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a.part[0], 1));
    return v;
#else
    (void)a;
    return f64x8_load_float(x + 8);
#endif
}

SKNORM_SELECT(F32x16, f32x16_lesser, SKNORM_EACH_SIXTEENTH, sknorm_sixteenth, float, ps, min, <)
SKNORM_SELECT(F32x16, f32x16_greater, SKNORM_EACH_SIXTEENTH, sknorm_sixteenth, float, ps, max, >)

#endif
