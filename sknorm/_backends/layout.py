"""How arrays of any shape and memory order become what the loops walk over.

Every dense array is seen as a C-contiguous view of three axes, (outer, middle, inner). For
statistics per channel the middle axis is the channel, and the others are reduced; for statistics
per sample the middle axis is reduced. A Fortran-ordered matrix is its C-ordered transpose, so it
needs no loops of its own.

Arrays with no such view, or of another dtype, go through blocks of samples that are converted
one at a time, so that memory stays flat.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
FloatArray = NDArray[np.floating[Any]]

NATIVE = (np.dtype(np.float64), np.dtype(np.float32))
BLOCK_BYTES = 1 << 19


def output_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of results: floats up to 64 bits stay, everything else becomes float64."""
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return dtype.newbyteorder("=")
    return np.dtype(np.float64)


def channel_view(x: AnyArray) -> AnyArray | None:
    """View x as (outer, channel, inner), the channel being axis 1, without a copy if possible."""
    flags = x.flags
    if not flags.aligned:
        return None
    is_matrix = x.ndim == 2
    if flags.c_contiguous and not (is_matrix and x.shape[1] == 1):
        return x[:, :, None] if is_matrix else x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    if is_matrix and flags.f_contiguous:
        return x.T.reshape(1, x.shape[1], x.shape[0])
    return None


def group_view(x: AnyArray, n_groups: int) -> AnyArray | None:
    """View x as (outer, element of the group, inner), outer counting the groups fastest."""
    if not x.flags.aligned:
        return None
    if x.flags.c_contiguous:
        return x.reshape(x.shape[0] * n_groups, math.prod(x.shape[1:]) // n_groups, 1)
    if x.ndim == 2 and x.flags.f_contiguous:
        return x.T.reshape(n_groups, x.shape[1] // n_groups, x.shape[0])
    return None


def sample_blocks(x: AnyArray) -> Iterator[slice]:
    """Yield slices of samples, each of about BLOCK_BYTES as float64."""
    n_values = math.prod(x.shape[1:])
    step = max(1, BLOCK_BYTES // (8 * max(1, n_values)))
    for first in range(0, x.shape[0], step):
        yield slice(first, min(first + step, x.shape[0]))


def as_floats(block: AnyArray) -> FloatArray:
    """Return a contiguous copy of a block as native float32 or float64."""
    dtype = block.dtype if block.dtype in NATIVE else np.dtype(np.float64)
    order: Any = "F" if block.ndim == 2 and block.strides[0] < block.strides[1] else "C"
    with np.errstate(over="ignore"):
        return np.array(block, dtype=dtype, order=order, copy=True)


def is_writable(x: AnyArray) -> bool:
    """Tell whether each value may be overwritten: that of no other one shares its memory.

    Those of sliding windows do.
    """
    if not x.flags.writeable:
        return False
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return True
    reach = x.itemsize
    for stride, size in sorted((abs(s), n) for s, n in zip(x.strides, x.shape, strict=True)):
        if size > 1 and stride < reach:
            return False
        reach += stride * (size - 1)
    return True
