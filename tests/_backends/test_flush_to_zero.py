"""Where other libraries have subnormal numbers flushed to zero, normal ones stay right."""

import numpy as np
import pytest
from oracles import by_reference
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

torch = pytest.importorskip("torch")

ESTIMATORS = [
    BatchStatScaler(with_mean=False),
    BatchStatScaler(),
    BatchStatScaler(with_mean=False, gamma=3.0, momentum=0.1),
    PowerNormScaler(),
    LayerScaler(),
    LayerScaler(with_mean=False, n_groups=3),
    L1Normalizer(),
    L2Normalizer(),
    MaxNormalizer(),
]
FORMS = [np.array, np.asfortranarray, sparse.csr_array, sparse.csc_array]
SIZES = {
    np.float64: [1e-300, 1e-250, 1e-200, 1e-170, 1e-155, 1e-100, 1.0, 1e155, 1e300],
    np.float32: [1e-37, 1e-35, 1e-30, 1e-20, 1.0, 1e30],
}


@pytest.fixture
def flushed():
    """Return what calls a function while subnormal numbers are flushed to zero."""

    def call(function):
        if not torch.set_flush_denormal(True):
            pytest.skip("this processor does not flush")
        try:
            return function()
        finally:
            torch.set_flush_denormal(False)

    return call


def result(estimator, x):
    """Return what an estimator makes of x, fitted on it twice where it can be."""
    estimator.fit(x)
    if hasattr(estimator, "partial_fit"):
        estimator.partial_fit(x)
    z = estimator.transform(x)
    return z.toarray() if sparse.issparse(z) else np.array(z)


@pytest.mark.parametrize("path", ["compiled", "reference"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_normal_numbers_stay_right(estimator, dtype, form, path, flushed):
    rng = np.random.default_rng(0)
    for size in SIZES[dtype]:
        x = rng.uniform(1, 2, (60, 9)) * rng.choice([-size, size], (60, 9))
        if form in FORMS[2:]:
            x[rng.random(x.shape) < 0.4] = 0.0
            if estimator.get_params().get("with_mean") == "auto":
                continue
        x = form(x.astype(dtype))
        expected = result(estimator, x)
        run = (lambda f: f()) if path == "compiled" else by_reference
        found = run(lambda x=x: flushed(lambda: result(estimator, x)))
        rtol = 1e-12 if dtype == np.float64 else 1e-6
        atol = 4 * float(np.finfo(dtype).tiny)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
