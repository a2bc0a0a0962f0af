# Whether the parts of CSR and CSC describe an array: nothing is read through them before.

def pointers_rise(const integral[::1] indptr, Py_ssize_t n_stored):
    """Tell whether pointers rise from 0 to the number of stored values."""
    cdef Py_ssize_t j, n = indptr.shape[0] - 1
    cdef bint rises = True
    if n < 0 or indptr[0] != 0 or indptr[n] != n_stored:
        return False
    with nogil:
        for j in range(n):
            rises &= indptr[j] <= indptr[j + 1]
    return rises


def indices_are_below(const integral[::1] indices, Py_ssize_t n_minor):
    """Tell whether indices are in 0 .. n_minor - 1."""
    cdef bint below
    if indices.shape[0] == 0:
        return True
    with nogil:
        below = are_below(&indices[0], indices.shape[0], n_minor)
    return below


def copy_indices(const integral[::1] indices, integral[::1] out, Py_ssize_t n_minor):
    """Copy indices; tell whether they are in 0 .. n_minor - 1.

    Pieces are looked at while they are in the nearest cache.
    """
    cdef Py_ssize_t k = 0, length, n = indices.shape[0]
    cdef bint below = True
    with nogil:
        while k < n:
            length = min(<Py_ssize_t> INDICES, n - k)
            below &= are_below(&indices[k], length, n_minor)
            if n * sizeof(integral) >= STREAM_BYTES:
                sknorm_store_nontemporal(&out[k], &indices[k], length * sizeof(integral))
            else:
                memcpy(&out[k], &indices[k], length * sizeof(integral))
            k += length
        sknorm_store_fence()
    return below


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
