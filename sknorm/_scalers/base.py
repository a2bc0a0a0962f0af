"""Where an estimator's documentation is, for the link in its HTML representation."""

from __future__ import annotations


class DocLinkMixin:
    """Point the HTML representation at sknorm's API pages instead of scikit-learn's."""

    _doc_link_module = "sknorm"
    _doc_link_template = "https://sknorm.readthedocs.io/en/stable/api.html#sknorm.{estimator_name}"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"estimator_name": type(self).__name__}
