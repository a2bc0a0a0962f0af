"""Sparse arrays as the loops need them: checked, in plain containers, of native contiguous parts.

scipy checks the parts of a sparse array when it is made, and trusts them from then on: parts that
were assigned, edited in place or unpickled may point anywhere, and compiled loops, scipy's as well
as ours, then read and write outside of them. So each array is checked before anything else.
"""

from __future__ import annotations

from copy import copy
from enum import Enum
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends.layout import NATIVE
from sknorm._backends.protocol import Kernels

AnyArray = NDArray[Any]


class Indices(Enum):
    """When the indices of a sparse array are checked: it takes a pass over them.

    ``NOW`` before anything else; ``COPY`` as they are copied, for a result that needs its own;
    ``LATER`` by a loop that reads them, just before it uses them.
    """

    NOW = "now"
    COPY = "copy"
    LATER = "later"

    @classmethod
    def of(cls, copy: bool) -> Indices:
        """Return when they are checked for a result that is a copy, or in place."""
        return cls.COPY if copy else cls.NOW


PLAIN = (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix)
INDEX = (np.dtype(np.int32), np.dtype(np.int64))


def plain(x: Any, kernels: Kernels, indices: Indices) -> Any:
    """Return a sparse array as CSR or CSC of scipy's own, with parts that are right.

    It is x itself where that is one already. Else it shares the stored values, if their dtype and
    layout allow that. With ``Indices.COPY`` the other parts are its own.
    """
    if x.ndim != 2:
        raise ValueError(
            f"X is a sparse array of {x.ndim} dimensions, but only those of 2 are taken. Reshape "
            "it, or pass X.toarray()."
        )
    if x.format not in ("csr", "csc"):
        x = _converted(x, kernels)
    if type(x) not in PLAIN or not _is_ready(x):
        x = _rebuilt(x)
    n_major, n_minor = _major_and_minor(x)
    if x.indptr.size != n_major + 1 or not kernels.pointers_rise(x.indptr, x.indices.size):
        describe(x)
    if indices is Indices.COPY:
        return _with_own_indices(x, n_minor, kernels)
    if indices is Indices.NOW and not kernels.indices_are_below(x.indices, n_minor):
        describe(x)
    return x


def describe(x: Any) -> NoReturn:
    """Raise an error that says what is wrong with a CSR or CSC array, and where."""
    _describe(x.indptr, x.indices, x.data.size, *_major_and_minor(x))


def _with_own_indices(x: Any, n_minor: int, kernels: Kernels) -> Any:
    """Return the array with checked copies of its indices and pointers."""
    result = copy(x)
    result.indices, result.indptr = np.empty_like(x.indices), x.indptr.copy()
    if not kernels.copy_indices(x.indices, result.indices, n_minor):
        describe(x)
    return result


def without_duplicates(x: Any, kernels: Kernels) -> Any:
    """Return a sparse array in which each element is stored at most once, indices sorted.

    It has been through :func:`plain`. It is x itself where that is so already, else a copy. Its
    indices are checked before they are sorted, so that errors name the place in x.
    """
    if x.has_canonical_format:
        return x
    if not kernels.indices_are_below(x.indices, _major_and_minor(x)[1]):
        describe(x)
    x = x.copy()
    x.sum_duplicates()
    return x


def _is_ready(x: Any) -> bool:
    """Tell whether the parts are arrays that the loops can take, of lengths that fit."""
    data, indices, indptr = x.data, x.indices, x.indptr
    return (
        type(data) is type(indices) is type(indptr) is np.ndarray
        and data.ndim == indices.ndim == indptr.ndim == 1
        and indices.dtype in INDEX
        and indices.dtype == indptr.dtype
        and data.dtype in NATIVE
        and data.size == indices.size
        and indptr.size > 0
        and data.size == indptr[-1]
        and all(part.flags.c_contiguous and part.flags.aligned for part in (data, indices, indptr))
    )


def _major_and_minor(x: Any) -> tuple[int, int]:
    n_rows, n_columns = x.shape
    return (n_rows, n_columns) if x.format == "csr" else (n_columns, n_rows)


def _rebuilt(x: Any) -> Any:
    """Return a plain container of native, contiguous parts; integers stay as they are."""
    shape = getattr(x, "shape", None)
    if not (isinstance(shape, tuple) and all(isinstance(n, (int, np.integer)) for n in shape)):
        _refuse(f"its shape is {shape!r}")
    data, indices, indptr = (_part(x, name) for name in ("data", "indices", "indptr"))
    _check_index_dtypes(indices, indptr)
    if data.dtype.byteorder not in "=|":
        data = data.astype(data.dtype.newbyteorder("="))
    wide = np.result_type(indices.dtype.newbyteorder("="), indptr.dtype.newbyteorder("="), np.int32)
    index = wide if wide in INDEX else np.dtype(np.int64)
    indices, indptr = (np.require(part, index, ["C", "A"]) for part in (indices, indptr))
    data = np.require(data, requirements=["C", "A"])
    if not np.may_share_memory(data, x.data):
        indices, indptr = (np.array(part) for part in (indices, indptr))
    x_format, is_matrix = x.format, isinstance(x, sparse.spmatrix)
    n_major, n_minor = shape if x_format == "csr" else shape[::-1]
    if n_major < 0 or n_minor < 0 or indptr.size != n_major + 1 or indptr[-1] > data.size:
        _describe(indptr, indices, data.size, n_major, n_minor)
    if indptr[-1] < 0 or indptr[-1] > indices.size:
        _describe(indptr, indices, data.size, n_major, n_minor)
    kind = getattr(sparse, f"{x_format}_{'matrix' if is_matrix else 'array'}")
    result = kind(shape, dtype=np.float64)
    n_stored = int(indptr[-1])
    result.data, result.indices, result.indptr = data[:n_stored], indices[:n_stored], indptr
    return result


