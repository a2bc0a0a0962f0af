"""What methods that change X give back for each kind of X, as type checkers see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pyarrow import RecordBatchReader

P = ParamSpec("P")
Float = TypeVar("Float", np.float32, np.float64)
Other = TypeVar("Other")

# What is switched on, off, or by the kind of X.
Switch = bool | Literal["auto"]
# Of all channels, or of each.
Counts = float | NDArray[np.float64] | NDArray[np.int64]


class Frame(Protocol):
    """A data frame in memory, of pandas, polars or Arrow."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""


FrameType = TypeVar("FrameType", bound=Frame)


class Mapped(Protocol[P]):
    """A method of a scaler that returns X changed."""

    @overload
    def __call__(
        self, X: str | PathLike[str], *args: P.args, **kwargs: P.kwargs
    ) -> RecordBatchReader: ...
    @overload
    def __call__(self, X: NDArray[Float], *args: P.args, **kwargs: P.kwargs) -> NDArray[Float]: ...
    @overload
    def __call__(
        self,
        X: NDArray[Any] | Sequence[Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> NDArray[np.float64]: ...
    @overload
    def __call__(
        self, X: FrameType, *args: P.args, **kwargs: P.kwargs
    ) -> FrameType | NDArray[np.float64]: ...
    @overload
    def __call__(
        self, X: Iterator[Other], *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[Other]: ...
    @overload
    def __call__(self, X: Other, *args: P.args, **kwargs: P.kwargs) -> Other: ...


class MapsRows(Protocol[P]):
    """The same in its class."""

    def __get__(self, instance: object, owner: type | None = None, /) -> Mapped[P]:
        """Return the method of a scaler."""


def maps_rows(method: Callable[Concatenate[Any, Any, P], Any]) -> MapsRows[P]:
    """Declare that a method returns what it is given, changed.

    Arrays become arrays of the same floating dtype; lists, arrays. A data frame becomes an array,
    or, where ``set_output`` says so, a data frame; which of them is not known before. Everything
    else, such as a sparse array, a tensor or a lazy frame, stays of its kind.
    """
    return cast(MapsRows[P], method)
