"""Dask's arrays and frames: the numbers of the same rows in memory, in the same kind of result."""

import os
import pickle
import signal
import threading
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from inputs import GAPS, LEARNERS, NAMES, NORMS, ROW_WISE, ROWS, as_array, assert_same_statistics
from scipy import sparse
from sklearn.base import clone

from sknorm import BatchStatScaler, GroupScaler, L2Normalizer, LayerScaler, SquashingScaler

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

FRAME = pd.DataFrame(GAPS, columns=NAMES)


def array(rows, chunks=(700, 4)):
    return da.from_array(rows, chunks=chunks)


def frame(rows, n_partitions=5):
    return dd.from_pandas(pd.DataFrame(rows, columns=NAMES), npartitions=n_partitions)


KINDS = {"array": array, "frame": frame}
each_kind = pytest.mark.parametrize("kind", KINDS)


def memory(kind):
    return FRAME if kind == "frame" else GAPS


@each_kind
@pytest.mark.parametrize("estimator", [*LEARNERS, *ROW_WISE], ids=repr)
def test_fit_transform_and_the_way_back(estimator, kind):
    given = KINDS[kind](GAPS)
    in_rows = memory(kind)
    fit = getattr(clone(estimator), "partial_fit", clone(estimator).fit)
    expected = fit(in_rows)
    found = clone(estimator).fit(given)
    rank_error = 0.05 if isinstance(estimator, SquashingScaler) else 1e-14
    assert_same_statistics(found, expected, rtol=rank_error)
    scaled = found.transform(given)
    assert type(scaled) is type(given)
    expected_rows = found.transform(in_rows)
    if kind == "array":
        assert scaled.chunks[0] == given.chunks[0]
        assert scaled.shape == expected_rows.shape
        assert scaled.dtype == expected_rows.dtype
    else:
        assert list(scaled.columns) == list(found.get_feature_names_out())
        assert scaled.compute().index.equals(FRAME.index)
    np.testing.assert_array_equal(as_array(scaled), expected_rows)
    if hasattr(found, "inverse_transform"):
        back = found.inverse_transform(scaled)
        assert type(back) is type(given)
        in_memory = found.inverse_transform(scaled.compute())
        np.testing.assert_array_equal(as_array(back), in_memory)


@each_kind
@pytest.mark.parametrize("estimator", NORMS, ids=repr)
def test_norms(estimator, kind):
    given = KINDS[kind](ROWS)
    found = clone(estimator).fit(given).transform(given)
    np.testing.assert_array_equal(as_array(found), clone(estimator).fit_transform(ROWS))


@pytest.mark.parametrize("chunks", [(700, 2), (3000, 1), (1, 4), ((1, 0, 2999), 3)])
def test_any_chunks(chunks):
    rows = GAPS if chunks[0] != 1 else GAPS[:40]
    given = da.from_array(GAPS, chunks=(700, 4)).rechunk(chunks) if rows is GAPS else array(rows)
    expected = BatchStatScaler().fit(rows)
    found = BatchStatScaler().fit(given)
    assert_same_statistics(found, expected)
    for estimator in (BatchStatScaler(), LayerScaler()):
        scaled = estimator.fit(given).transform(given)
        in_rows = estimator.fit(rows).transform(rows)
        np.testing.assert_allclose(as_array(scaled), in_rows, rtol=1e-12, atol=1e-14)


def test_unknown_chunk_sizes_and_empty_blocks():
    given = array(GAPS)
    chosen = given[given[:, 3] > 8]
    rows = GAPS[GAPS[:, 3] > 8]
    assert np.isnan(chosen.chunks[0]).all()
    found = BatchStatScaler().fit(chosen)
    assert_same_statistics(found, BatchStatScaler().fit(rows))
    np.testing.assert_allclose(as_array(found.transform(chosen)), found.transform(rows), 1e-13)
    with pytest.raises(ValueError, match="no rows"):
        BatchStatScaler().fit(given[given[:, 3] > 1e9])


