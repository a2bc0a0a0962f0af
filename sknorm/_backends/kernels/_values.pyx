# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, freethreading_compatible=True, embedsignature=False
"""Compiled loops over float32 and float64 values that lie side by side.

Those are all of a dense array, and the stored values of rows of CSR and of columns of CSC.

Every dense array arrives as a C-contiguous view of three axes (``_layout`` makes it): statistics
per channel reduce over the outer two axes ("across"), statistics per sample over the middle one
("within"). Each loop exists for an innermost axis of one element and of many.

A fast loop runs without any test of its values. Only when its sums come out NaN, infinite or
outside a safe range is the run done again by a careful twin, which leaves out NaN, finds infinity
and works in a power-of-two unit in which nothing overflows or underflows.

Functions return True where they found infinity (or NaN where that is not allowed).
"""

include "common.pxi"


def constants():
    """Return what must equal the constants of ``_moments``."""
    return SAFE_EXPONENT, EXPONENT_LIMIT, EMPTY, MOST_SAMPLES_IN_BOUND


def processor_level():
    """Return 4 where the processor has AVX-512, 3 where it has AVX2, else 0."""
    return sknorm_level()


include "float32.pxi"
include "moments_extents.pxi"
include "moments_sums.pxi"
include "moments.pxi"
include "moments_integers.pxi"
include "moments_pooled.pxi"
include "moments_groups.pxi"
include "codes.pxi"
include "bounds.pxi"
include "moments_csc.pxi"
include "affine.pxi"
include "squash.pxi"
include "quantiles.pxi"
include "norms.pxi"
include "norms_strided.pxi"
include "norms_csr.pxi"
include "layers.pxi"
include "layers_strided.pxi"
include "dense.pxi"
