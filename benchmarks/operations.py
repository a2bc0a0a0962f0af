"""What is timed. Each operation prepares itself on the data and returns the call to time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Call = Callable[[], Any]
Operation = Callable[[Any], Call]
# Enough rows to learn typical statistics from, for transform.
SAMPLE = 1000


def fit(scaler: Any, **settings: Any) -> Operation:
    return lambda X: partial(scaler(**settings).fit, X)


def partial_fit(scaler: Any, **settings: Any) -> Operation:
    return lambda X: partial(scaler(**settings).partial_fit, X)


def fit_transform(scaler: Any, **settings: Any) -> Operation:
    return lambda X: partial(scaler(**settings).fit_transform, X)


def transform(scaler: Any, **settings: Any) -> Operation:
    return lambda X: partial(scaler(**settings).fit(X[:SAMPLE]).transform, X)


def in_place(scaler: Any, **settings: Any) -> Operation:
    return lambda X: partial(
        scaler(**settings).fit(X[:SAMPLE]).transform, X.copy(order="K"), copy=False
    )


def transform_row(scaler: Any, **settings: Any) -> Operation:
    """Transform the first row with the statistics of all."""
    return lambda X: partial(scaler(**settings).fit(X).transform, X[:1].copy())


def call(function: Callable[..., Any], **settings: Any) -> Operation:
    return lambda X: partial(function, X, **settings)


def read(X: Any) -> Call:
    return X.sum


def copy(X: Any) -> Call:
    return partial(X.copy, order="K") if isinstance(X, np.ndarray) else X.copy


def copyto(X: Any) -> Call:
    return partial(np.copyto, np.empty_like(X), X)


def on(view: Callable[[Any], Any], operation: Operation) -> Operation:
    """Run an operation on a view of the data."""
    return lambda X: operation(view(X))


def repeated(times: int, operation: Operation) -> Operation:
    def prepare(X: Any) -> Call:
        once = operation(X)

        def many() -> None:
            for _ in range(times):
                once()

        return many

    return prepare


def torch_function(name: str, function: Callable[..., Any]) -> Operation:
    """Run ``function(torch.nn.functional.<name>, tensor)`` on one thread."""

    def prepare(X: Any) -> Call:
        import torch

        torch.set_num_threads(1)
        return partial(function, getattr(torch.nn.functional, name), torch.from_numpy(X))

    return prepare


def numpy_standardize(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def numpy_layer(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)


def numpy_norm(X: np.ndarray) -> np.ndarray:
    return X / np.linalg.norm(X, axis=1, keepdims=True)
