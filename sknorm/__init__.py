"""Neural-network normalization layers as scikit-learn transformers."""

from importlib.metadata import version as _version

from sknorm._drift.report import DriftReport
from sknorm._scalers.batch import BatchStatScaler
from sknorm._scalers.coefficients import raw_coefficients
from sknorm._scalers.flattener import Flattener
from sknorm._scalers.group import GroupScaler
from sknorm._scalers.layer import LayerScaler
from sknorm._scalers.power import PowerNormScaler
from sknorm._scalers.row_norms import L1Normalizer, L2Normalizer, MaxNormalizer
from sknorm._scalers.squashing import SquashingScaler
from sknorm._versions import show_versions
from sknorm.compare import (
    CombinedComparison,
    NormalizerComparison,
    NormalizerComparisonDisplay,
    combine_comparisons,
    compare_normalizers,
)

__version__ = _version("sknorm")

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
    "raw_coefficients",
    "show_versions",
]