def test_positions():
    images = np.random.default_rng(0).normal(size=(60, 3, 8, 8)).astype(np.float32)
    given = da.from_array(images, chunks=(13, 2, 4, 8))
    found = BatchStatScaler().fit(given)
    assert_same_statistics(found, BatchStatScaler().fit(images))
    scaled = found.transform(given)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(as_array(scaled), found.transform(images))
    layers = LayerScaler(n_groups=3)
    np.testing.assert_array_equal(as_array(layers.fit_transform(given)), layers.transform(images))


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_blocks(form):
    rows = np.where(ROWS > 2, ROWS, 0.0)
    given = array(rows).map_blocks(form)
    found = BatchStatScaler().fit(given)
    assert_same_statistics(found, BatchStatScaler().fit(form(rows)))
    scaled = found.transform(given)
    assert sparse.issparse(scaled.blocks[0].compute())
    # Not every Dask puts blocks of sparse arrays together.
    in_rows = scaled.map_blocks(form.toarray, dtype=float, meta=np.empty((0, 0))).compute()
    np.testing.assert_allclose(in_rows, found.transform(form(rows)).toarray(), 1e-14)
    norms = (
        L2Normalizer()
        .fit_transform(given)
        .map_blocks(form.toarray, dtype=float, meta=np.empty((0, 0)))
        .compute()
    )
    np.testing.assert_allclose(norms, L2Normalizer().fit_transform(rows), rtol=1e-15)


WEIGHTS = np.random.default_rng(3).random(3000)


@pytest.mark.parametrize("weights", [WEIGHTS, da.from_array(WEIGHTS, chunks=450), 2.0])
def test_weights_chunked_otherwise(weights):
    expected = BatchStatScaler().fit(GAPS, sample_weight=as_array(weights) + np.zeros(3000))
    found = BatchStatScaler().fit(array(GAPS), sample_weight=weights)
    assert_same_statistics(found, expected, rtol=1e-13)


def test_weights_of_unknown_chunks_and_frames():
    given = array(GAPS)
    chosen = given[:, 3] > 4
    rows = GAPS[GAPS[:, 3] > 4]
    weights = da.from_array(WEIGHTS, chunks=700)[chosen]
    expected = BatchStatScaler().fit(rows, sample_weight=WEIGHTS[GAPS[:, 3] > 4])
    found = BatchStatScaler().fit(given[chosen], sample_weight=weights)
    assert_same_statistics(found, expected, rtol=1e-13)
    series = dd.from_pandas(pd.Series(WEIGHTS), npartitions=5)
    found = BatchStatScaler().fit(frame(GAPS), sample_weight=series)
    expected = BatchStatScaler().fit(FRAME, sample_weight=WEIGHTS)
    assert_same_statistics(found, expected, rtol=1e-13)


