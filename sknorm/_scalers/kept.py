"""What normalizing takes away, kept as last columns of the result."""

from __future__ import annotations

import itertools
from collections.abc import Container
from typing import Any

import numpy as np
from scipy import sparse

from sknorm._compat import array_namespace, as_numpy, is_traced


def free_name(name: str, taken: Container[str]) -> str:
    """Return the name of a kept column: with a number where a feature has that name."""
    numbered = (f"{name}_{k}" for k in itertools.count(1))
    return next(
        candidate for candidate in itertools.chain([name], numbered) if candidate not in taken
    )


def append(result: Any, kept: Any, what: str, parameter: str) -> Any:
    """Return a result with more columns (axis 1), which must not exceed the range of its dtype.

    ``what`` is what one of them is called in the error, and ``parameter`` what asked for it.
    """
    xp = array_namespace(kept)
    with np.errstate(over="ignore"):
        kept = xp.astype(kept, result.dtype, copy=False)
    if not is_traced(kept) and xp.any(xp.isinf(kept)):
        row = int(np.argwhere(np.isinf(as_numpy(kept)))[0][0])
        raise ValueError(
            f"The {what} of row {row} exceeds the largest {result.dtype}, so {parameter}=True "
            f"cannot keep it. Divide X by a constant first, or use {parameter}=False."
        )
    if sparse.issparse(result):
        columns = sparse.csr_array(kept)
        return type(result)(sparse.hstack([result, columns], format=result.format))
    return xp.concat([result, kept], axis=1)
