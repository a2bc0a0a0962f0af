"""Which normalizer suits my data? The four promises of normalization, measured."""

from sknorm._compare.combining import CombinedComparison, combine_comparisons
from sknorm._compare.plots.display import NormalizerComparisonDisplay
from sknorm._compare.result import NormalizerComparison
from sknorm._compare.run import compare_normalizers

__all__ = [
    "CombinedComparison",
    "NormalizerComparison",
    "NormalizerComparisonDisplay",
    "combine_comparisons",
    "compare_normalizers",
]

# The result does not know its display, which knows how to run a comparison.
NormalizerComparison.display_class = NormalizerComparisonDisplay
