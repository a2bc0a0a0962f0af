"""What the tests share: exact arithmetic, containers, strategies and state snapshots."""

import copy
import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from sknorm._backends import dispatch

few = settings(deadline=None, max_examples=30, derandomize=True)
some = settings(deadline=None, max_examples=60, derandomize=True)

needs_kernels = pytest.mark.skipif(
    not dispatch.uses_kernels(np.empty(0)), reason="the compiled kernels are absent or turned off"
)

# Exact arithmetic --------------------------------------------------------------------------------


def exact_moments(values, weights=None):
    """Return the exact total weight, mean, biased variance and mean of squares of one channel."""
    values = np.ravel(values)
    present = ~np.isnan(values)
    weights = np.ones(values.shape) if weights is None else np.asarray(weights)
    v, unit = as_integers(values[present])
    w, weight_unit = as_integers(weights[present])
    total = sum(w)
    first = sum(a * b for a, b in zip(v, w, strict=True))
    second = sum(a * a * b for a, b in zip(v, w, strict=True))
    mean, square = Fraction(first, total) / unit, Fraction(second, total) / unit**2
    return Fraction(total, weight_unit), mean, square - mean * mean, square


def as_integers(values):
    """Return floats as exact integers over one common power of two."""
    ratios = [v.as_integer_ratio() for v in np.ravel(values).tolist()]
    unit = max((d for _, d in ratios), default=1)
    return [n * (unit // d) for n, d in ratios], unit


def root(value, bits=200):
    """Return the square root of a fraction, right to about ``bits`` bits."""
    if value == 0:
        return Fraction(0)
    n, d = value.numerator, value.denominator
    shift = bits + (d.bit_length() - n.bit_length()) // 2
    scaled = (n << 2 * shift) // d if shift >= 0 else n // (d << -2 * shift)
    return Fraction(math.isqrt(scaled)) / Fraction(2) ** shift


def to_float(value):
    """Return the float64 nearest to a fraction, inf where it exceeds the range."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def assert_near(actual, exact, relative=1e-14):
    """Compare an array to fractions, relative to each; beyond float64's range inf is right."""
    for got, want in zip(np.ravel(actual).tolist(), exact, strict=True):
        if math.isinf(to_float(want)):
            assert math.isinf(got)
        else:
            error = abs(Fraction(got) - want)
            tiny = Fraction(math.ulp(0.0))
            assert error <= max(abs(want) * Fraction(relative), tiny), (got, to_float(want))


def assert_ulps(actual, exact, limit=8, conditioning=1):
    """Compare an array to fractions in units in the last place of max(|z|, 1)."""
    one = np.spacing(actual.dtype.type(1)).item()
    for got, want in zip(np.ravel(actual).tolist(), exact, strict=True):
        if want is None:
            assert math.isnan(got)
            continue
        assert math.isfinite(got), (got, to_float(want))
        unit = Fraction(one) * max(abs(want), 1)
        error = abs(Fraction(got) - want) / unit
        assert error <= limit * conditioning, (got, to_float(want), float(error))


def exact_scores(values, shift, scale):
    """Return (values - shift) / scale as fractions, None for NaN; zeros where scale is 0."""
    scores = [None if math.isnan(v) else Fraction(float(v)) - shift for v in np.ravel(values)]
    return scores if scale == 0 else [None if s is None else s / scale for s in scores]


def conditioning_of(shift, scale, dtype=np.float64):
    """Return by how much an offset magnifies the rounding of a float64 mean, in output digits."""
    if scale == 0:
        return 1
    relative = np.finfo(np.float64).eps / np.finfo(dtype).eps
    return max(1, abs(shift) / scale * Fraction(float(relative)))


# Containers: the same numbers in every form an estimator takes -----------------------------------


def strided(x):
    room = np.ones([2 * n for n in x.shape], dtype=x.dtype)
    view = room[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def backwards(x):
    return np.ascontiguousarray(x[::-1])[::-1]


def read_only(x):
    x = np.array(x)
    x.flags.writeable = False
    return x


def swapped(x):
    return x.astype(x.dtype.newbyteorder("S"))


def unaligned(x):
    room = np.empty(x.nbytes + 1, dtype=np.uint8)
    view = room[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


DENSE = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": strided,
    "backwards": backwards,
    "read_only": read_only,
    "swapped": swapped,
    "unaligned": unaligned,
    "list": lambda x: x.tolist() if x.dtype == np.float64 else np.array(x),
}


def unsorted_indices(x):
    """Reverse the order of the stored values in each row or column."""
    major = np.repeat(np.arange(x.indptr.size - 1), np.diff(x.indptr))
    order = np.lexsort((-x.indices, major))
    return type(x)((x.data[order], x.indices[order], x.indptr), shape=x.shape)


def duplicates(x):
    """Store each value as two halves."""
    halves, indices = np.repeat(x.data * x.dtype.type(0.5), 2), np.repeat(x.indices, 2)
    return type(x)((halves, indices, x.indptr * 2), shape=x.shape)


def explicit_zeros(x):
    """Store every zero too."""
    dense = x.toarray()
    full = type(x)(np.ones_like(dense))
    full.data = (dense if x.format == "csr" else dense.T).ravel().copy()
    return full


def wide_indices(x):
    x = x.copy()
    x.indices, x.indptr = x.indices.astype(np.int64), x.indptr.astype(np.int64)
    return x


def read_only_parts(x):
    x = x.copy()
    for part in (x.data, x.indices, x.indptr):
        part.flags.writeable = False
    return x


VARIANTS = {
    "plain": lambda x: x,
    "int64": wide_indices,
    "unsorted": unsorted_indices,
    "duplicates": duplicates,
    "explicit_zeros": explicit_zeros,
    "read_only": read_only_parts,
}
KINDS = [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.csc_array]
SPARSE = {
    f"{kind.__name__}-{name}": lambda x, kind=kind, vary=vary: vary(kind(x))
    for kind in KINDS
    for name, vary in VARIANTS.items()
}


def dense(x):
    """Return the values of any container as a NumPy array."""
    return x.toarray() if sparse.issparse(x) else np.asarray(x)


def parts(x):
    """Return copies of all arrays that make up a container."""
    names = ("data", "indices", "indptr") if sparse.issparse(x) else ()
    arrays = [getattr(x, name) for name in names] or [np.asarray(x)]
    return [np.array(array, copy=True) for array in arrays]


def assert_untouched(x, before):
    for now, then in zip(parts(x), before, strict=True):
        assert now.dtype == then.dtype
        np.testing.assert_array_equal(now, then)


# State -------------------------------------------------------------------------------------------


def snapshot(estimator):
    return copy.deepcopy(vars(estimator))


def assert_state(estimator, before):
    """Check that an estimator's attributes are those of a snapshot."""
    assert vars(estimator).keys() == before.keys()
    for name, now in vars(estimator).items():
        assert_same(now, before[name], name)


def assert_same(now, then, name):
    """Compare attributes, looking into the objects and tuples that hold arrays."""
    assert type(now) is type(then), name
    if isinstance(now, tuple):
        assert len(now) == len(then), name
        for a, b in zip(now, then, strict=True):
            assert_same(a, b, name)
    elif dataclasses.is_dataclass(now):
        for field in dataclasses.fields(now):
            assert_same(getattr(now, field.name), getattr(then, field.name), name)
    else:
        np.testing.assert_array_equal(now, then, err_msg=name)


# Data --------------------------------------------------------------------------------------------


def ordinary(n_rows=40, n_columns=6, seed=0, offset=True):
    """Return normal columns of different scales and, if asked, offsets."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, n_columns)) * 10.0 ** np.arange(-2, n_columns - 2)
    return x + (rng.normal(size=n_columns) * 5 if offset else 0)


def with_zeros(x, seed=0, share=0.6):
    """Return x with many zeros, and one empty row and column."""
    x = np.where(np.random.default_rng(seed).random(x.shape) < share, 0.0, x)
    x[1:2], x[:, 1:2] = 0.0, 0.0
    return x


def with_nan(x, seed=0, share=0.15):
    return np.where(np.random.default_rng(seed + 1).random(x.shape) < share, np.nan, x)


def matrices(elements=None, *, min_rows=1, max_rows=12, max_columns=5, dtype=np.float64):
    """Return a strategy for matrices; by default of values between -1e6 and 1e6."""
    if elements is None:
        elements = st.floats(-1e6, 1e6, allow_subnormal=False, width=32)
    shapes = st.tuples(st.integers(min_rows, max_rows), st.integers(1, max_columns))
    return hnp.arrays(dtype, shapes, elements=elements)


def any_floats(dtype):
    """Return a strategy for every finite value of a dtype, all magnitudes alike."""
    info = np.finfo(dtype)
    width = info.bits
    large, small, tiny = float(info.max), float(info.tiny), float(info.smallest_subnormal)
    special = [0.0, large, -large, small, -small, tiny, -tiny, 1.0, -1.0]
    floats = st.floats(allow_nan=False, allow_infinity=False, width=width)
    return st.one_of(floats, st.sampled_from(special))


def splits(n_rows):
    """Return a strategy for the ways to cut rows into batches, as a list of slices."""

    def cut(bounds):
        edges = sorted({0, n_rows, *bounds})
        return [slice(a, b) for a, b in itertools.pairwise(edges)]

    return st.lists(st.integers(1, max(1, n_rows - 1)), max_size=n_rows).map(cut)


def by_reference(function):
    """Call a function with the kernels turned off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKNORM_FORCE_REFERENCE", "1")
        return function()
