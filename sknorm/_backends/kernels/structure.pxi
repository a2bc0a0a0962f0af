# Whether the parts of CSR and CSC describe an array: nothing is read through them before.

cdef extern from "structure.h" nogil:
    uint64_t sknorm_largest_32(const int32_t* x, int64_t n)
    uint64_t sknorm_largest_64(const int64_t* x, int64_t n)


def is_well_formed(const integral[::1] indptr, const integral[::1] indices, Py_ssize_t n_minor):
    """Tell whether pointers rise from 0 to the number of indices, which are below ``n_minor``."""
    cdef Py_ssize_t j, n = indptr.shape[0] - 1
    cdef bint rises = True
    cdef uint64_t largest
    if n < 0 or indptr[0] != 0 or indptr[n] != indices.shape[0]:
        return False
    with nogil:
        for j in range(n):
            rises &= indptr[j] <= indptr[j + 1]
    if not rises:
        return False
    if indices.shape[0] == 0:
        return True
    with nogil:
        if integral is int32_t:
            largest = sknorm_largest_32(&indices[0], indices.shape[0])
        else:
            largest = sknorm_largest_64(&indices[0], indices.shape[0])
    return largest < <uint64_t> n_minor


def is_canonical(const integral[::1] indptr, const integral[::1] indices):
    """Tell whether the indices of each segment, which are well-formed, rise."""
    cdef Py_ssize_t j, k
    cdef bint rises = True
    with nogil:
        for j in range(indptr.shape[0] - 1):
            for k in range(indptr[j] + 1, indptr[j + 1]):
                rises &= indices[k - 1] < indices[k]
            if not rises:
                break
    return rises