def test_fit_transform_takes_weights():
    expected = BatchStatScaler().fit(GAPS, sample_weight=WEIGHTS)
    found = BatchStatScaler()
    scaled = found.fit_transform(array(GAPS), sample_weight=WEIGHTS)
    assert_same_statistics(found, expected, rtol=1e-13)
    np.testing.assert_allclose(as_array(scaled), expected.transform(GAPS), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(7), r"sample_weight.shape == \(7,\), expected \(3000,\)"),
        (np.ones((3000, 2)), "one weight for each row"),
        (-WEIGHTS, "[Nn]egative"),
        (np.zeros(3000), "no rows with a weight above 0"),
        (np.full(3000, np.nan), "NaN"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        BatchStatScaler().fit(array(GAPS), sample_weight=weights)


def test_bad_arrays():
    for bad, message in [
        (da.ones(5), "Expected 2D array, got 1D"),
        (da.ones((5, 2), dtype=complex), "complex"),
        (da.from_array(np.array([["a", "b"]])), "not numeric"),
    ]:
        with pytest.raises(ValueError, match=message):
            BatchStatScaler().fit(bad)
    scaler = BatchStatScaler().fit(array(GAPS))
    with pytest.raises(ValueError, match="3 features"):
        scaler.transform(array(GAPS[:, :3], (700, 3)))
    keyed = dd.from_pandas(FRAME.assign(city="x"), npartitions=2)
    with pytest.raises(ValueError, match=r"not numeric: 'city'"):
        BatchStatScaler().fit(keyed)


def test_an_error_in_one_block_leaves_the_state():
    rows = GAPS.copy()
    rows[2222, 1] = np.inf
    scaler = BatchStatScaler().fit(ROWS)
    before = dict(vars(scaler))
    for method in (scaler.fit, scaler.partial_fit):
        with pytest.raises(ValueError, match=r"In block 3 of X.*infinity.*feature 1, row 122\b"):
            method(array(rows))
        assert vars(scaler) == before
    with pytest.raises(ValueError, match=r"In block 3 of X.*infinity.*feature 1, row 122\b"):
        scaler.transform(array(rows)).compute()


def test_an_error_in_one_partition_says_in_which():
    rows = FRAME.copy()
    rows.loc[2222, "b"] = np.inf
    frame = dd.from_pandas(rows, npartitions=4)
    row = 2222 - frame.divisions[2]
    scaler = BatchStatScaler().fit(FRAME)
    for call in (lambda: scaler.fit(frame), lambda: scaler.transform(frame).compute()):
        with pytest.raises(ValueError, match=rf"In partition 2 of X.*'b'\), row {row}\b"):
            call()


def test_nothing_is_computed_before_it_is_asked_for():
    def refuse(block):
        raise AssertionError("computed")

    lazy = array(GAPS).map_blocks(refuse, dtype=float, meta=np.empty((0, 0)))
    scaler = BatchStatScaler().fit(GAPS)
    scaler.transform(lazy)
    scaler.inverse_transform(lazy)
    LayerScaler().fit(lazy).transform(lazy)
    with pytest.raises(AssertionError, match="computed"):
        scaler.fit(lazy)


def test_persisted_blocks_are_never_written():
    given = array(ROWS).persist()
    scaler = BatchStatScaler(copy=False).fit(given)
    scaler.transform(given).compute()
    L2Normalizer(copy=False).fit(given).transform(given).compute()
    np.testing.assert_array_equal(given.compute(), ROWS)


def test_a_lazy_result_is_of_the_state_that_it_was_made_in():
    given = array(ROWS)
    scaler = BatchStatScaler().fit(given)
    expected = scaler.transform(ROWS)
    scaled = scaler.transform(given)
    scaler.fit(given * 2)
    scaler.mean_[:] = 9
    np.testing.assert_array_equal(scaled.compute(), expected)


def test_tokens():
    given = array(ROWS)
    scaler = BatchStatScaler().fit(given)
    name = scaler.transform(given).name
    assert scaler.transform(given).name == name
    assert pickle.loads(pickle.dumps(scaler)).transform(given).name == name
    assert scaler.inverse_transform(given).name != name
    assert clone(scaler).fit(given * 2).transform(given).name != name


@pytest.mark.parametrize("unseen", ["pooled", "error"])
def test_groups_of_an_array(unseen):
    rows = np.column_stack([np.arange(3000) % 7 + 5.0, ROWS])
    found = GroupScaler(by=0, unseen=unseen).fit(array(rows, (700, 5)))
    expected = GroupScaler(by=0, unseen=unseen).fit(rows)
    scaled = found.transform(array(rows, (700, 5)))
    np.testing.assert_allclose(scaled.compute(), expected.transform(rows), rtol=1e-12)


def test_groups():
    keys = np.array(["x", "y", "z"])[np.arange(3000) % 3]
    keyed = FRAME.assign(site=keys)
    expected = GroupScaler(by="site").set_output(transform="pandas").fit(keyed)
    given = dd.from_pandas(keyed, npartitions=4)
    found = GroupScaler(by="site").fit(given)
    assert list(found.groups_) == list(expected.groups_)
    scaled = found.transform(given).compute()
    in_memory = expected.transform(keyed)
    assert list(scaled.columns) == list(in_memory.columns)
    np.testing.assert_allclose(scaled[NAMES], in_memory[NAMES], rtol=1e-12)
    assert list(scaled["site"]) == list(keys)
    drifted = expected.check_drift(keyed.assign(**{NAMES[0]: keyed[NAMES[0]] + 1e3}))
    moved = given.assign(**{NAMES[0]: given[NAMES[0]] + 1e3})
    table = expected.check_drift(moved).table
    assert list(table["verdict"]) == list(drifted.table["verdict"])
    np.testing.assert_allclose(table["shift"], drifted.table["shift"], rtol=1e-9, atol=1e-12)


@each_kind
def test_drift(kind):
    scaler = BatchStatScaler().fit(memory(kind))
    moved = np.add(GAPS, [0.0, 1e-3, 0.0, 0.0])
    found = scaler.check_drift(KINDS[kind](moved))
    named = pd.DataFrame(moved, columns=NAMES)
    expected = scaler.check_drift(named if kind == "frame" else moved)
    assert list(found.table["verdict"]) == list(expected.table["verdict"])
    for name in ("shift", "spread_ratio", "missing", "outside", "p_value"):
        np.testing.assert_allclose(found.table[name], expected.table[name], rtol=1e-10, atol=1e-13)


def test_numbers_of_types_that_pandas_has_beside_those_of_numpy():
    frame = pd.DataFrame(
        {
            "category": pd.Categorical([1.5, 2.5, 1.5, 4.0] * 5),
            "decimal": pd.array(
                [Decimal("1.5"), None, Decimal("2.25"), Decimal("3")] * 5,
                dtype=pd.ArrowDtype(pa.decimal128(10, 2)),
            ),
            "arrow": pd.array([1.0, 2.0, None, 4.0] * 5, dtype="float[pyarrow]"),
            "flag": pd.array([True, False, None, True] * 5, dtype="boolean"),
        }
    )
    lazy = dd.from_pandas(frame, npartitions=3)
    found = BatchStatScaler().fit(lazy)
    assert_same_statistics(found, BatchStatScaler().fit(frame))
    np.testing.assert_allclose(found.transform(lazy).compute(), found.transform(frame), rtol=1e-14)
    text = dd.from_pandas(frame.assign(kind=pd.Categorical(["a", "b"] * 10)), npartitions=3)
    with pytest.raises(ValueError, match=r"not numeric: 'kind' \(category\)"):
        found.fit(text)


def test_a_frame_of_numbers_for_names():
    given = dd.from_pandas(pd.DataFrame(GAPS), npartitions=3)
    found = BatchStatScaler().fit(given)
    assert not hasattr(found, "feature_names_in_")
    scaled = found.transform(given).compute()
    assert list(scaled.columns) == [0, 1, 2, 3]
    np.testing.assert_array_equal(scaled, found.transform(GAPS))
    with pytest.raises(ValueError, match="not numeric: '1'"):
        BatchStatScaler().fit(given.assign(**{"1": "x"})[["1"]])


def test_partial_fit_goes_on():
    found = BatchStatScaler().partial_fit(array(GAPS[:1000])).partial_fit(array(GAPS[1000:]))
    assert_same_statistics(found, BatchStatScaler().fit(GAPS))


# A cluster of processes


def slow(block):
    time.sleep(0.15)
    return block


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of two worker processes of 400 MB each."""
    distributed = pytest.importorskip("distributed")
    folder = str(tmp_path_factory.mktemp("dask"))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="400MB", dashboard_address=None,
            local_directory=folder, silence_logs=50, protocol="tcp",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        yield client


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")
def test_a_worker_killed_in_mid_fit_gives_the_same_bits(client):
    rows = da.random.default_rng(0).normal(3.0, 2.0, size=(400_000, 5), chunks=(20_000, 5))
    expected = BatchStatScaler().fit(rows)
    victims = list(client.run(os.getpid).values())
    timer = threading.Timer(0.7, lambda: os.kill(victims[0], signal.SIGKILL))
    timer.start()
    found = BatchStatScaler().fit(rows.map_blocks(slow))
    assert not timer.is_alive()
    assert victims[0] not in client.run(os.getpid).values()
    np.testing.assert_array_equal(found.mean_, expected.mean_)
    np.testing.assert_array_equal(found.var_, expected.var_)


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")
def test_more_data_than_the_memory_of_a_worker(client):
    rows = da.random.default_rng(0).normal(size=(6_000_000, 16), chunks=(100_000, 16))
    assert rows.nbytes > 400e6
    scaler = BatchStatScaler().fit(rows)
    scaled = scaler.transform(rows)
    np.testing.assert_allclose(scaled.mean(axis=0).compute(), 0.0, atol=1e-12)
    assert client.submit(pickle.dumps, scaler).result()
