"""Neural-network normalization layers as scikit-learn transformers.

Names are imported when they are first asked for (PEP 562), so that ``import sknorm`` costs next to
nothing. Type checkers see them all.
"""

import importlib as _importlib
import os as _os
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from sknorm._drift.report import DriftReport
    from sknorm._scalers.batch import BatchStatScaler
    from sknorm._scalers.coefficients import raw_coefficients
    from sknorm._scalers.flattener import Flattener
    from sknorm._scalers.folding import fold
    from sknorm._scalers.group import GroupScaler
    from sknorm._scalers.layer import LayerScaler
    from sknorm._scalers.power import PowerNormScaler
    from sknorm._scalers.row_norms import L1Normalizer, L2Normalizer, MaxNormalizer
    from sknorm._scalers.squashing import SquashingScaler
    from sknorm._scalers.torch_modules import to_torch
    from sknorm._versions import __version__, show_versions
    from sknorm.compare import (
        CombinedComparison,
        NormalizerComparison,
        NormalizerComparisonDisplay,
        combine_comparisons,
        compare_normalizers,
    )

_HOMES = {
    "sknorm._drift.report": ("DriftReport",),
    "sknorm._scalers.batch": ("BatchStatScaler",),
    "sknorm._scalers.coefficients": ("raw_coefficients",),
    "sknorm._scalers.flattener": ("Flattener",),
    "sknorm._scalers.folding": ("fold",),
    "sknorm._scalers.group": ("GroupScaler",),
    "sknorm._scalers.layer": ("LayerScaler",),
    "sknorm._scalers.power": ("PowerNormScaler",),
    "sknorm._scalers.row_norms": ("L1Normalizer", "L2Normalizer", "MaxNormalizer"),
    "sknorm._scalers.squashing": ("SquashingScaler",),
    "sknorm._scalers.torch_modules": ("to_torch",),
    "sknorm._versions": ("__version__", "show_versions"),
    "sknorm.compare": (
        "CombinedComparison",
        "NormalizerComparison",
        "NormalizerComparisonDisplay",
        "combine_comparisons",
        "compare_normalizers",
    ),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BatchStatScaler",
    "CombinedComparison",
    "DriftReport",
    "Flattener",
    "GroupScaler",
    "L1Normalizer",
    "L2Normalizer",
    "LayerScaler",
    "MaxNormalizer",
    "NormalizerComparison",
    "NormalizerComparisonDisplay",
    "PowerNormScaler",
    "SquashingScaler",
    "__version__",
    "combine_comparisons",
    "compare_normalizers",
    "fold",
    "raw_coefficients",
    "show_versions",
    "to_torch",
]


def __getattr__(name: str) -> object:
    """Import a public name, and keep it."""
    if name in _MODULES:
        value: object = getattr(_importlib.import_module(_MODULES[name]), name)
    elif name in ("compare", "tables"):
        value = _importlib.import_module(f"sknorm.{name}")
    else:
        raise AttributeError(f"module 'sknorm' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted({*globals(), *__all__, "compare", "tables"})


if _os.environ.get("SKNORM_REQUIRE_KERNELS", "0") not in ("", "0"):
    _importlib.import_module("sknorm._backends.dispatch")  # which raises where they are missing
