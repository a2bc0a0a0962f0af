"""Each kernel, called as it is: the compiled loop and its twin fill and return the same.

``test_parity`` compares them through the estimators. Here every argument is drawn, also those
combinations that no estimator passes.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import needs_kernels, some
from scipy import sparse

from sknorm._backends import dispatch, reference_kernels
from sknorm._backends.protocol import FINE, MISSING, NON_FINITE, NORMS
from sknorm._statistics.counted_later import CountedLater
from sknorm._statistics.moments import Moments
from sknorm._statistics.squash import NUMBERS as SQUASHES

pytestmark = needs_kernels

DTYPES = [np.float64, np.float32]
SHAPES = st.tuples(st.integers(0, 9), st.integers(1, 40), st.sampled_from([1, 1, 2, 7, 8, 33]))
SPECIAL = [0.0, -0.0, np.nan, 1e30, 1e-30]
seeds = st.integers(0, 2**32 - 1)


def values(shape, dtype, rng, infinite=False):
    """Return ordinary numbers, some of them special."""
    x = rng.normal(rng.normal(0, 100), 1, shape)
    special = rng.random(shape) < rng.choice([0.0, 0.1])
    x = np.where(special, rng.choice(SPECIAL, shape), x).astype(dtype)
    if infinite and x.size:
        x.flat[rng.integers(x.size)] = np.inf
    return x


def both(name, *args, out):
    """Call a kernel on both paths, and return what each said and made of the arrays to fill."""
    results = []
    for kernels in (dispatch._compiled, reference_kernels):
        filled = {i: None if a is None else a.copy() for i, a in out.items()}
        said = getattr(kernels, name)(*(filled.get(i, a) for i, a in enumerate(args)))
        results.append((said, [a for a in filled.values() if a is not None]))
    return results


def check_moments(a, b, scale):
    """Compare moments of values that are as large as ``scale``, that of each channel or of all."""
    np.testing.assert_array_equal(a.count, b.count)
    np.testing.assert_array_equal(a.table[7:], b.table[7:])
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-14, atol=1e-15 * np.max(scale))
    assert (np.abs(a.var - b.var) <= 1e-14 * scale**2 + 1e-300)[a.count > 0].all()


def check(name, *args, out, dtype, atol=0.0):
    """Compare the two, unless both refuse. Return what they said."""
    (said, arrays), (said2, arrays2) = both(name, *args, out=out)
    assert said == said2
    if said in (FINE, MISSING):
        eps = np.finfo(dtype).eps
        for a, b in zip(arrays, arrays2, strict=True):
            size = np.nanmax(np.abs(b), initial=0.0, where=np.isfinite(b))
            np.testing.assert_allclose(a, b, rtol=64 * eps, atol=max(atol, 8 * eps * min(size, 1)))
    return said


@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_channel_moments(dtype, infinite):
    @some
    @given(SHAPES, seeds, st.sampled_from(["none", "outer", "inner"]))
    def run(shape, seed, weighted):
        rng = np.random.default_rng(seed)
        inner = weighted == "inner"  # in Fortran order, of more samples than one
        if inner:
            shape = 1, shape[1], shape[2] + 1
        x = values(shape, dtype, rng, infinite)
        n = shape[2] if inner else shape[0]
        weight = None if weighted == "none" else rng.integers(0, 4, n) / 2.0
        results = []
        for kernels in (dispatch._compiled, reference_kernels):
            table = Moments.zero(shape[1]).accumulators()
            said = kernels.channel_moments(x, weight, inner, table)
            results.append((said, Moments.from_accumulators(table)))
        (said, a), (said2, b) = results
        assert said == said2 == bool(np.isinf(x).any())
        if not said:
            check_moments(a, b, np.nanmax(np.abs(x.astype(float)), axis=(0, 2), initial=0.0))

    run()


@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_column_moments(dtype, infinite):
    """A column in pieces, however it is cut, has the statistics of the same values in one."""

    @some
    @given(st.lists(st.sampled_from([0, 1, 7, 300, 2048, 5000]), min_size=1, max_size=5),
           st.booleans(), seeds)  # fmt: skip
    def run(sizes, weighted, seed):
        rng = np.random.default_rng(seed)
        x = values((1, 1, sum(sizes)), dtype, rng, infinite)
        weight = rng.integers(0, 4, x.size) / 2.0 if weighted else None
        pieces = [piece.copy() for piece in np.split(x[0, 0], np.cumsum(sizes)[:-1])]
        for kernels in (dispatch._compiled, reference_kernels):
            ours, expected = (Moments.zero(1).accumulators() for _ in range(2))
            said = kernels.column_moments(pieces, pieces[-1], weight, ours)
            assert said == kernels.channel_moments(x, weight, True, expected)
            if said:
                continue
            a, b = map(Moments.from_accumulators, (ours, expected))
            check_moments(a, b, np.nanmax(np.abs(x.astype(float)), initial=0.0))

    run()


@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_group_moments(dtype, infinite):
    @some
    @given(SHAPES, seeds, st.booleans(), st.integers(1, 6))
    def run(shape, seed, weighted, n_groups):
        rng = np.random.default_rng(seed)
        x = values(shape, dtype, rng, infinite)
        weight = rng.integers(0, 4, shape[0]) / 2.0 if weighted else None
        starts = np.sort(rng.integers(0, shape[0] + 1, n_groups + 1))
        starts[0], starts[-1] = 0, shape[0]
        order = rng.permutation(shape[0])
        results = []
        for kernels in (dispatch._compiled, reference_kernels):
            table = np.zeros((9, n_groups, shape[1]))
            for fresh in (True, False):  # the second time into what is there
                said = kernels.group_moments(x, order, starts, weight, table, None, fresh)
            results.append((said, Moments.of_groups(table)))
        (said, a), (said2, b) = results
        assert said == said2 == bool(np.isinf(x).any())
        if said:
            return
        check_moments(a, b, np.nanmax(np.abs(x.astype(float)), initial=0.0))

    run()


@pytest.mark.parametrize("dtype", DTYPES)
def test_first_moments_of_small_groups_are_those_of_each_channel_alone(dtype):
    """Eight channels at a time take a way of their own, of which no bit differs."""

    @some
    @given(st.integers(1, 64), st.integers(8, 30), seeds, st.integers(1, 9))
    def run(n, width, seed, n_groups):
        rng = np.random.default_rng(seed)
        x = values((n, width, 1), dtype, rng)
        x[:, 0], x[:, width // 2] = 0.0, x[0, width // 2]
        x[rng.random(x.shape) < 0.02] = np.nan
        x[:, 1] *= 10.0 ** rng.integers(-30, 8)
        starts = np.sort(rng.integers(0, n + 1, n_groups + 1))
        starts[0], starts[-1] = 0, n
        order = rng.permutation(n)
        whole = np.zeros((9, n_groups + 2, width + 3))
        own = whole[:, 1:-1, 2:-1]  # some columns of a larger table
        alone = [np.zeros((9, n_groups, 1)) for _ in range(width)]
        group_moments = dispatch._compiled.group_moments
        for fresh in (True, False):  # the second time into what is there
            assert not group_moments(x, order, starts, None, own, None, fresh)
            for channel, table in enumerate(alone):
                one = np.ascontiguousarray(x[:, channel : channel + 1])
                assert not group_moments(one, order, starts, None, table, None, fresh)
                np.testing.assert_array_equal(own[:, :, channel : channel + 1], table)
        own[...] = 0.0
        assert not whole.any()

    run()


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_of_all_groups_are_those_of_all_samples(dtype, missing):
    @some
    @given(st.integers(1, 3000), st.integers(8, 30), seeds, st.sampled_from([1, 30, 600, 4000]))
    def run(n, width, seed, n_groups):
        rng = np.random.default_rng(seed)
        x = values((n, width, 1), dtype, rng)
        x[rng.random(x.shape) < missing] = np.nan
        x[:, 0] = 0.0
        x[:, 1] += dtype(1e6)
        x[:, 2] *= dtype(1e-30)
        if dtype is np.float64:
            x[:, 3] *= 1e200
            x[:, -1] = np.where(rng.random((n, 1)) < 0.02, 1e200, 1.0) * rng.random((n, 1))
        starts = np.sort(rng.integers(0, n + 1, n_groups + 1))
        starts[0], starts[-1] = 0, n
        every = Moments.from_accumulators(channel_moments_of(x))
        for kernels in (dispatch._compiled, reference_kernels):
            table = np.zeros((9, n_groups, width))
            pooled = Moments.zero(width).accumulators()
            order = rng.permutation(n)
            assert not kernels.group_moments(x, order, starts, None, table, pooled, True)
            found = Moments.from_accumulators(pooled)
            own = CountedLater.of(table, np.diff(starts)).of_all_groups(width)
            np.testing.assert_array_equal(own.count, every.count)
            np.testing.assert_allclose(own.unit_var, every.unit_var, rtol=1e-12, atol=1e-300)
            np.testing.assert_array_equal(found.count, every.count)
            np.testing.assert_array_equal(found.table[7:], every.table[7:])
            np.testing.assert_array_equal(found.exponent, every.exponent)
            np.testing.assert_allclose(found.mean, every.mean, rtol=1e-14)
            np.testing.assert_allclose(found.unit_var, every.unit_var, rtol=1e-12, atol=1e-300)

    run()


def channel_moments_of(x):
    table = Moments.zero(x.shape[1]).accumulators()
    assert not dispatch._compiled.channel_moments(x, None, False, table)
    return table


def test_count_and_sort_codes():
    @some
    @given(st.integers(0, 200), st.integers(1, 50), seeds)
    def run(n, n_codes, seed):
        codes = np.random.default_rng(seed).integers(0, n_codes, n)
        for kernels in (dispatch._compiled, reference_kernels):
            counts, order = np.zeros(n_codes, np.int64), np.empty(n, np.int64)
            assert kernels.count_codes(codes, counts)
            np.testing.assert_array_equal(counts, np.bincount(codes, minlength=n_codes))
            starts = np.append(0, counts.cumsum())
            assert kernels.sort_codes(codes, starts, order)
            np.testing.assert_array_equal(order, np.argsort(codes, kind="stable"))
            np.testing.assert_array_equal(np.diff(starts), counts)
            for wrong in (-1, n_codes):
                bad = np.append(codes, wrong)
                assert not kernels.count_codes(bad, counts.copy())
                more = np.append(starts[:-1], n + 1)
                assert not kernels.sort_codes(bad, more, np.empty(n + 1, np.int64))

    run()


@pytest.mark.parametrize("starts", [[0, 2, 3], [0, 3, 4], [0, 9, 4], [0, -9, 4], [4, 0, 4]])
def test_sorting_refuses_counts_of_other_codes(starts):
    for kernels in (dispatch._compiled, reference_kernels):
        order = np.zeros(6, np.int64)
        codes, places = np.array([0, 1, 1, 0]), np.array(starts)
        assert not kernels.sort_codes(codes, places, order[1:-1])
        assert order[0] == order[-1] == 0


@pytest.mark.parametrize("dtype", ["b", "h", "i", "q", "B", "H", "I", "Q"])
def test_integer_moments(dtype):
    @some
    @given(st.sampled_from([0, 1, 7, 300, 2048, 5000]), st.booleans(), seeds)
    def run(size, weighted, seed):
        rng = np.random.default_rng(seed)
        bounds = np.iinfo(dtype)
        least, greatest = [(0, 100), (bounds.min, bounds.max)][rng.integers(2)]
        x = rng.integers(least, greatest, size, dtype=dtype, endpoint=True)
        weight = rng.integers(0, 3, size).astype(float) if weighted else None
        for kernels in (dispatch._compiled, reference_kernels):
            ours, expected = (Moments.zero(1).accumulators() for _ in range(2))
            assert not kernels.integer_moments(x, weight, ours)
            kernels.channel_moments(x.astype(np.float64)[None, None], weight, True, expected)
            np.testing.assert_array_equal(ours, expected)

    run()


@pytest.mark.parametrize("dtype", DTYPES)
def test_take_samples(dtype):
    @some
    @given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 400), seeds)
    def run(n, width, n_taken, seed):
        rng = np.random.default_rng(seed)
        x, order = values((n, width), dtype, rng), rng.integers(0, n, n_taken)
        wide = np.empty((n, 2 * width), dtype)
        wide[:, ::2] = x
        for layout in (x, np.asfortranarray(x), wide[:, ::2], x[:, ::-1][:, ::-1]):
            out = np.empty((n_taken, width), dtype)
            for _, arrays in both("take_samples", layout, order, out, out={2: out}):
                np.testing.assert_array_equal(arrays[0], x[order])

    run()


@pytest.mark.parametrize("dtype", DTYPES)
def test_affine(dtype):
    @some
    @given(SHAPES, seeds, st.booleans(), st.booleans(), st.booleans(), st.booleans())
    def run(shape, seed, has_gamma, has_power, inverse, infinite):
        rng = np.random.default_rng(seed)
        x, n = values(shape, dtype, rng, infinite), shape[1]
        shift, scale = rng.normal(0, 100, n), rng.uniform(0.1, 9, n)
        gamma, beta = (rng.uniform(0.5, 2, n), rng.normal(0, 5, n)) if has_gamma else (None, None)
        power = np.ldexp(1.0, rng.integers(-3, 4, n)) if has_power else None
        args = x, np.empty_like(x), shift, scale, gamma, beta, power, None, inverse, False
        said = check("affine", *args, out={1: args[1]}, dtype=dtype, atol=300 * np.finfo(dtype).eps)
        expected = MISSING if np.isnan(x).any() else FINE
        assert said == (NON_FINITE if np.isinf(x).any() else expected)

    run()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", NORMS)
def test_normalize(norm, dtype):
    @some
    @given(SHAPES, seeds, st.booleans(), st.booleans())
    def run(shape, seed, keep, infinite):
        rng = np.random.default_rng(seed)
        x = values(shape, dtype, rng, infinite)
        first, last = sorted(rng.integers(0, shape[2] + 1, 2)) if shape[2] > 1 else (0, 1)
        norms = np.zeros((shape[0], shape[2])) if keep else None
        args = x, np.zeros_like(x), norms, NORMS[norm], first, last
        said = check("normalize", *args, out={1: args[1], 2: norms}, dtype=dtype)
        assert bool(said) == bool((~np.isfinite(x[:, :, first:last])).any())

    run()


@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_norm(dtype):
    @some
    @given(SHAPES, seeds, st.booleans(), st.booleans(), st.booleans(), st.integers(1, 3))
    def run(shape, seed, center, scale, infinite, n_groups):
        rng = np.random.default_rng(seed)
        shape = (shape[0] * n_groups, *shape[1:])
        x = values(shape, dtype, rng, infinite)
        gamma, beta = None, None
        if rng.random() < 0.5:
            gamma, beta = rng.uniform(0.5, 2, (n_groups, shape[1])), rng.normal(0, 1, shape[:2])
            beta = beta[:n_groups] if len(beta) else np.zeros_like(gamma)
        args = x, np.zeros_like(x), center, scale, 1e-3, gamma, beta, 0, shape[2]
        atol = 1e-12 if dtype == np.float64 else 1e-3
        check("layer_norm", *args, out={1: args[1]}, dtype=dtype, atol=atol)

    run()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["csr", "csc"])
def test_sparse(form, dtype):
    @some
    @given(st.integers(0, 30), st.integers(1, 30), seeds, st.booleans())
    def run(n_rows, n_columns, seed, infinite):
        rng = np.random.default_rng(seed)
        x = sparse.random_array((n_rows, n_columns), density=0.2, rng=rng, format=form)
        x.data = values(x.data.shape, dtype, rng, infinite)
        data, indices, indptr = x.data, x.indices, x.indptr
        n_major = indptr.size - 1
        n_minor = n_columns if form == "csr" else n_rows
        out, bad = np.zeros_like(data), bool(np.isinf(data).any())
        scale, gamma = rng.uniform(0.5, 2, (2, n_columns))
        channels = indices if form == "csr" else None
        args = data, out, indptr, channels, scale, gamma, None, rng.random() < 0.5
        assert bool(check("affine_sparse", *args, out={1: out}, dtype=dtype)) == bad
        args = data, out, indptr, channels, scale
        assert bool(check("multiply_sparse", *args, out={1: out}, dtype=dtype)) == bad
        for kernels in (dispatch._compiled, reference_kernels):
            assert kernels.pointers_rise(indptr, data.size)
            assert not kernels.pointers_rise(indptr[::-1].copy(), data.size) or not data.size
            assert kernels.indices_are_below(indices, n_minor)
            assert kernels.indices_are_below(indices, n_minor - 1) == (n_minor - 1 not in indices)
            assert not kernels.indices_are_below(indices - n_minor, n_minor) or not data.size
            assert kernels.copy_indices(indices, np.empty_like(indices), n_minor)
            whole = x.copy()
            whole.sort_indices()
            assert kernels.is_canonical(indptr, whole.indices)
            swapped = whole.indices[::-1].copy()
            rises = all((np.diff(swapped[a:b]) > 0).all() for a, b in pairwise(indptr))
            assert kernels.is_canonical(indptr, swapped) == rises
        if form == "csr":
            norms = np.zeros(n_major)
            for kind in NORMS.values():
                args = data, out, indptr, norms, kind
                check("normalize_csr", *args, out={1: out, 3: norms}, dtype=dtype)
            n_groups = rng.choice([g for g in (1, 2, 3) if n_columns % g == 0])
            args = data, out, whole.indices, indptr, n_columns, n_groups, True, 1e-3
            assert bool(check("layer_norm_csr", *args, out={1: out}, dtype=dtype)) == bad
        else:
            factor = rng.uniform(0.5, 2, (n_rows, n_columns))
            args = data, out, indices, indptr, 1, factor
            check("multiply_groups_csc", *args, out={1: out}, dtype=dtype)

    run()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["csr", "csc"])
def test_sparse_moments(form, dtype):
    @some
    @given(st.integers(1, 30), st.integers(1, 30), seeds, st.booleans(), st.booleans())
    def run(n_rows, n_columns, seed, infinite, weighted):
        rng = np.random.default_rng(seed)
        x = sparse.random_array((n_rows, n_columns), density=0.3, rng=rng, format=form)
        x.data = values(x.data.shape, dtype, rng, infinite)
        weight = rng.integers(0, 4, n_rows) / 2.0 if weighted else None
        rows = (n_rows,) if form == "csc" else ()
        results = []
        for kernels in (dispatch._compiled, reference_kernels):
            table = Moments.zero(n_columns).accumulators()
            function = getattr(kernels, f"{form}_moments")
            said = function(x.data, x.indices, x.indptr, *rows, weight, table)
            results.append((said, Moments.from_accumulators(table)))
        (said, a), (said2, b) = results
        assert said == said2
        if not said:
            scale = np.nanmax(np.abs(x.data.astype(float)), initial=0.0)
            np.testing.assert_array_equal(a.count, b.count)
            np.testing.assert_array_equal(a.table[7:], b.table[7:])
            np.testing.assert_allclose(a.mean, b.mean, rtol=1e-14, atol=1e-15 * scale)
            assert (np.abs(a.var - b.var) <= 1e-14 * scale**2 + 1e-300)[a.count > 0].all()

    run()


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("name", SQUASHES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_squash(dtype, name, inverse):
    @some
    @given(SHAPES, seeds)
    def run(shape, seed):
        rng = np.random.default_rng(seed)
        n = shape[1]
        x = values(shape, dtype, rng, infinite=True) / (300 if inverse else 1)
        times = np.where(rng.random(n) < 0.2, 0.0, rng.uniform(0.01, 9, n))
        center, beta, gamma = rng.normal(size=n), rng.normal(size=n), rng.uniform(0.5, 2, n)
        power = np.ldexp(1.0, rng.integers(-3, 4, n))
        args = x, np.zeros_like(x), center, times, gamma, beta, power, 3.0, SQUASHES[name], inverse
        eps = np.finfo(dtype).eps
        check("squash", *args, out={1: args[1]}, dtype=dtype, atol=64 * eps)

    run()


@pytest.mark.parametrize("dtype", DTYPES)
def test_collect_near(dtype):
    @some
    @given(SHAPES, seeds, st.integers(1, 3), st.integers(1, 20))
    def run(shape, seed, n_targets, room):
        rng = np.random.default_rng(seed)
        x = np.round(values(shape, dtype, rng, infinite=True))
        first = int(rng.integers(0, shape[1]))
        width = shape[1] - first
        known = x[np.isfinite(x)]
        low = (np.median(known) if known.size else 0.0) + np.round(
            rng.normal(size=(n_targets, width))
        )
        high = low + rng.choice([0.0, 1.0, 3.0, np.inf], low.shape)
        results = []
        for kernels in (dispatch._compiled, reference_kernels):
            counts = np.zeros((n_targets, 3, width), dtype=np.int64)
            finite, filled = np.zeros(width, np.int64), np.zeros((n_targets, width), np.int64)
            near = np.full((n_targets, width, room), np.nan)
            kernels.collect_near(x, first, low, high, counts, finite, near, filled)
            kept = np.sort(near) if (filled <= room).all() else np.zeros(0)
            results.append((counts, finite, filled, kept))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        own = x[:, first:].astype(np.float64)
        own = np.where(np.isfinite(own), own, np.nan)
        np.testing.assert_array_equal(finite, np.sum(~np.isnan(own), axis=(0, 2)))
        np.testing.assert_array_equal(counts[0, 0], (own < low[0][:, None]).sum(axis=(0, 2)))
        np.testing.assert_array_equal(counts[0, 2], (own <= high[0][:, None]).sum(axis=(0, 2)))

    run()


@pytest.mark.parametrize("allow_nan", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_finite(dtype, allow_nan):
    @some
    @given(st.integers(0, 300), seeds, st.booleans())
    def run(n, seed, infinite):
        x = values((n,), dtype, np.random.default_rng(seed), infinite)
        expected = not np.isinf(x).any() and (allow_nan or not np.isnan(x).any())
        for kernels in (dispatch._compiled, reference_kernels):
            assert kernels.finite(x, allow_nan) == expected

    run()
