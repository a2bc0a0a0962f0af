# Whether indices of sparse arrays are in range.

cdef extern from "structure.h" nogil:
    uint64_t sknorm_largest_32(const int32_t* x, int64_t n)
    uint64_t sknorm_largest_64(const int64_t* x, int64_t n)


cdef inline bint are_below(
    const integral* indices, Py_ssize_t n, Py_ssize_t n_minor
) noexcept nogil:
    """Tell whether indices are in 0 .. n_minor - 1."""
    if integral is int32_t:
        return n == 0 or sknorm_largest_32(indices, n) < <uint64_t> n_minor
    else:
        return n == 0 or sknorm_largest_64(indices, n) < <uint64_t> n_minor