def _check_index_dtypes(indices: AnyArray, indptr: AnyArray) -> None:
    for name, part in (("indices", indices), ("indptr", indptr)):
        if part.dtype.kind not in "iu":
            _refuse(f"{name} has dtype {part.dtype}, not an integer one")


def _part(x: Any, name: str) -> AnyArray:
    """Return data, indices or indptr as a plain array of one axis."""
    part = getattr(x, name, None)
    if not isinstance(part, np.ndarray):
        _refuse(f"its {name} is a {type(part).__name__}, not an array")
    if part.ndim != 1:
        _refuse(f"its {name} has {part.ndim} axes, not one")
    return np.asarray(part)


def _converted(x: Any, kernels: Kernels) -> Any:
    """Return another format as CSR, made from parts that were checked."""
    try:
        if x.format == "bsr":
            _check_blocks(x, kernels)
            return x.tocsr()
        if x.format == "dia":
            return type(x)((x.data, x.offsets), shape=x.shape).tocsr()
        if x.format == "lil":
            _check_lists(x)
        coordinates = x if x.format == "coo" else x.tocoo()
        kind = sparse.coo_matrix if isinstance(x, sparse.spmatrix) else sparse.coo_array
        pairs = tuple(np.array(part) for part in coordinates.coords)
        return kind((np.array(coordinates.data), pairs), shape=x.shape).tocsr()
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"X is not a well-formed {x.format} array: {error}.") from error


def _check_blocks(x: Any, kernels: Kernels) -> None:
    """Refuse a BSR array whose blocks are not those of its shape, or do not point into it."""
    data, indices, indptr = x.data, *(_part(x, name) for name in ("indices", "indptr"))
    if not isinstance(data, np.ndarray) or data.ndim != 3:
        raise ValueError("its data are not blocks of two axes")
    (n_rows, n_columns), (_, height, width) = x.shape, data.shape
    if not height or not width or n_rows % height or n_columns % width:
        raise ValueError(f"blocks of {height} x {width} do not divide its shape {x.shape}")
    _check_index_dtypes(indices, indptr)
    indices, indptr = (np.array(part, dtype=np.int64) for part in (indices, indptr))
    n_major, n_minor = n_rows // height, n_columns // width
    fits = indptr.size == n_major + 1 and 0 <= indptr[-1] <= min(data.shape[0], indices.size)
    if fits and kernels.pointers_rise(indptr, indptr[-1]):
        if kernels.indices_are_below(indices[: indptr[-1]], n_minor):
            return
        indices = indices[: indptr[-1]]
    _describe(indptr, indices, data.shape[0], n_major, n_minor)


def _check_lists(x: Any) -> None:
    """Refuse rows of a LIL array whose columns and values differ in number."""
    if len(x.rows) != x.shape[0] or len(x.data) != x.shape[0]:
        raise ValueError(f"it has {len(x.rows)} rows, and its shape is {x.shape}")
    for row, (columns, values) in enumerate(zip(x.rows, x.data, strict=True)):
        if len(columns) != len(values):
            raise ValueError(f"row {row} has {len(columns)} columns and {len(values)} values")


def _describe(
    indptr: AnyArray, indices: AnyArray, n_values: int, n_major: int, n_minor: int
) -> NoReturn:
    """Raise an error that says what is wrong with the parts, and where."""
    if n_major < 0 or n_minor < 0:
        _refuse(f"its shape has a negative length: {n_major}, {n_minor}")
    if indptr.size != n_major + 1:
        _refuse(f"indptr has {indptr.size} entries, and its shape needs {n_major + 1}")
    if indptr[0] != 0:
        _refuse(f"indptr starts at {indptr[0]}, not at 0")
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if falls.size:
        k = int(falls[0])
        _refuse(f"indptr falls from {indptr[k]} to {indptr[k + 1]} at position {k + 1}")
    for name, size in (("indices", indices.size), ("data", n_values)):
        if indptr[-1] > size:
            _refuse(f"indptr ends at {indptr[-1]}, but {name} has {size} entries")
    bad = np.flatnonzero((indices < 0) | (indices >= n_minor))
    k = int(bad[0]) if bad.size else 0
    _refuse(f"indices[{k}] is {indices[k]}, which is not in 0 .. {n_minor - 1}")


def _refuse(what: str) -> NoReturn:
    raise ValueError(
        f"X is not a well-formed sparse array: {what}. Its parts were changed after it was made; "
        "build it anew from right ones."
    )
