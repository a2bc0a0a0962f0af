"""scikit-learn's own tests of its three scalers, run on our classes in their place.

The documented differences: on sparse input the default of BatchStatScaler does not center,
where StandardScaler's raises; tests of that default get ``with_mean=True``. And CSC stays CSC,
where Normalizer makes CSR of it; the tests get it converted afterwards. And whether a feature is
constant does not depend on the number of samples; that test is run with ten of them. And what is
learned from tensors are NumPy arrays, which serve those of any library; scikit-learn's are tensors
too, and a test of that is left out.
"""

import importlib.util
import inspect
import sys
from functools import partialmethod
from unittest import mock

import pytest
import sklearn.preprocessing
from scipy import sparse
from sklearn.base import BaseEstimator

from sknorm import BatchStatScaler, L1Normalizer, L2Normalizer, MaxNormalizer, SquashingScaler

TEST_MODULE = "sklearn.preprocessing.tests.test_data"
WITH_TEN_SAMPLES = "test_standard_scaler_near_constant_features"
STATISTICS_ARE_TENSORS = "test_standard_scaler_array_api_compliance"
CENTERS_BY_DEFAULT = {"test_scaler_without_centering", "test_scaler_int"}


class CenteringScaler(BatchStatScaler):
    """BatchStatScaler with StandardScaler's default."""

    __init__ = partialmethod(BatchStatScaler.__init__, with_mean=True)


class RobustSquashing(SquashingScaler):
    """SquashingScaler without a squash: RobustScaler."""

    __init__ = partialmethod(SquashingScaler.__init__, squash=None)


def to_rows(normalizer):
    """Return the class with CSC made into CSR."""

    class ToRows(normalizer):
        def transform(self, X, copy=None):
            result = super().transform(X, copy)
            return result.tocsr() if sparse.issparse(result) else result

    return ToRows


CLASSES = {"l1": to_rows(L1Normalizer), "l2": to_rows(L2Normalizer), "max": to_rows(MaxNormalizer)}


def normalizer(norm="l2", *, copy=True):
    """Return what takes the place of ``Normalizer(norm, copy=copy)``."""
    return CLASSES[norm](copy=copy)


def load_tests(scaler):
    """Import scikit-learn's test module with our classes where it looks for its own."""
    spec = importlib.util.find_spec(TEST_MODULE)
    module = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(sklearn.preprocessing, "StandardScaler", scaler),
        mock.patch.object(sklearn.preprocessing, "Normalizer", normalizer),
        mock.patch.object(sklearn.preprocessing, "RobustScaler", RobustSquashing),
        mock.patch.dict(sys.modules),
    ):
        spec.loader.exec_module(module)
    return module


def concerns_us(test):
    """Tell whether a test names one of the three classes, in its body or its parameters."""
    source = inspect.getsource(test)
    return any(name in source for name in ("StandardScaler", "Normalizer", "RobustScaler"))


def ours_only(test):
    """Leave out the parameters that are about other classes."""
    test.pytestmark = [
        pytest.mark.parametrize(mark.args[0], list(filter(is_ours, mark.args[1]))).mark
        if mark.name == "parametrize"
        else mark
        for mark in getattr(test, "pytestmark", [])
    ]
    return test


def with_ten_samples(test):
    """Leave out the other numbers of samples."""
    test.pytestmark = [
        pytest.mark.parametrize("n_samples", [10]).mark if mark.args[0] == "n_samples" else mark
        for mark in test.pytestmark
    ]
    return test


def is_ours(value):
    """Tell whether a parameter is not one of scikit-learn's estimators (or their classes)."""
    kind = value if inspect.isclass(value) else type(value)
    return not (issubclass(kind, BaseEstimator) and kind.__module__.startswith("sklearn."))


MODULES = {
    False: load_tests(BatchStatScaler),
    True: load_tests(CenteringScaler),
}
for _name, _test in inspect.getmembers(MODULES[False], inspect.isfunction):
    if _name.startswith("test_") and concerns_us(_test):
        globals()[_name] = ours_only(getattr(MODULES[_name in CENTERS_BY_DEFAULT], _name))
globals().pop(STATISTICS_ARE_TENSORS, None)  # which scikit-learn has from 1.9 on
globals()[WITH_TEN_SAMPLES] = with_ten_samples(globals()[WITH_TEN_SAMPLES])
