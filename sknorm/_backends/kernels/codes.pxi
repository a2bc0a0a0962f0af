# How often codes come, and the order that sorts them.

cdef enum:
    CODES_AHEAD = 32  # whose places are fetched before they are written


def count_codes(const int64_t[::1] codes, int64_t[::1] counts):
    """Add up how often each code comes; return False where a code is none of those counted."""
    cdef Py_ssize_t i
    cdef int64_t code, n_codes = counts.shape[0]
    cdef bint fits = True
    with nogil:
        for i in range(codes.shape[0]):
            code = codes[i]
            fits = 0 <= code < n_codes
            if not fits:
                break
            counts[code] += 1
    return fits


def sort_codes(const int64_t[::1] codes, int64_t[::1] starts, int64_t[::1] order):
    """Find the order that sorts codes, equal ones as they come.

    Each code starts at a place that is known, and all end at one more. Return False where codes are
    not as often as that says.
    """
    cdef Py_ssize_t i, n = codes.shape[0], n_codes = starts.shape[0] - 1
    cdef int64_t code, ahead
    cdef bint fits = starts[n_codes] == n == order.shape[0]
    with nogil:
        for i in range(n if fits else 0):
            if i + CODES_AHEAD < n:
                ahead = codes[i + CODES_AHEAD]
                if 0 <= ahead < n_codes:
                    sknorm_prefetch(&order[starts[ahead]])
            code = codes[i]
            fits = 0 <= code < n_codes and 0 <= starts[code] < n
            if not fits:
                break
            order[starts[code]] = i
            starts[code] += 1
        for i in range(n_codes, 0, -1):
            starts[i] = starts[i - 1]
        starts[0] = 0
    return fits
