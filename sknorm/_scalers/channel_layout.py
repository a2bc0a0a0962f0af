"""Which features make a channel, of the scalers with statistics per channel."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from sknorm._compat import as_numpy
from sknorm._scalers import parameters
from sknorm._scalers.blocks import Codes, channel_codes
from sknorm._scalers.columns import Positions


class ChannelLayout:
    """The channels of the features, by the parameters ``n_channels`` and ``channels``."""

    _statistics: ClassVar[tuple[str, ...]]

    n_channels: int | None
    channels: Any

    def _n_known(self) -> int:
        """Return the number of channels that the statistics are of."""
        known = [getattr(self, name, None) for name in (*self._statistics, "_moments")]
        sizes = (int(v.shape[-1]) for v in map(as_numpy, known) if v.ndim and v.size)
        # Where nothing is learned, neither a center nor a scale, features are what there is.
        return next(sizes, int(getattr(self, "n_features_in_", 1)))

    def _n_features(self) -> int:
        """Return the number of features that the statistics are for."""
        known: int | None = getattr(self, "n_features_in_", None)
        return self._n_known() if known is None else int(known)

    def _channel_of_each_feature(self) -> Codes:
        """Return the channel that each feature is of."""
        n_features, n_channels = self._n_features(), self._n_known()
        if self.channels is None:
            return np.repeat(np.arange(n_channels), n_features // n_channels)
        names = getattr(self, "feature_names_in_", None)
        return channel_codes(self.channels, n_features, names)[0]

    def _cut_channels(
        self, part: Any, positions: Positions, n_features: int, n_channels: int
    ) -> Codes:
        """Return the channels of some features, and set what a scaler of those needs to know."""
        if self.channels is not None:
            names = getattr(self, "feature_names_in_", None)
            codes = channel_codes(self.channels, n_features, names)[0][positions]
            channels = codes[np.sort(np.unique(codes, return_index=True)[1])]
            part.channels = [int(np.flatnonzero(channels == code)[0]) for code in codes]
            return channels
        if n_channels == n_features:
            if self.n_channels is not None:
                part.n_channels = int(positions.size)
            return positions
        channels = cut_flattened(positions, n_features, n_channels)
        part.n_channels = int(channels.size)
        return channels

    def _channels_of(self, X: Any) -> tuple[Codes | None, int]:
        """Return the channel of each feature, where ``channels`` tells them, and their number."""
        n_features = int(X.shape[1])
        if self.channels is not None:
            if self.n_channels is not None:
                raise ValueError(
                    "channels and n_channels both say which features make a channel. Leave one of "
                    "them at None."
                )
            names = getattr(self, "feature_names_in_", None)
            return channel_codes(self.channels, n_features, names)
        if self.n_channels is None:
            return None, n_features
        if X.ndim > 2 and self.n_channels != n_features:
            raise ValueError(
                f"n_channels={self.n_channels!r}, but axis 1 of X, its channel axis, has "
                f"{n_features}. n_channels is for flattened input of shape (n_samples, "
                "n_features); leave it at None here."
            )
        known = parameters.check_divisor("n_channels", self.n_channels, n_features, "features")
        return None, known


def cut_flattened(positions: Positions, n_features: int, n_channels: int) -> Codes:
    """Return the channels that features are of, where all of each of them are there."""
    size = n_features // n_channels
    channels = positions[::size] // size
    if positions.size % size or not np.array_equal(
        positions, (channels[:, None] * size + np.arange(size)).ravel()
    ):
        raise ValueError(
            f"With n_channels={n_channels}, features belong together in runs of {size}, and "
            "columns names only a part of one, or not in order. Name whole channels."
        )
    return channels
