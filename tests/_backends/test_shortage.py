"""Memory that runs out leaves the data whole, with ``copy=False`` too.

So it is on the compiled loops. The reference path makes temporary arrays for each block of samples,
so that there a shortage can come between two blocks.
"""

import numpy as np
import pytest
from oracles import needs_kernels, with_zeros
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

pytestmark = needs_kernels

X = np.random.default_rng(0).normal(size=(20_003, 7)) + 1.0
ESTIMATORS = [
    BatchStatScaler(with_mean=False),
    BatchStatScaler(with_mean=False, gamma=np.arange(1.0, 8.0)),
    PowerNormScaler(n_jobs=2),
    LayerScaler(with_mean=False, gamma=2.0),
    LayerScaler(with_mean=False, n_groups=7),
    L1Normalizer(),
    L2Normalizer(keep_norm=True),
    MaxNormalizer(),
    SquashingScaler(with_centering=False),
]
FORMS = {
    "C": np.array,
    "F": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "csr": lambda x: sparse.csr_array(with_zeros(x)),
    "csc": lambda x: sparse.csc_array(with_zeros(x)),
}
ALLOCATES = [
    "empty",
    "empty_like",
    "zeros",
    "zeros_like",
    "ones",
    "full",
    "array",
    "where",
    "ldexp",
]


class Shortage:
    """Let the allocation of a given number fail."""

    def __init__(self, monkeypatch, number):
        self.left = number
        for name in ALLOCATES:
            monkeypatch.setattr(np, name, self.counting(getattr(np, name)))

    def counting(self, function):
        def wrapper(*args, **kwargs):
            self.left -= 1
            if self.left == 0:
                raise MemoryError
            return function(*args, **kwargs)

        return wrapper


def values_of(x):
    """Return a copy of what is stored."""
    return (x.data if sparse.issparse(x) else x).copy()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prototype", ESTIMATORS, ids=repr)
def test_a_shortage_leaves_the_data(prototype, form, dtype):
    fitted = type(prototype)(**{**prototype.get_params(), "copy": False}).fit(X)
    for number in range(1, 60):
        x = FORMS[form](X.astype(dtype))
        before = values_of(x)
        with pytest.MonkeyPatch.context() as patch:
            shortage = Shortage(patch, number)
            try:
                fitted.transform(x)
            except MemoryError:
                np.testing.assert_array_equal(values_of(x), before)
            if shortage.left > 0:
                break
    else:
        pytest.fail("there are more allocations than were let fail")
