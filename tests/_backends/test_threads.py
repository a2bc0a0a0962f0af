"""Threads: joblib's convention, and the same bits for any number of them."""

import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
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
from sknorm._backends import dense_moments, threads
from sknorm._backends import sparse as sparse_arrays

ESTIMATORS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=2.0, beta=1.0, n_channels=5),
    PowerNormScaler(),
    LayerScaler(),
    LayerScaler(with_mean=False, n_groups=5, gamma=np.arange(1.0, 21.0)),
    L1Normalizer(),
    L2Normalizer(keep_norm=True),
    MaxNormalizer(),
    SquashingScaler(),
]
FORMS = {
    "C": np.asarray,
    "F": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "tensor": lambda x: x.reshape(-1, 20, 3),
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Use threads, and more than one piece, on arrays that are quick to test."""
    monkeypatch.setattr(threads, "WORTH_THREADS", 1)
    monkeypatch.setattr(dense_moments, "PIECE", 1 << 12)
    monkeypatch.setattr(sparse_arrays, "PIECE", 1 << 10)


def data(form):
    x = np.random.default_rng(0).normal(3, 2, (1203, 20))
    x[np.random.default_rng(1).random(x.shape) < 0.5] = 0
    return FORMS[form](x)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_any_number_of_threads_gives_the_same_bits(estimator, form):
    if form == "tensor" and getattr(estimator, "gamma", None) is not None:
        estimator = type(estimator)(n_jobs=None)
    if form in ("csr", "csc") and getattr(estimator, "beta", None) is not None:
        estimator = type(estimator)(gamma=2.0)
    x = data(form)
    results = []
    for n_jobs in (1, 2, 3, 8):
        fitted = estimator.set_params(n_jobs=n_jobs).fit(x)
        z = fitted.transform(x)
        learned = [
            getattr(fitted, name, 0.0) for name in ("mean_", "var_", "mean_square_", "scale_")
        ]
        results.append([z.toarray() if sparse.issparse(z) else z, *learned])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_infinity_in_one_piece_is_found():
    x = data("C")
    x[-1, -1] = np.inf
    for estimator in ESTIMATORS:
        if isinstance(estimator, SquashingScaler):
            estimator = SquashingScaler(squash=None)
        with pytest.raises(ValueError, match=r"feature 19, row 1202"):
            estimator.set_params(n_jobs=2).fit(x)


def test_the_number_of_threads_follows_joblib(monkeypatch):
    assert threads.n_threads(None, 10) == 1
    assert threads.n_threads(3, 10) == 3
    assert threads.n_threads(-1, 10) == joblib.effective_n_jobs(-1)
    with joblib.parallel_config("threading", n_jobs=2):
        assert threads.n_threads(None, 10) == 2
    monkeypatch.setattr(threads, "WORTH_THREADS", 100)
    assert threads.n_threads(3, 10) == 1


def test_results_come_in_the_order_of_the_pieces():
    assert threads.run(lambda i: i * i, range(50), 4) == [i * i for i in range(50)]
    assert threads.run(lambda i: i, [], 4) == []


@pytest.mark.parametrize(
    ("length", "pieces", "unit"), [(10, 3, 1), (10, 3, 4), (0, 3, 1), (7, 0, 1)]
)
def test_slices_cover_a_length_at_multiples_of_a_unit(length, pieces, unit):
    slices = threads.slices(length, pieces, unit)
    assert [i for s in slices for i in range(s.start, s.stop)] == list(range(length))
    assert len(slices) <= max(1, pieces)
    assert all(s.start % unit == 0 for s in slices)


AT_THE_END = """
import atexit, sys, threading
import numpy as np
from sknorm import BatchStatScaler, L2Normalizer

x = np.random.default_rng(0).normal(size=(300_000, 8))
scaler = BatchStatScaler(n_jobs=2).fit(x) if {warm} else BatchStatScaler(n_jobs=2)

def work():
    if {threaded}:
        threading.main_thread().join()
    z = scaler.fit(x).transform(x)
    z = L2Normalizer(n_jobs=2).fit_transform(z)
    print("done", np.isfinite(z).all())

if {threaded}:
    threading.Thread(target=work).start()
else:
    atexit.register(work)
"""


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("threaded", [True, False])
def test_work_ends_after_the_main_thread_has(threaded, warm):
    code = AT_THE_END.format(threaded=threaded, warm=warm)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout == "done True\n", result.stderr
    assert not result.stderr


def test_each_piece_is_worked_on_once_without_helpers(monkeypatch):
    class Closed:
        def submit(self, *args):
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(threads, "_pool", lambda n: Closed())
    seen = []
    assert threads.run(lambda k: seen.append(k) or k, range(9), 4) == list(range(9))
    assert sorted(seen) == list(range(9))


def test_the_first_error_is_raised_when_those_begun_have_ended():
    begun, ended = [], []

    def work(k):
        begun.append(k)
        if k in (3, 5):
            raise KeyError(k)
        ended.append(k)

    with pytest.raises(KeyError, match="3"):
        threads.run(work, range(9), 3)
    assert {0, 1, 2} <= set(ended)
    assert sorted([*ended, *({3, 5} & set(begun))]) == sorted(begun)


def test_nothing_is_begun_after_an_interrupt():
    begun, others = [], threading.Event()

    def work(k):
        begun.append(k)
        if k == 0:
            raise KeyboardInterrupt
        others.wait(0.05)

    with pytest.raises(KeyboardInterrupt):
        threads.run(work, range(1000), 2)
    assert len(begun) < 10
