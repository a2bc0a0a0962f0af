"""How the ways out are called: by a function's parameters, or by a command's options."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """How the way out is called: by a function's parameters or a command's options."""

    groups: str = "groups=..."
    time: str = "cv=TimeSeriesSplit(...)"
    drop: str = "leave the column out"
    missing: str = "put NaN in its place"
    unique: str = "leave the copies out"
    folds: str = "cv="
    repeats: str = "n_repeats="


IN_PYTHON = Advice()
_advice = contextvars.ContextVar("advice", default=IN_PYTHON)


def advice() -> Advice:
    """Return how the ways out are called here."""
    return _advice.get()


@contextlib.contextmanager
def advising(how: Advice) -> Iterator[None]:
    """Call the ways out by other names within."""
    token = _advice.set(how)
    try:
        yield
    finally:
        _advice.reset(token)
