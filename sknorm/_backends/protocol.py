"""What the parts of the backend agree on: the loops that there are, norms, and the error of values.

There are two implementations of :class:`Kernels`, each a module: the compiled loops, which
``loader`` finds, and ``reference_kernels``.
"""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

AnyArray = NDArray[Any]

NORMS = {"l1": 1, "l2": 2, "max": 3}


# What the loops that look at indices or at missing values as they go return.
FINE, NON_FINITE, MALFORMED = range(3)
MISSING = 4


class NonFiniteError(Exception):
    """A value is infinite, or NaN where that is not allowed."""


class Kernels(Protocol):
    """The loops over arrays, which write into ``out``, ``norms`` or a table of accumulators.

    Those that return bool tell whether a value was not finite, or, where they say so, whether
    they could do it; those that return int return FINE, NON_FINITE, MALFORMED or,
    where NaN is allowed and there is some, MISSING. Dense arrays have three axes (see ``layout``).
    Weights are one per outer item, or, where there is only one of those, one per inner item.
    """

    def pointers_rise(self, indptr: AnyArray, n_stored: int) -> bool: ...
    def indices_are_below(self, indices: AnyArray, n_minor: int) -> bool: ...
    def copy_indices(self, indices: AnyArray, out: AnyArray, n_minor: int) -> bool: ...
    def is_canonical(self, indptr: AnyArray, indices: AnyArray) -> bool: ...
    def channel_moments(
        self, x: AnyArray, weight: AnyArray | None, weight_is_inner: bool, table: AnyArray
    ) -> bool: ...
    def column_moments(
        self, pieces: list[AnyArray], first: AnyArray, weight: AnyArray | None, table: AnyArray
    ) -> bool: ...
    def integer_moments(self, x: AnyArray, weight: AnyArray | None, table: AnyArray) -> bool: ...
    def take_samples(self, x: AnyArray, order: AnyArray, out: AnyArray) -> None: ...
    def count_codes(self, codes: AnyArray, counts: AnyArray) -> bool: ...
    def sort_codes(self, codes: AnyArray, starts: AnyArray, order: AnyArray) -> bool: ...
    def group_moments(
        self,
        x: AnyArray,
        order: AnyArray,
        starts: AnyArray,
        weight: AnyArray | None,
        table: AnyArray,
        pooled: AnyArray | None,
        fresh: bool,
    ) -> bool: ...
    def csc_moments(
        self,
        data: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        n_rows: int,
        weight: AnyArray | None,
        table: AnyArray,
    ) -> int: ...
    def csr_moments(
        self,
        data: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        weight: AnyArray | None,
        table: AnyArray,
    ) -> int: ...
    def affine(
        self,
        x: AnyArray,
        out: AnyArray,
        shift: AnyArray,
        scale: AnyArray,
        gamma: AnyArray | None,
        beta: AnyArray | None,
        power: AnyArray | None,
        parts: AnyArray | None,
        inverse: bool,
        multiply: bool,
    ) -> int: ...
    def split_float32(
        self, shift: AnyArray, times: AnyArray, parts: AnyArray
    ) -> AnyArray | None: ...
    def affine_sparse(
        self,
        data: AnyArray,
        out: AnyArray,
        indptr: AnyArray,
        channels: AnyArray | None,
        scale: AnyArray,
        gamma: AnyArray,
        power: AnyArray | None,
        inverse: bool,
    ) -> bool: ...
    def multiply_sparse(
        self,
        data: AnyArray,
        out: AnyArray,
        indptr: AnyArray,
        indices: AnyArray | None,
        factor: AnyArray,
    ) -> bool: ...
    def squash(
        self,
        x: AnyArray,
        out: AnyArray,
        center: AnyArray,
        times: AnyArray,
        gamma: AnyArray,
        beta: AnyArray,
        power: AnyArray,
        bound: float,
        kind: int,
        inverse: bool,
    ) -> None: ...
    def collect_near(
        self,
        x: AnyArray,
        first: int,
        low: AnyArray,
        high: AnyArray,
        counts: AnyArray,
        finite: AnyArray,
        near: AnyArray,
        filled: AnyArray,
    ) -> None: ...
    def finite(self, x: AnyArray, allow_nan: bool) -> bool: ...
    def normalize(
        self, x: AnyArray, out: AnyArray, norms: AnyArray | None, kind: int, first: int, last: int
    ) -> bool: ...
    def normalize_csc(
        self,
        data: AnyArray,
        out: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        norms: AnyArray,
        kind: int,
    ) -> bool: ...
    def normalize_csr(
        self, data: AnyArray, out: AnyArray, indptr: AnyArray, norms: AnyArray, kind: int
    ) -> bool: ...
    def layer_norm(
        self,
        x: AnyArray,
        out: AnyArray,
        center: bool,
        scale: bool,
        eps: float,
        gamma: AnyArray | None,
        beta: AnyArray | None,
        first: int,
        last: int,
    ) -> bool: ...
    def layer_norm_csr(
        self,
        data: AnyArray,
        out: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        n_columns: int,
        n_groups: int,
        scale: bool,
        eps: float,
    ) -> bool: ...
    def square_sums_csc(
        self,
        data: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        size: int,
        sums: AnyArray,
        filled: AnyArray,
    ) -> bool: ...
    def multiply_groups_csc(
        self,
        data: AnyArray,
        out: AnyArray,
        indices: AnyArray,
        indptr: AnyArray,
        size: int,
        factor: AnyArray,
    ) -> None: ...
