"""The builds of the compiled loops for different processors give the same bits."""

import importlib

import numpy as np
import pytest
from oracles import needs_kernels
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)
from sknorm._backends import dispatch, loader

pytestmark = needs_kernels

ESTIMATORS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=2.0, with_mean=False, n_channels=7),
    PowerNormScaler(),
    LayerScaler(with_mean=False, gamma=3.0),
    LayerScaler(n_groups=7),
    L1Normalizer(),
    L2Normalizer(keep_norm=True),
    MaxNormalizer(),
]
FORMS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]


def builds():
    """Yield the builds that are there and that this processor can run."""
    baseline = importlib.import_module("sknorm._backends.kernels._kernels")
    yield baseline
    for needed, (name, _) in loader.BUILDS.items():
        if baseline.processor_level() >= needed:
            try:
                yield importlib.import_module(f"sknorm._backends.kernels.{name}")
            except ImportError:
                continue


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_all_builds_give_the_same_bits(estimator, form, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (701, 49)).astype(dtype)
    x[rng.random(x.shape) < 0.3] = 0
    x[rng.random(x.shape) < 0.01] *= 1e30
    if isinstance(estimator, LayerScaler) and form in FORMS[2:]:
        estimator = LayerScaler(n_groups=estimator.n_groups)
    results = []
    for build in builds():
        monkeypatch.setattr(dispatch, "_compiled", build)
        z = estimator.fit_transform(form(x))
        results.append(z.toarray() if sparse.issparse(z) else z)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_the_build_in_use_is_the_best_that_runs_here():
    assert dispatch._compiled in list(builds())
    module, instructions = loader.load()
    assert module is not None
    assert instructions == dispatch.BUILD
