# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, freethreading_compatible=True, embedsignature=False
"""Compiled loops over the indices of CSR and CSC arrays, whose values are float32 or float64.

What they read is scattered, or a few values at a time, which wide vectors do not hasten.
"""

include "common.pxi"
include "float32.pxi"
include "bounds.pxi"
include "structure.pxi"
include "moments_extents.pxi"
include "moments_sums.pxi"
include "moments.pxi"
include "moments_csr.pxi"
include "affine.pxi"
include "affine_sparse.pxi"
include "norms.pxi"
include "norms_csc.pxi"
include "layers.pxi"
include "layers_sparse.pxi"
