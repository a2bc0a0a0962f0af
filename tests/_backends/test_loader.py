"""The builds of the compiled loops for different processors give the same bits."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec

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
    SquashingScaler,
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
    SquashingScaler(),
]
FORMS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]


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
    for build, _ in loader.builds():
        monkeypatch.setattr(dispatch, "_compiled", build)
        z = estimator.fit_transform(form(x))
        results.append(z.toarray() if sparse.issparse(z) else z)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_the_build_in_use_is_the_best_that_runs_here():
    level = import_module("sknorm._backends.kernels._values").processor_level()
    made = {
        instructions
        for values, indices, instructions in loader.LEVELS.values()
        if all(find_spec(f"sknorm._backends.kernels.{name}") for name in (values, indices))
    }
    runs = {0: set(), 3: {"AVX2"}, 4: {"AVX2", "AVX-512"}}[level] & made
    assert max(runs, default="any processor", key=len) == dispatch.BUILD
    assert (dispatch._compiled, dispatch.BUILD) == next(loader.builds()) == loader.load()


def test_importing_the_loops_turns_no_global_lock_on():
    # On an interpreter without one, an extension that does not declare that it can do without
    # turns the lock on for the whole process.
    code = """
import sys, sysconfig
import sknorm
from sknorm._backends import dispatch
assert dispatch.HAS_KERNELS
is_free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
assert getattr(sys, "_is_gil_enabled", lambda: True)() is not is_free
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_threads_that_scale_and_learn_at_once_do_not_disturb_each_other():
    # Each works on arrays of its own; on an interpreter without a global lock, at the same time.
    rng = np.random.default_rng(1)
    data = [rng.normal(k, 1.0, (4000, 7)) for k in range(16)]
    csr = [sparse.csr_array(np.where(x > 1.0, x, 0.0)) for x in data]

    def work(k):
        scaler = BatchStatScaler().fit(data[k])
        norms = L2Normalizer().fit_transform(csr[k]).toarray()
        layers = LayerScaler(n_jobs=2).fit_transform(data[k])
        return [scaler.mean_, scaler.var_, scaler.transform(data[k]), norms, layers]

    expected = [work(k) for k in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            found = list(pool.map(work, range(16)))
            for got, wanted in zip(found, expected, strict=True):
                for a, b in zip(got, wanted, strict=True):
                    np.testing.assert_array_equal(a, b)
