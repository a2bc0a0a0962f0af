"""What all estimators share: where their documentation is, and what they refuse."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

# Modules of ours, and those of scikit-learn whose decorators are around our methods.
OURS = ("sknorm.", "sklearn.", "joblib.")


class DocLinkMixin:
    """Point the HTML representation at sknorm's API pages instead of scikit-learn's."""

    _doc_link_module = "sknorm"
    _doc_link_template = "https://sknorm.readthedocs.io/en/stable/api.html#sknorm.{estimator_name}"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"estimator_name": type(self).__name__}


def stack_level() -> int:
    """Return the ``stacklevel`` of a warning that is meant for whoever called the library.

    How many frames are between depends on decorators of scikit-learn, which differ by version.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(OURS):
        frame, level = frame.f_back, level + 1
    return level


def refuse_dense_result(*, centers: bool, beta: Any, parameter: str, divides_by: str) -> None:
    """Raise where sparse input would become dense, by its centering or a beta."""
    if centers:
        raise ValueError(
            f"Cannot center sparse matrices: pass `{parameter}=False` (or 'auto', and fit on "
            f"sparse data) to divide by {divides_by} only, or X.toarray() to center a dense copy."
        )
    if beta is not None and np.any(np.asarray(beta)):
        raise ValueError(
            "beta is not 0, which would make sparse output dense. Use beta=None, or X.toarray()."
        )
