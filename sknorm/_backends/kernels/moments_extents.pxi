# The least and the greatest of contiguous values, found as these are read for the first time.

cdef struct Extent:
    # In lanes, which are compared once, at the end.
    F64x8 low
    F64x8 high
    F32x16 low_single  # of float32 values that are taken as they are
    F32x16 high_single
    Py_ssize_t ahead  # bytes from the values to those that are fetched meanwhile


cdef inline Extent no_extent(Py_ssize_t ahead) noexcept nogil:
    cdef Extent extent
    extent.ahead = ahead
    extent.low = f64x8_all(INFINITY)
    extent.high = f64x8_all(-INFINITY)
    extent.low_single = f32x16_all(INFINITY)
    extent.high_single = f32x16_all(-INFINITY)
    return extent


cdef inline double least(Extent* extent) noexcept nogil:
    cdef F64x8 first = f32x16_first(extent.low_single, <float*> &extent.low_single)
    cdef F64x8 second = f32x16_second(extent.low_single, <float*> &extent.low_single)
    return f64x8_least_lane(f64x8_lesser(f64x8_lesser(first, second), extent.low))


cdef inline double greatest(Extent* extent) noexcept nogil:
    cdef F64x8 first = f32x16_first(extent.high_single, <float*> &extent.high_single)
    cdef F64x8 second = f32x16_second(extent.high_single, <float*> &extent.high_single)
    return f64x8_greatest_lane(f64x8_greater(f64x8_greater(first, second), extent.high))


cdef inline void extend(Extent* extent, F64x8 v) noexcept nogil:
    """Take eight values into an extent, but for NaN."""
    extent.low = f64x8_lesser(v, extent.low)
    extent.high = f64x8_greater(v, extent.high)


cdef inline void load_two(
    const floating* x, F64x8* first, F64x8* second, Extent* extent
) noexcept nogil:
    """Load eight values and the next eight, and take them into an extent unless it is NULL."""
    cdef F32x16 singles
    if extent != NULL:
        sknorm_prefetch_lines(
            <const char*> (<size_t> x + extent.ahead), 2 * LANES * sizeof(floating)
        )
    if floating is float:
        if extent != NULL:
            singles = f32x16_load(x)
            extent.low_single = f32x16_lesser(singles, extent.low_single)
            extent.high_single = f32x16_greater(singles, extent.high_single)
            first[0] = f32x16_first(singles, x)
            second[0] = f32x16_second(singles, x)
            return
    first[0] = load(x)
    second[0] = load(x + LANES)
    if extent != NULL:
        extend(extent, first[0])
        extend(extent, second[0])
