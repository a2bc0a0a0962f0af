# What both modules of loops are written in: types, vectors, sizes of blocks, limits.

from libc.math cimport INFINITY, fabs, frexp, hypot, ldexp, sqrt
from libc.float cimport DBL_MIN
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
)
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

ctypedef fused floating:
    float
    double

ctypedef fused integral:
    int32_t
    int64_t

cdef extern from "f64x8.h" nogil:
    enum:
        LANES "SKNORM_F64X8"

    ctypedef struct F64x8:
        pass

    F64x8 f64x8_all(double value)
    F64x8 f64x8_of(
        double a, double b, double c, double d, double e, double f, double g, double h
    )
    F64x8 f64x8_load_double(const double* x)
    F64x8 f64x8_load_float(const float* x)
    void f64x8_store_double(double* x, F64x8 a)
    void f64x8_store_float(float* x, F64x8 a)
    F64x8 f64x8_add(F64x8 a, F64x8 b)
    F64x8 f64x8_sub(F64x8 a, F64x8 b)
    F64x8 f64x8_mul(F64x8 a, F64x8 b)
    F64x8 f64x8_div(F64x8 a, F64x8 b)
    F64x8 f64x8_abs(F64x8 a)
    F64x8 f64x8_max(F64x8 a, F64x8 b)
    F64x8 f64x8_lesser(F64x8 a, F64x8 b)
    F64x8 f64x8_greater(F64x8 a, F64x8 b)
    double f64x8_least_lane(F64x8 a)
    double f64x8_greatest_lane(F64x8 a)
    F64x8 f64x8_last(F64x8 a, Py_ssize_t skipped)
    double f64x8_sum(F64x8 a)
    double f64x8_largest(F64x8 a)
    bint f64x8_all_at_most(F64x8 a, double bound)
    bint f64x8_all_at_least(F64x8 a, double bound)
    void sknorm_store_nontemporal(void* to, const void* source, size_t n)
    void sknorm_store_fence()
    void sknorm_prefetch(const void* x)
    void sknorm_prefetch_lines(const void* x, size_t n_bytes)
    void sknorm_prefetch_all(const void* x, size_t n_bytes)
    double sknorm_scatter(double* fields, double x)
    int sknorm_level()

cdef extern from "f32x16.h" nogil:
    ctypedef struct F32x16:
        pass

    F32x16 f32x16_all(float value)
    F32x16 f32x16_load(const float* x)
    F64x8 f32x16_first(F32x16 a, const float* x)
    F64x8 f32x16_second(F32x16 a, const float* x)
    F32x16 f32x16_lesser(F32x16 a, F32x16 b)
    F32x16 f32x16_greater(F32x16 a, F32x16 b)

cdef extern from "f32x8.h" nogil:
    ctypedef struct F32x8:
        pass

    F32x8 f32x8_all(float value)
    F32x8 f32x8_load(const float* x)
    void f32x8_store(float* x, F32x8 a)
    F32x8 f32x8_add(F32x8 a, F32x8 b)
    F32x8 f32x8_sub(F32x8 a, F32x8 b)
    F32x8 f32x8_mul(F32x8 a, F32x8 b)
    F32x8 f32x8_max_abs(F32x8 a, F32x8 b)
    float f32x8_largest(F32x8 a)
    double f32x8_check(F32x8 a)
    float sknorm_cut(double value)

cdef enum:
    STATE = 9  # numbers in the state of a channel
    ROWS = 1024  # values of a channel in a block of column statistics
    FEW_ROWS = 64  # rows that are summed up plainly
    SHORT_ROW_BYTES = 1280  # of rows that many are walked along at once
    BYTES_AHEAD = 8192  # of rows that are fetched before their turn
    RUN = 2048  # values in a block of contiguous statistics
    CHUNK = 256  # contiguous values that are summed up plainly
    INDICES = 512  # of a sparse array, looked at just before they are used
    TILE = 512  # columns whose accumulators stay in the nearest cache
    RUNS_TILE = 64  # channels whose lanes do
    SHORT = 256  # values in a run that is merged together with those of other samples
    WIDE = 2048  # neighboring vectors whose accumulators do
    CACHED = 65536  # values that stay in the second cache from one pass to the next
    BATCH = 16  # rows whose statistics are found together
    BATCH_VALUES = 2048  # values that stay in the nearest cache while those are found
    BLOCK_BYTES = 524288  # of results in a block
    LONG_RUN = 512  # values that are worth streaming
    STREAM_BYTES = 33554432  # of results that are too many for the caches

cdef enum Status:  # kept equal to ``protocol``
    FINE = 0
    NON_FINITE = 1
    MALFORMED = 2  # an index of a sparse array is out of range
    MISSING = 4  # a value is NaN

cdef enum Norm:
    L1 = 1
    L2 = 2
    MAX = 3

# Kept equal to ``_moments``: a test compares them.
cdef int SAFE_EXPONENT = 350
cdef int EXPONENT_LIMIT = 1020
cdef double EMPTY = -5000.0
cdef double MOST_SAMPLES_IN_BOUND = 10000.0
cdef double MACHINE_EPSILON = 2.220446049250313e-16

cdef double TINY_MEAN = ldexp(1.0, -SAFE_EXPONENT)
cdef double HUGE_MEAN = ldexp(1.0, SAFE_EXPONENT)
cdef double TINY_SQUARE = ldexp(1.0, -600)
cdef double HUGE_SQUARE = ldexp(1.0, 600)
cdef double MIN_NORM = 5e-324
cdef double MAX_NORM = 1.7976931348623157e308
cdef double MIN_TIMES = ldexp(1.0, -100)
cdef double MAX_TIMES = ldexp(1.0, 100)  # beyond it, differences are subnormal floats
cdef double MAX_SHIFT = ldexp(1.0, 100)

include "scalars.pxi"
