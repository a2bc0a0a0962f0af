"""check_drift: what it reports, that it is not fooled, and what fit keeps for it."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from oracles import with_zeros
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sknorm import BatchStatScaler, GroupScaler, PowerNormScaler, SquashingScaler

CLASSES = [BatchStatScaler, PowerNormScaler, SquashingScaler]
every_class = pytest.mark.parametrize("cls", CLASSES)
rng = np.random.default_rng(0)
OLD = rng.normal([0.0, 5.0, -3.0], [1.0, 2.0, 10.0], (2000, 3))


def new(shift=0.0, ratio=1.0, n=500, seed=1):
    own = np.random.default_rng(seed)
    scale = np.array([1.0, 2.0, 10.0])
    return own.normal(np.array([0.0, 5.0, -3.0]) + shift * scale, ratio * scale, (n, 3))


@every_class
def test_columns_are_what_they_say(cls):
    x = new(0.5, 1.5)
    x[:50, 1] = np.nan
    table = cls().fit(OLD).check_drift(x).table
    sd = OLD.std(axis=0, ddof=1)
    np.testing.assert_array_equal(table["n"], (~np.isnan(x)).sum(axis=0))
    gap = np.nanmean(x, axis=0) - OLD.mean(axis=0)
    np.testing.assert_allclose(table["shift"], gap / sd, rtol=1e-10)
    np.testing.assert_allclose(table["spread_ratio"], np.nanstd(x, axis=0, ddof=1) / sd, rtol=1e-9)
    np.testing.assert_array_equal(table["missing"], [0, 0.1, 0])
    np.testing.assert_array_equal(table["missing_before"], 0.0)
    outside = ((x < OLD.min(axis=0)) | (x > OLD.max(axis=0))).sum(axis=0)
    np.testing.assert_allclose(table["outside"], outside / table["n"])
    both = "shifted and wider"
    assert list(table["verdict"]) == [both, f"{both} and more missing", both]
    assert (table["shift_low"] < table["shift"]).all()
    assert (table["shift"] < table["shift_high"]).all()


def test_interval_of_the_shift_by_hand():
    x = new(n=50)[:, :1]
    table = BatchStatScaler().fit(OLD[:, :1]).check_drift(x, alpha=0.1).table
    larger = max(x.std(ddof=1), OLD[:, 0].std(ddof=1))
    half = stats.t.isf(0.1 / 3 / 2, 49) * larger * np.sqrt(1 / 50 + 1 / 2000)
    half /= OLD[:, 0].std(ddof=1)
    np.testing.assert_allclose(table["shift_high"] - table["shift"], half, rtol=1e-10)


@every_class
@pytest.mark.parametrize(
    ("x", "drifted"),
    [
        (new(), []),
        (new(0.4), [0, 1, 2]),
        (new(-0.4), [0, 1, 2]),
        (new(0.05, n=200_000), []),  # beyond chance, but too little to matter
        (new(0.0, 1.6, n=1000), [0, 1, 2]),
        (new(0.0, 0.5, n=1000), [0, 1, 2]),
        (new(3.0, n=5), [0, 1, 2]),
        (new(0.5, n=4), []),  # large, but may be chance
    ],
    ids=["same", "up", "down", "small", "wider", "narrower", "few far", "few near"],
)
def test_verdicts_need_both_sizes(cls, x, drifted):
    assert cls().fit(OLD).check_drift(x).drifted == drifted


def test_shuffled_data_of_any_distribution_gives_few_alarms():
    """The promise is 5% over all features; ``benchmarks/drift.py`` has the whole table."""
    own = np.random.default_rng(3)
    alarms = 0
    draws = [
        lambda size: own.normal(size=size),
        lambda size: own.lognormal(sigma=2.0, size=size),
        lambda size: own.standard_cauchy(size),
        lambda size: (own.random(size) < 0.1).astype(float),
    ]
    for k in range(400):
        n, m = [(10, 10), (500, 10), (60, 200), (300, 300)][k % 4]
        x = draws[k // 4 % 4]((n + m, 20))
        scaler = BatchStatScaler().fit(x[:n])
        alarms += bool(scaler.check_drift(x[n:]).drifted)
    assert alarms <= 20


@every_class
def test_parts_keep_the_same_as_the_whole(cls):
    x = OLD.copy()
    x[::7, 1] = np.nan
    whole = cls().partial_fit(x)
    stream, parts = cls(), []
    for rows in np.array_split(np.arange(len(x)), 5):
        stream.partial_fit(x[rows])
        parts.append(cls().partial_fit(x[rows]))
    merged = cls().merge(*parts)
    expected = whole.check_drift(new(0.3)).table
    for scaler in (stream, merged, pickle.loads(pickle.dumps(stream)), cls().fit(x)):
        found = scaler.check_drift(new(0.3)).table
        for name in ("shift", "spread_ratio", "missing_before", "outside", "spread_low"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, err_msg=name)
        assert list(found["verdict"]) == list(expected["verdict"])
    np.testing.assert_array_equal(whole._training[:3], stream._training[:3])
    np.testing.assert_array_equal(whole._training[0], np.nanmin(x, axis=0))
    np.testing.assert_array_equal(whole._training[1], np.nanmax(x, axis=0))
    np.testing.assert_array_equal(whole._training[2], np.isnan(x).sum(axis=0))


@every_class
@pytest.mark.parametrize(
    "form", [np.asfortranarray, sparse.csr_array, sparse.csc_array, np.float32]
)
def test_the_range_is_exact_in_every_layout(cls, form):
    x = with_zeros(OLD[:, :3])
    x[5, 0] = x[7, 1] = np.nan
    weights = rng.integers(0, 3, len(x)).astype(float)
    weights[:5] = 0.0
    x[0], x[1] = 1e6, -1e6  # which have no weight
    for w in (None, weights):
        fitted = cls().fit(form(x), None, w)
        used = x.astype(form) if form is np.float32 else x
        used = used if w is None else used[w > 0]
        np.testing.assert_array_equal(fitted._training[0], np.nanmin(used, axis=0))
        np.testing.assert_array_equal(fitted._training[1], np.nanmax(used, axis=0))


@pytest.mark.parametrize(
    "shape",
    [
        (300, 3),
        (300, 9),
        (2500, 9),  # more than the block whose mean is the shift
        (300, 70),
        (5000, 2),
        (60, 3, 5),
        (60, 9, 40),
        (9, 3, 900),
        (1, 2, 5000),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_range_is_exact_in_every_shape(shape, dtype, weighted, order):
    x = np.asarray(rng.normal(size=shape).astype(dtype), order=order)
    x.flat[:: x.size // 17] = 0.0
    weights = np.where(rng.random(len(x)) < 0.5, 0.0, 1.0) if weighted else None
    if weighted:
        weights[-1] = 1.0
    fitted = BatchStatScaler().fit(x, None, weights)
    used = x if weights is None else x[weights > 0]
    axes = (0, *range(2, x.ndim))
    np.testing.assert_array_equal(fitted._training[0], used.min(axis=axes))
    np.testing.assert_array_equal(fitted._training[1], used.max(axis=axes))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 15, 16, 17, 33, 271, 2085])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_least_and_the_greatest_are_found_wherever_they_are(n, dtype, order):
    for sign in (-1, 1):
        x = np.asarray(sign * np.eye(n, dtype=dtype), order=order)
        fitted = BatchStatScaler().fit(x)
        np.testing.assert_array_equal(fitted._training[0], x.min(axis=0))
        np.testing.assert_array_equal(fitted._training[1], x.max(axis=0))


@every_class
@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_extreme_units(cls, scale):
    expected = cls().fit(OLD).check_drift(new(0.5)).table
    found = cls().fit(OLD * scale).check_drift(new(0.5) * scale).table
    for name in ("shift", "shift_low", "outside"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9)


def test_weights_are_not_taken_for_rows():
    """Four rows that stand for a thousand each tell what four rows tell."""
    few = new(1.0, n=4)
    scaler = BatchStatScaler().fit(OLD)
    assert scaler.check_drift(few, np.full(4, 1000.0)).drifted == scaler.check_drift(few).drifted
    heavy = BatchStatScaler().fit(OLD, None, np.full(len(OLD), 1e-3)).check_drift(new(0.3)).table
    plain = BatchStatScaler().fit(OLD).check_drift(new(0.3)).table
    np.testing.assert_allclose(heavy["shift_low"], plain["shift_low"], rtol=1e-9)
    weighted = BatchStatScaler().fit(OLD).check_drift(new(0.3), rng.random(500)).table
    assert (weighted["shift_high"] - weighted["shift_low"] > 0).all()


def test_momentum_knows_how_few_rows_it_remembers():
    own = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        scaler = BatchStatScaler(momentum=0.5)
        for _ in range(20):
            scaler.partial_fit(own.normal(size=(10, 2)))
        alarms += bool(scaler.check_drift(own.normal(size=(400, 2)), threshold=0.0).drifted)
    assert alarms <= 6
    np.testing.assert_allclose(scaler._training[3], 30.0, rtol=0.01)  # 10 (2 - m) / m


def test_constant_features():
    old = np.column_stack([np.full(50, 3.0), np.full(50, 3.0), rng.normal(size=50)])
    x = np.column_stack([np.full(40, 3.0), np.full(40, 4.0), np.zeros(40)])
    report = BatchStatScaler().fit(old).check_drift(x)
    assert report.drifted == [1]
    assert report.table["shift"][0] == 0.0
    assert report.table["spread_ratio"][0] == 1.0
    assert report.table["outside"][1] == 1.0


def test_one_row_and_features_without_values():
    report = BatchStatScaler().fit(OLD).check_drift(OLD[:1])
    assert set(report.table["verdict"]) == {"too few values"}
    x = new()
    x[:, 1] = np.nan
    report = BatchStatScaler().fit(OLD).check_drift(x)
    assert list(report.table["verdict"]) == ["no drift shown", "more missing", "no drift shown"]
    assert str(report)


def test_channels_and_selected_features():
    frame = pd.DataFrame(OLD, columns=list("abc"))
    report = BatchStatScaler().fit(frame).check_drift(frame + 30.0)
    assert report.drifted == ["a", "b", "c"]
    pd.DataFrame(report.table)
    part = BatchStatScaler().fit(frame).select(["c", "a"]).check_drift(frame[["c", "a"]])
    assert list(part.table["feature"]) == ["c", "a"]
    assert part.drifted == []
    np.testing.assert_array_equal(part.table["outside"], 0.0)
    blocks = BatchStatScaler(channels=[["a", "b"], ["c"]]).fit(frame).check_drift(frame)
    assert list(blocks.table["feature"]) == [0, 1]
    np.testing.assert_array_equal(blocks.table["n"], [4000, 2000])
    tensor = OLD[:, :, None] + np.zeros(4)
    found = BatchStatScaler().fit(tensor).check_drift(tensor + 100.0)
    np.testing.assert_array_equal(found.table["outside"] > 0.9, True)


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
def test_groups(scaler):
    keys = rng.integers(0, 4, len(OLD))
    level = 10.0 * keys[:, None]
    x, own = new(), rng.integers(0, 5, 500)
    x = x + 10.0 * own[:, None]
    x[own == 2, 1] += 4.0
    report = GroupScaler(scaler).fit(OLD + level, groups=keys).check_drift(x, groups=own)
    assert report.drifted == [(2, 1)]
    assert report.new_groups == [4]
    assert list(report.table["group"]) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    rows, table = own == 2, report.table
    alone = BatchStatScaler().fit((OLD + level)[keys == 2]).check_drift(x[rows]).table
    for name in ("shift", "spread_ratio", "outside", "n"):
        np.testing.assert_allclose(table[name][6:9], alone[name], rtol=1e-9, atol=1e-12)
    assert "Groups that were not in fit: 4" in str(report)
    with pytest.raises(ValueError, match="no group that was in fit"):
        GroupScaler(scaler).fit(OLD, groups=keys).check_drift(x, groups=own + 100)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("way", ["fit", "partial_fit", "merge", "JSON", "sparse"])
@pytest.mark.parametrize("scaler", [BatchStatScaler(with_mean=False), PowerNormScaler()])
def test_missing_values_of_groups(scaler, way, weighted):
    own = np.random.default_rng(8)
    old, x = own.normal(size=(900, 3)), own.normal(size=(600, 3))
    keys, new_keys = own.integers(0, 3, 900), own.integers(0, 3, 600)
    old[(keys == 0) & (own.random(900) < 0.5), 1] = np.nan
    x[(new_keys == 2) & (own.random(600) < 0.3), 0] = np.nan
    weights, new_weights = own.uniform(1, 2, 900) * 1e-3, own.uniform(1, 2, 600)
    if not weighted:
        weights = new_weights = None
    grouped = GroupScaler(clone(scaler))
    form = sparse.csr_array if way == "sparse" else np.asarray
    if way in ("fit", "JSON", "sparse"):
        grouped.fit(form(old), None, weights, groups=keys)
    else:
        halves = []
        for rows in (slice(0, 500), slice(500, None)):
            part = None if weights is None else weights[rows]
            target = grouped if way == "partial_fit" else GroupScaler(clone(scaler))
            halves.append(target.partial_fit(old[rows], None, part, groups=keys[rows]))
        if way == "merge":
            grouped.merge(*halves)
    if way == "JSON":
        grouped = GroupScaler.from_dict(json.loads(json.dumps(grouped.to_dict())))
    table = grouped.check_drift(form(x), new_weights, new_keys).table
    for key in range(3):
        mine, theirs = keys == key, new_keys == key
        alone = clone(scaler).fit(old[mine], None, None if weights is None else weights[mine])
        expected = alone.check_drift(
            x[theirs], None if new_weights is None else new_weights[theirs]
        ).table
        for name in ("missing", "missing_before"):
            found = np.asarray(table[name])[np.asarray(table["group"]) == key]
            np.testing.assert_allclose(found, expected[name], rtol=1e-9, atol=1e-12)
    verdicts = np.reshape(table["verdict"], (3, 3))
    assert "fewer missing" in verdicts[0, 1]
    assert "more missing" in verdicts[2, 0]
    assert "missing" not in verdicts[1, 0]


@pytest.mark.parametrize("unit", [1e-200, 1e-6, 1.0, 1e6, 1e200])
@pytest.mark.parametrize("grouped", [False, True])
def test_units_of_weights_change_no_verdict(unit, grouped):
    own = np.random.default_rng(3)
    x = np.where(own.random(OLD.shape) < [0.0, 0.1, 0.5], np.nan, OLD)
    x[:, 0] += 1.0
    weights = own.uniform(1, 2, len(x))
    groups = {"groups": np.zeros(len(x), int)} if grouped else {}

    def table(unit):
        scaler = GroupScaler() if grouped else BatchStatScaler()
        fitted = scaler.fit(OLD, None, unit * weights, **groups)
        return fitted.check_drift(x, unit * weights, **groups).table

    plain, found = table(1.0), table(unit)
    assert list(found["verdict"]) == list(plain["verdict"])
    assert plain["verdict"][0] == "shifted"
    assert plain["verdict"][2] == "more missing"
    np.testing.assert_allclose(found["p_value"], plain["p_value"], rtol=1e-6)


def test_missing_values_with_nearly_all_weight():
    x = OLD.copy()
    x[:5] = np.nan
    weights = np.where(np.arange(len(x)) < 5, 1e200, 1.0)
    table = BatchStatScaler().fit(OLD).check_drift(x, weights).table
    assert list(table["verdict"]) == ["more missing"] * 3


def test_missing_values_of_groups_of_quantiles():
    keys = np.arange(len(OLD)) % 2
    x = np.where((keys == 1)[:, None], np.nan, OLD)
    whole = GroupScaler(SquashingScaler()).fit(OLD, groups=keys)
    stream = GroupScaler(SquashingScaler()).partial_fit(OLD, groups=keys)
    for fitted in (whole, stream):
        table = fitted.check_drift(x, groups=keys).table
        np.testing.assert_array_equal(table["missing"], [0, 0, 0, 1, 1, 1])
        np.testing.assert_array_equal(table["missing_before"], 0)
    found = stream.partial_fit(x, groups=keys).check_drift(OLD, groups=keys).table
    np.testing.assert_array_equal(found["missing_before"], [0, 0, 0, 0.5, 0.5, 0.5])


def test_infinite_values_are_left_out_by_the_squashing_scaler():
    old, x = OLD.copy(), new(0.5)
    old[3, 0], x[2, 1] = np.inf, -np.inf
    report = SquashingScaler().fit(old).check_drift(x)
    assert report.drifted == [0, 1, 2]
    assert np.isfinite(report.table["shift"]).all()
    assert SquashingScaler().fit(old).check_drift(np.full((3, 3), np.inf)).table["n"].sum() == 0
    with pytest.raises(ValueError, match="infinity"):
        BatchStatScaler().fit(OLD).check_drift(x)


def test_known_statistics():
    scaler = BatchStatScaler.from_statistics(
        mean=OLD.mean(axis=0), var=OLD.var(axis=0), n_samples=len(OLD)
    )
    report = scaler.check_drift(new(0.5))
    assert report.drifted == [0, 1, 2]
    assert np.isnan(report.table["outside"]).all()
    assert np.isnan(report.table["missing_before"]).all()
    unknown = BatchStatScaler.from_statistics(mean=[0.0] * 3, var=[1.0] * 3)
    for fitted in (unknown, PowerNormScaler.from_statistics(mean_square=[1.0] * 3)):
        with pytest.raises(ValueError, match="was not fitted on data"):
            fitted.check_drift(OLD)
    with pytest.raises(NotFittedError):
        BatchStatScaler().check_drift(OLD)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha must be a number between 0 and 1"),
        ({"alpha": "5%"}, "alpha must be a number"),
        ({"threshold": -1}, "threshold must be a finite number >= 0"),
        ({"threshold": None}, "threshold must be a finite number"),
        ({"sample_weight": [1.0]}, "sample_weight"),
    ],
)
def test_bad_settings(options, message):
    with pytest.raises(ValueError, match=message):
        BatchStatScaler().fit(OLD).check_drift(OLD, **options)


def test_nothing_changes_and_nothing_is_printed(capsys):
    scaler, x = BatchStatScaler().fit(OLD), new()
    before, kept = pickle.dumps(scaler), x.copy()
    scaler.check_drift(x)
    assert pickle.dumps(scaler) == before
    np.testing.assert_array_equal(x, kept)
    assert capsys.readouterr().out == ""


def test_picture():
    plt = pytest.importorskip("matplotlib.pyplot")
    report = BatchStatScaler().fit(OLD).check_drift(new(0.5))
    figure = report.plot()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0", "1", "2"]
    wide = BatchStatScaler().fit(np.zeros((5, 200))).check_drift(np.ones((5, 200)))
    assert len(wide.plot(max_features=10).axes[0].get_yticks()) == 10
    plt.close("all")


def test_groups_by_column_name_features_by_their_place_in_x():
    keys = rng.integers(0, 2, len(OLD))
    x = np.insert(OLD, 1, keys, axis=1)
    moved = x + np.array([0.0, 0.0, 20.0, 0.0])
    report = GroupScaler(by=1).fit(x).check_drift(moved)
    assert report.drifted == [(0.0, 2), (1.0, 2)]
    assert list(report.table["feature"]) == [0, 2, 3] * 2


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_groups_are_what_dense_ones_are(kind, weighted):
    own = np.random.default_rng(4)
    old = np.where(own.random((400, 5)) < 0.3, own.normal(2, 1, (400, 5)), 0.0)
    x = np.where(own.random((300, 5)) < 0.3, own.normal(3, 2, (300, 5)), 0.0)
    old[:, 3], x[:, 3] = 1.0 + own.random(400), own.random(300)  # zeros are outside
    x[::3, 3] = 0.0
    keys, new_keys = own.integers(0, 3, 400), own.integers(0, 4, 300)
    weights = own.random(300) if weighted else None
    for scaler in (BatchStatScaler(with_mean=False), PowerNormScaler()):
        fitted = GroupScaler(scaler).fit(old, groups=keys)
        expected = fitted.check_drift(x, weights, new_keys).table
        found = GroupScaler(scaler).fit(kind(old), groups=keys)
        found = found.check_drift(kind(x), weights, new_keys).table
        for name in ("n", "shift", "spread_ratio", "outside"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12)
        pooled = fitted.pooled_.check_drift(x, weights).table
        sparse_pooled = clone(scaler).fit(kind(old)).check_drift(kind(x), weights).table
        np.testing.assert_allclose(sparse_pooled["outside"], pooled["outside"], rtol=1e-9)


def test_a_wide_sparse_array_is_not_made_dense():
    wide = sparse.random_array((200_000, 50_000), density=1e-5, rng=rng).tocsr()  # 80 GB if dense
    keys = np.arange(200_000) % 2
    report = GroupScaler(PowerNormScaler()).fit(wide, groups=keys).check_drift(wide, groups=keys)
    np.testing.assert_array_equal(report.table["outside"], 0.0)
