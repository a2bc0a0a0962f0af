"""Channels of several features each, by what the parameter ``channels`` says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.columns import find_column, is_list

Codes = NDArray[np.intp]


def channel_codes(channels: Any, n_features: int, names: Any) -> tuple[Codes, int]:
    """Return the channel of each feature, and how many there are.

    ``channels`` is a list of lists of features, or one label per feature: then the channels are
    in the order in which labels first appear.
    """
    entries = list(channels) if is_list(channels) else []
    if not entries:
        raise ValueError(
            f"channels must be lists of features, or one label per feature, got {channels!r}."
        )
    blocks = [isinstance(entry, (list, tuple, np.ndarray)) for entry in entries]
    if all(blocks):
        return _from_blocks(entries, n_features, names), len(entries)
    if any(blocks):
        raise ValueError(
            "channels mixes lists and single values. Give either lists of features, such as "
            "[['x1', 'x2'], ['y']], or one label per feature."
        )
    if len(entries) != n_features:
        raise ValueError(
            f"channels has {len(entries)} labels, but X has {n_features} features. Give one label "
            "per feature, or lists of features, such as [['x1', 'x2'], ['y']]."
        )
    numbers: dict[Any, int] = {}
    codes = [numbers.setdefault(label, len(numbers)) for label in entries]
    return np.array(codes, dtype=np.intp), len(numbers)


def _from_blocks(blocks: list[Any], n_features: int, names: Any) -> Codes:
    codes = np.full(n_features, -1, dtype=np.intp)
    for number, block in enumerate(blocks):
        if not len(block):
            raise ValueError(f"Channel {number} of channels has no features.")
        for feature in block:
            place = find_column(feature, n_features, names)
            if codes[place] >= 0:
                raise ValueError(
                    f"channels has feature {feature!r} in channel {codes[place]} and again in "
                    f"channel {number}. Each feature belongs to one."
                )
            codes[place] = number
    if (left := np.flatnonzero(codes < 0)).size:
        feature = repr(names[left[0]]) if names is not None else str(left[0])
        raise ValueError(
            f"channels leaves out feature {feature}. Give each feature a channel, if need be one "
            "of its own."
        )
    return codes
