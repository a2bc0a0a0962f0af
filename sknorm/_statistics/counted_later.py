"""Statistics of groups whose counts are written down when they are first read."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sknorm._statistics.moments import ROWS, Array, Moments


class CountedLater(Moments):
    """Statistics of the channels of groups, of which most have as many values as samples.

    In the table that they are made of, the count is 0 where that is so: a fit of many small groups
    would spend a twelfth of its time on writing the same number for each channel of a group.
    """

    _uncounted: Array
    _sizes: NDArray[np.int64]

    @classmethod
    def of(cls, table: Array, sizes: NDArray[np.int64]) -> Self:
        """Return the statistics in a table by row, group and channel, with the groups' sizes.

        The table must not be changed by anybody else.
        """
        moments = object.__new__(cls)
        vars(moments).update(_uncounted=table, _sizes=sizes, weight_exponent=0)
        return moments

    def __reduce__(self) -> tuple[type[Moments], tuple[Array, int]]:
        """Be pickled with all counts: arrays that are loaded may be read-only, as joblib's are."""
        return Moments, (self.table, self.weight_exponent)

    @cached_property
    def table(self) -> Array:
        """The table with all counts; those who write the same at once do no harm."""
        table = self._uncounted
        count, low, high = table[0], table[7], table[8]
        np.copyto(count, self._sizes[:, None], where=(count == 0.0) & (low <= high))
        return table.reshape(ROWS, -1)
