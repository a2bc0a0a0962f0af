"""Types of the compiled loops; see ``_kernels.pyx``."""

from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def processor_level() -> int: ...
def constants() -> tuple[int, int, float, float]: ...
def is_well_formed(indptr: _Array, indices: _Array, n_minor: int) -> bool: ...
def is_canonical(indptr: _Array, indices: _Array) -> bool: ...
def channel_moments(
    x: _Array, weight: _Array | None, weight_is_inner: bool, table: _Array
) -> bool: ...
def csc_moments(
    data: _Array, indices: _Array, indptr: _Array, weight: _Array | None, table: _Array
) -> bool: ...
def csr_moments(
    data: _Array, indices: _Array, indptr: _Array, weight: _Array | None, table: _Array
) -> bool: ...
def affine(
    x: _Array,
    out: _Array,
    shift: _Array,
    scale: _Array,
    gamma: _Array | None,
    beta: _Array | None,
    power: _Array | None,
    parts: _Array | None,
    inverse: bool,
    multiply: bool,
) -> bool: ...
def split_float32(shift: _Array, times: _Array, parts: _Array) -> _Array | None: ...
def affine_sparse(
    data: _Array,
    out: _Array,
    indptr: _Array,
    channels: _Array | None,
    scale: _Array,
    gamma: _Array,
    power: _Array | None,
    inverse: bool,
) -> bool: ...
def multiply_sparse(
    data: _Array, out: _Array, indptr: _Array, indices: _Array | None, factor: _Array
) -> bool: ...
def finite(x: _Array, allow_nan: bool) -> bool: ...
def normalize(
    x: _Array, out: _Array, norms: _Array | None, kind: int, first: int, last: int
) -> bool: ...
def normalize_csc(
    data: _Array, out: _Array, indices: _Array, indptr: _Array, norms: _Array, kind: int
) -> bool: ...
def normalize_csr(data: _Array, out: _Array, indptr: _Array, norms: _Array, kind: int) -> bool: ...
def layer_norm(
    x: _Array,
    out: _Array,
    center: bool,
    scale: bool,
    eps: float,
    gamma: _Array | None,
    beta: _Array | None,
    first: int,
    last: int,
) -> bool: ...
def layer_norm_csr(
    data: _Array,
    out: _Array,
    indices: _Array,
    indptr: _Array,
    n_columns: int,
    n_groups: int,
    scale: bool,
    eps: float,
) -> bool: ...
def square_sums_csc(
    data: _Array, indices: _Array, indptr: _Array, size: int, sums: _Array, filled: _Array
) -> bool: ...
def multiply_groups_csc(
    data: _Array, out: _Array, indices: _Array, indptr: _Array, size: int, factor: _Array
) -> None: ...
