# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, freethreading_compatible=True, embedsignature=False
"""Compiled loops over NumPy arrays and CSR/CSC arrays of native float32 and float64.

Every dense array arrives as a C-contiguous view of three axes (``_layout`` makes it): statistics
per channel reduce over the outer two axes ("across"), statistics per sample over the middle one
("within"). Each loop exists for an innermost axis of one element and of many.

A fast loop runs without any test of its values. Only when its sums come out NaN, infinite or
outside a safe range is the run done again by a careful twin, which leaves out NaN, finds infinity
and works in a power-of-two unit in which nothing overflows or underflows.

Functions return True where they found infinity (or NaN where that is not allowed).
"""

from libc.math cimport INFINITY, fabs, frexp, hypot, ldexp, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

ctypedef fused floating:
    float
    double

ctypedef fused integral:
    int32_t
    int64_t

cdef extern from "_loops/lanes.h" nogil:
    enum:
        LANES "SKNORM_LANES"

    ctypedef struct Lanes:
        pass

    Lanes lanes_all(double value)
    Lanes lanes_of(
        double a, double b, double c, double d, double e, double f, double g, double h
    )
    Lanes lanes_load_double(const double* x)
    Lanes lanes_load_float(const float* x)
    void lanes_store_double(double* x, Lanes a)
    void lanes_store_float(float* x, Lanes a)
    Lanes lanes_add(Lanes a, Lanes b)
    Lanes lanes_sub(Lanes a, Lanes b)
    Lanes lanes_mul(Lanes a, Lanes b)
    Lanes lanes_div(Lanes a, Lanes b)
    Lanes lanes_abs(Lanes a)
    Lanes lanes_max(Lanes a, Lanes b)
    Lanes lanes_last(Lanes a, Py_ssize_t skipped)
    double lanes_sum(Lanes a)
    double lanes_largest(Lanes a)
    void sknorm_stream(void* to, const void* source, size_t n)
    void sknorm_streamed()
    double sknorm_scatter(double* fields, double x)
    int sknorm_level()

cdef extern from "_loops/singles.h" nogil:
    ctypedef struct Singles:
        pass

    Singles singles_all(float value)
    Singles singles_load(const float* x)
    void singles_store(float* x, Singles a)
    Singles singles_add(Singles a, Singles b)
    Singles singles_sub(Singles a, Singles b)
    Singles singles_mul(Singles a, Singles b)
    Singles singles_max_abs(Singles a, Singles b)
    float singles_largest(Singles a)
    double singles_check(Singles a)
    float sknorm_cut(double value)

cdef enum:
    ROWS = 1024  # values of a channel in a block of column statistics
    FEW_ROWS = 64  # rows that are summed up plainly
    RUN = 2048  # values in a block of contiguous statistics
    CHUNK = 256  # contiguous values that are summed up plainly
    TILE = 512  # columns whose accumulators stay in the nearest cache
    RUNS_TILE = 64  # channels whose lanes do
    SHORT = 256  # values in a run that is merged together with those of other samples
    WIDE = 2048  # neighbouring vectors whose accumulators do
    CACHED = 65536  # values that stay in the second cache from one pass to the next
    BATCH = 16  # rows whose statistics are found together
    BATCH_VALUES = 2048  # values that stay in the nearest cache while those are found
    BLOCK_BYTES = 524288  # of results in a block
    LONG_RUN = 512  # values that are worth streaming
    STREAM_BYTES = 33554432  # of results that are too many for the caches

cdef enum Norm:
    L1 = 1
    L2 = 2
    MAX = 3

# Kept equal to ``_moments``: a test compares them.
cdef int TAME = 350
cdef int EXPONENT_LIMIT = 1020
cdef double NEUTRAL = -5000.0
cdef double MOST_SAMPLES_IN_BOUND = 10000.0
cdef double MACHINE_EPSILON = 2.220446049250313e-16

cdef double TINY_MEAN = ldexp(1.0, -TAME)
cdef double HUGE_MEAN = ldexp(1.0, TAME)
cdef double TINY_SQUARE = ldexp(1.0, -600)
cdef double HUGE_SQUARE = ldexp(1.0, 600)
cdef double MIN_NORM = 5e-324
cdef double MAX_NORM = 1.7976931348623157e308
cdef double MIN_TIMES = ldexp(1.0, -100)
cdef double MAX_TIMES = ldexp(1.0, 126)
cdef double MAX_SHIFT = ldexp(1.0, 100)


def constants():
    """Return what must equal the constants of ``_moments``."""
    return TAME, EXPONENT_LIMIT, NEUTRAL, MOST_SAMPLES_IN_BOUND


def processor_level():
    """Return 4 where the processor has AVX-512, 3 where it has AVX2, else 0."""
    return sknorm_level()


include "_loops/scalars.pxi"
include "_loops/singles.pxi"
include "_loops/sums.pxi"
include "_loops/columns.pxi"
include "_loops/compressed.pxi"
include "_loops/rescale.pxi"
include "_loops/rescale_sparse.pxi"
include "_loops/norms.pxi"
include "_loops/norms_lanes.pxi"
include "_loops/norms_sparse.pxi"
include "_loops/layers.pxi"
include "_loops/layers_lanes.pxi"
include "_loops/layers_sparse.pxi"
