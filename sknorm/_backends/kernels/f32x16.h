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
#define SKNORM_EACH_SIXTEENTH for (size_t k = 0; k < 16 / SKNORM_SIXTEENTH; k++)

typedef struct {
    sknorm_sixteenth part[16 / SKNORM_SIXTEENTH];
} F32x16;

SKNORM_INLINE F32x16 f32x16_load(const float *x) {
    F32x16 a;
    SKNORM_EACH_SIXTEENTH {
        sknorm_sixteenth part;
        memcpy(&part, x + k * SKNORM_SIXTEENTH, sizeof part);
        a.part[k] = part;
    }
    return a;
}

SKNORM_INLINE F32x16 f32x16_all(float value) {
    F32x16 a;
#if SKNORM_REGISTER == 8
    SKNORM_EACH_SIXTEENTH a.part[k] = value;
#else
    SKNORM_EACH_SIXTEENTH a.part[k] = value - (sknorm_sixteenth){0};
#endif
    return a;
}

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

/* The lesser of each two, and the greater; of equal ones, and beside NaN, the second. */
#if SKNORM_REGISTER == 64
#define SKNORM_SELECT_PS(intrinsic) _mm512_##intrinsic##_ps((__m512)a.part[k], (__m512)b.part[k])
#elif SKNORM_REGISTER == 32
#define SKNORM_SELECT_PS(intrinsic) _mm256_##intrinsic##_ps((__m256)a.part[k], (__m256)b.part[k])
#elif SKNORM_REGISTER == 16 && defined(__SSE2__)
#define SKNORM_SELECT_PS(intrinsic) _mm_##intrinsic##_ps((__m128)a.part[k], (__m128)b.part[k])
#endif
#ifdef SKNORM_SELECT_PS
#define SKNORM_SELECT_16(name, intrinsic, compare)                                                 \
    SKNORM_INLINE F32x16 name(F32x16 a, F32x16 b) {                                                \
        SKNORM_EACH_SIXTEENTH b.part[k] = (sknorm_sixteenth)SKNORM_SELECT_PS(intrinsic);           \
        return b;                                                                                  \
    }
#else
#define SKNORM_SELECT_16(name, intrinsic, compare)                                                 \
    SKNORM_INLINE F32x16 name(F32x16 a, F32x16 b) {                                                \
        float *p = (float *)&a, *q = (float *)&b;                                                  \
        for (int k = 0; k < 16; k++) q[k] = p[k] compare q[k] ? p[k] : q[k];                       \
        return b;                                                                                  \
    }
#endif
SKNORM_SELECT_16(f32x16_lesser, min, <)
SKNORM_SELECT_16(f32x16_greater, max, >)

#endif
