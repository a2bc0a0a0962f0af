"""What all estimators share: where their documentation is, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np


class DocLinkMixin:
    """Point the HTML representation at sknorm's API pages instead of scikit-learn's."""

    _doc_link_module = "sknorm"
    _doc_link_template = "https://sknorm.readthedocs.io/en/stable/api.html#sknorm.{estimator_name}"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"estimator_name": type(self).__name__}


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
