"""Streams of batches and lazy frames: the numbers of the same rows in memory."""

import pickle
import threading
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from inputs import (
    GAPS,
    LEARNERS,
    NAMES,
    NORMS,
    ROW_WISE,
    ROWS,
    ArrowTable,
    as_array,
    assert_same_statistics,
)
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from sknorm import (
    BatchStatScaler,
    GroupScaler,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
    compare_normalizers,
)

CONNECTION = duckdb.connect()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the rows in several Parquet files."""
    path = tmp_path_factory.mktemp("parquet")
    for part in range(3):
        table = pl.DataFrame(GAPS[part * 1000 : (part + 1) * 1000], schema=NAMES).to_arrow()
        pa.parquet.write_table(table, path / f"part{part}.parquet", row_group_size=300)
    return path


def polars_lazy(rows, _):
    return pl.DataFrame(rows, schema=NAMES).lazy()


def relation(rows, _):
    table = pl.DataFrame(rows, schema=NAMES).to_arrow()
    return CONNECTION.from_arrow(table)


def reader(rows, _):
    return pl.DataFrame(rows, schema=NAMES).to_arrow().to_reader(max_chunksize=250)


def dataset(rows, _):
    return pa.dataset.dataset(pl.DataFrame(rows, schema=NAMES).to_arrow())


def scanner(rows, _):
    return dataset(rows, _).scanner(batch_size=100)


def parquet_path(rows, folder):
    pa.parquet.write_table(pl.DataFrame(rows, schema=NAMES).to_arrow(), folder / "one")
    return folder / "one"


def parquet_file(rows, folder):
    return pa.parquet.ParquetFile(parquet_path(rows, folder))


def exporter(rows, _):
    return ArrowTable(pl.DataFrame(rows, schema=NAMES).to_arrow())


def arrays(rows, _):
    return (rows[start : start + 700] for start in range(0, len(rows), 700))


def frames(rows, _):
    parts = (rows[start : start + 700] for start in range(0, len(rows), 700))
    return (pd.DataFrame(part, columns=NAMES) for part in parts)


def collected(rows, _):
    return polars_lazy(rows, _).collect_batches(chunk_size=400)


KINDS = {f.__name__: f for f in (polars_lazy, relation, reader, dataset, scanner, parquet_path,
                                 parquet_file, exporter, arrays, frames, collected)}  # fmt: skip
NAMED = [name for name in KINDS if name != "arrays"]
each_kind = pytest.mark.parametrize("kind", KINDS)


def in_memory(estimator, kind):
    """Return an estimator fitted on the rows in memory as the stream's batches are."""
    named = pd.DataFrame(GAPS, columns=NAMES) if kind in NAMED else GAPS
    fit = getattr(clone(estimator), "partial_fit", clone(estimator).fit)
    return fit(named)


@each_kind
@pytest.mark.parametrize("estimator", [*LEARNERS, *ROW_WISE], ids=repr)
def test_fit_and_transform(estimator, kind, folder):
    expected = in_memory(estimator, kind)
    found = clone(estimator).fit(KINDS[kind](GAPS, folder))
    rank_error = 0.05 if isinstance(estimator, SquashingScaler) else 1e-14
    assert_same_statistics(found, expected, rtol=rank_error)
    given = KINDS[kind](GAPS, folder)
    scaled = found.transform(given)
    assert not isinstance(scaled, np.ndarray)
    named = pd.DataFrame(GAPS, columns=NAMES) if kind in NAMED else GAPS
    in_rows = found.transform(named)
    np.testing.assert_allclose(as_array(scaled), in_rows, rtol=1e-13, atol=1e-14)


@each_kind
@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_the_way_back(estimator, kind, folder):
    fitted = in_memory(estimator, kind)
    scaled = np.asarray(fitted.transform(pd.DataFrame(GAPS, columns=NAMES)
                                         if kind in NAMED else GAPS))  # fmt: skip
    found = as_array(fitted.inverse_transform(KINDS[kind](scaled, folder)))
    np.testing.assert_allclose(found, fitted.inverse_transform(scaled), rtol=1e-11, atol=1e-9)


@each_kind
@pytest.mark.parametrize("estimator", NORMS, ids=repr)
def test_norms(estimator, kind, folder):
    found = as_array(clone(estimator).fit(KINDS[kind](ROWS, folder)).transform(
        KINDS[kind](ROWS, folder)))  # fmt: skip
    np.testing.assert_array_equal(found, clone(estimator).fit_transform(ROWS))


@pytest.mark.parametrize("kind", ["polars_lazy", "relation"])
def test_lazy_stays_lazy(kind, folder):
    given = KINDS[kind](GAPS, folder)
    scaled = BatchStatScaler().fit(given).transform(given)
    assert type(scaled) is type(given)
    if kind == "polars_lazy":
        assert "PYTHON" not in scaled.explain().upper()
        assert scaled.collect_schema() == given.collect_schema()


def test_row_wise_results_stay_lazy_in_polars(folder):
    seen = []
    given = polars_lazy(GAPS, folder).map_batches(lambda frame: seen.append(1) or frame)
    scaled = LayerScaler().fit(given).transform(given)
    assert not seen
    assert scaled.collect().shape == GAPS.shape


@pytest.mark.parametrize("kind", NAMED)
def test_names(kind, folder):
    scaler = BatchStatScaler().fit(KINDS[kind](GAPS, folder))
    assert list(scaler.feature_names_in_) == NAMES
    others = pl.DataFrame(GAPS, schema=["a", "b", "d", "c"])
    with pytest.raises(ValueError, match=r"names.*feature 2 is 'd', and 'c' was expected"):
        scaler.transform(others.lazy())
    with pytest.raises(ValueError, match=r"3 features.*expecting 4.*missing: 'd'"):
        scaler.transform(others.lazy().select("a", "b", "c"))


def test_a_glob_of_parquet_files(folder):
    found = BatchStatScaler().fit(str(folder / "part*.parquet"))
    assert_same_statistics(found, in_memory(BatchStatScaler(), "polars_lazy"))
    with pytest.raises(FileNotFoundError, match=r"no '.*nothing\*'"):
        BatchStatScaler().fit(str(folder / "nothing*"))
    (folder / "text").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"text.*cannot be read as Parquet"):
        BatchStatScaler().fit(folder / "text")


def test_types_of_columns():
    frame = pl.DataFrame(
        {
            "single": pl.Series(ROWS[:, 0], dtype=pl.Float32),
            "whole": (ROWS[:, 1] * 1e6).astype(int),
            "flag": ROWS[:, 2] > 0,
            "decimal": [Decimal(f"{v:.2f}") for v in ROWS[:, 3]],
            "gaps": [None if v > 3 else v for v in ROWS[:, 3]],
        }
    )
    plain = frame.to_pandas().astype(float).to_numpy()
    expected = BatchStatScaler().fit(plain)
    relation = CONNECTION.from_arrow(frame.to_arrow())
    for given in (frame.lazy(), relation, frame.to_arrow().to_reader()):
        found = BatchStatScaler().fit(given)
        np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-14)
        np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-14)
    scaled = found.transform(frame.lazy()).collect()
    assert scaled.schema["single"] == pl.Float32
    assert all(scaled.schema[name] == pl.Float64 for name in scaled.columns[1:])
    assert scaled["gaps"].null_count() == frame["gaps"].null_count()
    np.testing.assert_allclose(
        scaled.to_pandas().to_numpy(), expected.transform(plain), rtol=1e-6, atol=1e-6
    )


def test_what_is_missing_is_null_in_results_of_arrow():
    for missing in ([], [3], [0, 4]):
        x = np.arange(10.0).reshape(5, 2)
        x[missing, 1] = np.nan
        table = pa.table({"a": x[:, 0], "b": x[:, 1]})
        result = BatchStatScaler().fit(table).transform(table.to_reader()).read_all()
        assert result.column("b").null_count == len(missing)
        assert result.column("b").is_null().to_pylist() == list(np.isnan(x[:, 1]))
        assert result.column("a").null_count == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaler", [*LEARNERS, BatchStatScaler(gamma=2.0), LayerScaler()], ids=repr)
def test_what_is_missing_is_null_in_results_of_long_columns(scaler, dtype):
    """The loop tells whether there is NaN, where it does one column after the other."""
    rows = np.random.default_rng(0).normal(size=(20_000, 4)).astype(dtype)
    rows[[0, 7_000, 19_999], 1] = np.nan
    null = pa.array([None, *rows[1:, 2]], pa.from_numpy_dtype(dtype))
    table = pa.table([rows[:, 0], rows[:, 1], null, rows[:, 3]], names=NAMES)
    result = clone(scaler).fit(table).transform(table.to_reader()).read_all()
    expected = as_array(clone(scaler).fit(table).transform(table))
    assert np.isnan(expected).sum() >= 4
    for place, column in enumerate(result.columns):
        is_null = column.is_null().to_numpy()
        np.testing.assert_array_equal(is_null, np.isnan(expected[:, place]))
        values = column.to_numpy()
        np.testing.assert_array_equal(values, expected[:, place])


@pytest.mark.parametrize("chunk", range(3))
def test_nulls_of_one_chunk_of_many(chunk):
    rows = np.random.default_rng(0).normal(size=(15_000, 2))
    rows[5_000 * chunk + 7, 1] = np.nan
    parts = [pa.record_batch(list(part.T), names=list("ab")) for part in np.split(rows, 3)]
    table = pa.Table.from_batches(parts)
    result = BatchStatScaler().fit(table).transform(table.to_reader()).read_all()
    assert [column.null_count for column in result.columns] == [0, 1]
    assert result.column("b").is_null().to_pylist() == list(np.isnan(rows[:, 1]))


class Doubled(BatchStatScaler):
    """A scaler of a user, with a transform of its own."""

    def transform(self, X, copy=None, *, columns=None):
        return 2.0 * super().transform(X, copy, columns=columns)


def test_a_transform_of_a_users_class_is_taken():
    rows = np.random.default_rng(0).normal(size=(9_000, 2))
    table = pa.table(list(rows.T), names=list("ab"))
    scaler = Doubled().fit(table)
    reader = BatchStatScaler.transform(scaler, table.to_reader())
    np.testing.assert_array_equal(as_array(reader.read_all()), scaler.transform(table))


def test_what_becomes_nan_is_null():
    """Of a number too, where statistics were set by hand."""
    rows = np.random.default_rng(0).integers(0, 3, (20_000, 2)).astype(float)
    table = pa.table(list(rows.T), names=list("ab"))
    scaler = BatchStatScaler().fit(table)
    scaler.mean_, scaler.scale_ = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    result = scaler.transform(table.to_reader()).read_all()
    np.testing.assert_array_equal(result.column("a").is_null().to_numpy(), rows[:, 0] == 1.0)
    assert result.column("b").null_count == 0


def test_a_column_of_nothing_but_null():
    lazy = pl.LazyFrame({"x": [None, None], "y": [1.0, 3.0]})
    found = BatchStatScaler().fit(lazy)
    np.testing.assert_array_equal(found.mean_, [np.nan, 2.0])
    assert found.transform(lazy).collect()["y"].to_list() == [-1.0, 1.0]
    relation = CONNECTION.sql("select null as x, y from (values (1.0), (3.0)) t(y)")
    found = BatchStatScaler().fit(relation)
    np.testing.assert_array_equal(found.mean_, [np.nan, 2.0])
    assert found.transform(relation).fetchall() == [(None, -1.0), (None, 1.0)]


@pytest.mark.parametrize(
    "name", ["^a.*$", "*", "AB", 'a"b', "a.b", "a b", "c1", "#1", "count", "é", "a;b", "a\nb"]
)
@pytest.mark.parametrize(
    "estimator", [*LEARNERS, LayerScaler(), GroupScaler(by="site", keep_by=False)], ids=repr
)
def test_names_that_engines_read_as_something_else(estimator, name):
    rows = np.random.default_rng(0).normal([1.0, 20.0, 300.0], size=(6, 3))
    frame = pl.DataFrame(rows, schema=["u", "v", "w"], orient="row")
    frame = frame.with_columns(site=pl.Series([1, 1, 1, 2, 2, 2]))
    names = [name, "ab", "c0", "site"]
    quoted = [text.replace('"', '""') for text in names]
    relation = CONNECTION.from_arrow(frame.to_arrow())
    relation = relation.project(", ".join(f'#{k + 1} AS "{text}"' for k, text in enumerate(quoted)))
    frame.columns = names
    fitted = clone(estimator).fit(frame)
    for source in (frame.lazy(), relation):
        found = clone(estimator).fit(source)
        if not isinstance(found, SquashingScaler):
            assert_same_statistics(found, fitted)
        scaled = in_frame(fitted.transform(source))
        assert scaled.columns == list(fitted.get_feature_names_out())
        np.testing.assert_allclose(scaled, fitted.transform(frame), rtol=1e-12, atol=1e-14)


def in_frame(result):
    """Return a lazy result as a frame of polars."""
    if isinstance(result, pl.LazyFrame):
        return result.collect()
    if isinstance(result, pa.RecordBatchReader):
        return pl.from_arrow(result.read_all())
    return pl.DataFrame(result.fetchall(), schema=result.columns, orient="row")


def test_numbers_that_are_kept_once_each_or_once_per_run():
    values = np.repeat([1.5, 2.0, 4.0], [5, 2, 3])
    of_categories = pa.array(values).dictionary_encode()
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([5, 7, 10], pa.int32()), [1.5, 2.0, 4.0])
    whole = pa.array([1, None] * 5, pa.int64()).dictionary_encode()
    table = pa.table({"categories": of_categories, "runs": runs, "whole": whole})
    found = BatchStatScaler().fit(table.to_reader(max_chunksize=4))
    expected = BatchStatScaler().fit(table)
    assert_same_statistics(found, expected, rtol=1e-15)
    scaled = found.transform(table.to_reader(max_chunksize=4)).read_all()
    assert set(scaled.schema.types) == {pa.float64()}
    np.testing.assert_allclose(scaled.to_pandas(), expected.transform(table), rtol=1e-14)
    text = pa.table({"x": pa.array(["1", "2"]).dictionary_encode()})
    with pytest.raises(ValueError, match=r"not numeric: 'x' \(dictionary<values=string"):
        BatchStatScaler().fit(text.to_reader())


def test_a_comparison_needs_rows_that_can_be_chosen():
    for x in (pl.LazyFrame({"x": [1.0, 2.0]}), iter([ROWS]), "rows.parquet"):
        with pytest.raises(TypeError, match=r"X is a .*Read it into an array"):
            compare_normalizers(SGDClassifier(), x, [0, 1])


def test_lazy_frames_of_narwhals():
    narwhals = pytest.importorskip("narwhals")
    with pytest.raises(TypeError, match=r"Pass X.to_native\(\)"):
        BatchStatScaler().fit(narwhals.from_native(pl.LazyFrame({"x": [1.0]})))


DATES = pl.DataFrame({"day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 9), eager=True),
                      "city": list("abcdefghi"), "x": np.arange(9.0)})  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        DATES.lazy(),
        CONNECTION.from_arrow(DATES.to_arrow()),
        DATES.to_arrow().to_reader(),
        pa.dataset.dataset(DATES.to_arrow()),
    ],
    ids=["polars", "duckdb", "reader", "dataset"],
)
@pytest.mark.parametrize("estimator", [BatchStatScaler(), LayerScaler()], ids=repr)
def test_dates_and_text_are_refused_by_name_before_anything_is_read(given, estimator):
    scaler = clone(estimator).fit(np.eye(3))
    before = dict(vars(scaler))
    for method in (scaler.fit, scaler.transform):
        with pytest.raises(ValueError, match=r"not numeric: 'day'.*'city'"):
            method(given)
    assert vars(scaler) == before


@each_kind
def test_infinity_deep_in_a_stream_is_named(kind, folder):
    bad = GAPS.copy()
    bad[2345, 2] = np.inf
    scaler = BatchStatScaler().fit(GAPS)
    before = dict(vars(scaler))
    name = r"feature 2 \('c'\)" if kind in NAMED else "feature 2"
    for method in (scaler.fit, scaler.partial_fit):
        with pytest.raises(ValueError, match=rf"In batch \d+ \(rows .*infinity.*{name}"):
            method(KINDS[kind](bad, folder))
        assert vars(scaler) == before


def test_a_stream_that_changes_its_columns():
    def changing():
        yield pd.DataFrame(GAPS[:10], columns=NAMES)
        yield pd.DataFrame(GAPS[:10], columns=["a", "b", "x", "d"])

    scaler = BatchStatScaler()
    with pytest.raises(ValueError, match=r"In batch 1 \(rows 10 to 19"):
        scaler.fit(changing())
    with pytest.raises(ValueError, match=r"In batch 1.*3 features"):
        scaler.fit(GAPS[:10, :width] for width in (4, 3))
    assert not scaler.__sklearn_is_fitted__()


def interrupted(error):
    yield GAPS[:100]
    raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the disk is gone")])
def test_an_interruption_leaves_the_state(error):
    scaler = BatchStatScaler().fit(ROWS)
    before = dict(vars(scaler))
    for method in (scaler.fit, scaler.partial_fit):
        with pytest.raises(type(error)):
            method(interrupted(error))
        assert vars(scaler) == before


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_going_on_after_saving(estimator):
    parts = [GAPS[:1000], GAPS[1000:1800], GAPS[1800:]]
    expected = clone(estimator).fit(iter(parts))
    first = clone(estimator).fit(iter(parts[:2]))
    found = pickle.loads(pickle.dumps(first)).partial_fit(iter(parts[2:]))
    assert_same_statistics(found, expected, rtol=0.05 if hasattr(found, "center_") else 1e-14)


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_momentum_takes_each_batch_of_a_loader_as_one(momentum):
    parts = [ROWS[start : start + 500] for start in range(0, 3000, 500)]
    expected = BatchStatScaler(momentum=momentum).fit(parts[0])
    found = BatchStatScaler(momentum=momentum).fit(parts[0])
    for part in parts[1:]:
        expected.partial_fit(part)
    assert_same_statistics(found.partial_fit(iter(parts[1:])), expected)


def test_what_is_wrong_with_a_parameter_is_said_at_the_first_batch():
    read = []
    batches = (read.append(k) or ROWS for k in range(5))
    with pytest.raises(ValueError, match=r"In batch 0 .* gamma has shape"):
        BatchStatScaler(gamma=[1.0, 2.0]).fit(batches)
    assert read == [0]


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_batches_that_are_sources_themselves(tmp_path, momentum):
    """What was learned before by parts is not lost, nor what comes after."""
    h5py = pytest.importorskip("h5py")
    parts = np.array_split(GAPS, 5)
    with h5py.File(tmp_path / "parts.h5", "w") as file:
        stored = [file.create_dataset(str(k), data=part) for k, part in enumerate(parts)]
        mixed = [parts[0], stored[1], stored[2], parts[3], parts[4]]
        found = BatchStatScaler(momentum=momentum).partial_fit(iter(mixed))
    expected = BatchStatScaler(momentum=momentum).partial_fit(iter(parts))
    assert_same_statistics(found, expected)
    assert set(vars(found)) == set(vars(expected))


def test_fit_takes_all_rows_whatever_the_momentum():
    parts = [ROWS[:1000], ROWS[1000:] * 2]
    expected = BatchStatScaler(momentum=0.3).fit(np.concatenate(parts))
    assert_same_statistics(BatchStatScaler(momentum=0.3).fit(iter(parts)), expected)
    groups = GroupScaler(BatchStatScaler(momentum=0.3), by="site")
    keyed = [KEYED[:1000], KEYED[1000:]]
    found = clone(groups).fit(iter(keyed))
    assert_same_statistics(found.pooled_, clone(groups).fit(KEYED).pooled_)
    assert found.pooled_.momentum == 0.3


def test_momentum_takes_a_lazy_frame_as_one_batch():
    one, two = ROWS[:1000], ROWS[1000:] * 2
    expected = BatchStatScaler(momentum=0.3).fit(one).partial_fit(two)
    found = BatchStatScaler(momentum=0.3).fit(one)
    found.partial_fit(pl.DataFrame(two, schema=NAMES).lazy())
    assert found.momentum == 0.3
    np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-14)
    np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-14)


def test_batches_of_sparse_arrays_and_tensors():
    torch = pytest.importorskip("torch")
    rows = np.where(ROWS > 2, ROWS, 0.0)
    parts = [sparse.csr_array(rows[start : start + 900]) for start in range(0, 3000, 900)]
    expected = BatchStatScaler().fit(sparse.csr_array(rows))
    found = BatchStatScaler().fit(iter(parts))
    assert_same_statistics(found, expected)
    scaled = list(found.transform(iter(parts)))
    assert all(sparse.issparse(part) for part in scaled)
    data = torch.utils.data.TensorDataset(torch.asarray(ROWS))
    loader = torch.utils.data.DataLoader(data, batch_size=700)
    found = BatchStatScaler().fit(loader)
    assert_same_statistics(found, BatchStatScaler().fit(ROWS))
    scaled = list(found.transform(loader))
    assert all(isinstance(part, torch.Tensor) for part in scaled)
    assert len(list(BatchStatScaler().fit_transform(loader))) == 5
    pairs = torch.utils.data.TensorDataset(torch.asarray(ROWS), torch.zeros(3000))
    with pytest.raises(TypeError, match="iterator of the features alone"):
        BatchStatScaler().fit(torch.utils.data.DataLoader(pairs))


def test_batches_with_positions():
    images = np.random.default_rng(0).normal(size=(90, 3, 5, 5))
    parts = [images[:40], images[40:]]
    found = BatchStatScaler().fit(iter(parts))
    assert_same_statistics(found, BatchStatScaler().fit(images))
    np.testing.assert_array_equal(
        np.concatenate(list(found.transform(iter(parts)))), found.transform(images)
    )


def test_what_is_no_stream_of_batches():
    with pytest.raises(TypeError, match=r"batch 0 has 1 dimension.*list\(X\)"):
        BatchStatScaler().fit(row for row in ROWS)
    with pytest.raises(TypeError, match=r"Batch 0 of X is a tuple of 2 arrays"):
        BatchStatScaler().fit(zip(ROWS, ROWS, strict=True))  # samples and targets of one width
    with pytest.raises(TypeError, match=r"Batch 1 of X is a LazyFrame, which is not in memory"):
        BatchStatScaler().fit(iter([ROWS, pl.DataFrame(ROWS).lazy()]))
    with pytest.raises(TypeError, match=r"fit_transform reads the data twice"):
        BatchStatScaler().fit_transform(iter([ROWS]))
    with pytest.raises(ValueError, match="no rows"):
        BatchStatScaler().fit(iter([]))
    with pytest.raises(ValueError, match="no rows"):
        BatchStatScaler().fit(pl.DataFrame(ROWS[:0], schema=NAMES).lazy())
    with pytest.raises(ValueError, match="sample_weight cannot be split"):
        BatchStatScaler().fit(iter([ROWS]), sample_weight=np.ones(3000))
    with pytest.raises(ValueError, match="takes no columns"):
        BatchStatScaler().fit(ROWS).transform(iter([ROWS]), columns=[1])


def test_a_later_fit_does_not_change_a_lazy_result():
    scaler = BatchStatScaler().fit(ROWS)
    expected = scaler.transform(ROWS)
    lazy = scaler.transform(pl.DataFrame(ROWS, schema=NAMES).lazy())
    stream = scaler.transform(iter([ROWS]))
    scaler.fit(ROWS * 2 + 1)
    scaler.mean_[:] = 7
    np.testing.assert_allclose(as_array(lazy), expected, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(next(stream), expected)


def test_a_stream_does_not_write_into_its_batches():
    rows = ROWS.copy()
    scaler = BatchStatScaler(copy=False).fit(iter([rows]))
    next(scaler.transform(iter([rows])))
    np.testing.assert_array_equal(rows, ROWS)


def test_many_threads_transform_while_one_updates():
    scaler, stop, wrong = BatchStatScaler().fit(ROWS), threading.Event(), []
    lazy = pl.DataFrame(ROWS[:50], schema=NAMES).lazy()

    def transform():
        while not stop.is_set():
            scaled = as_array(scaler.transform(lazy))
            # Rows doubled and shifted alike: the statistics of one state undo both.
            if abs(scaled.std(axis=0).mean() - scaled.std(axis=0)).max() > 1.0:
                wrong.append(scaled)

    threads = [threading.Thread(target=transform) for _ in range(3)]
    for thread in threads:
        thread.start()
    for step in range(40):
        scaler.fit(iter([ROWS * (1 + step % 2)]))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


KEYS = np.array(["x", "y", None], dtype=object)[np.arange(3000) % 3]
KEYED = pd.DataFrame(ROWS, columns=NAMES).assign(site=KEYS)


@pytest.mark.parametrize("keep_by", [True, False])
@pytest.mark.parametrize("kind", ["polars", "duckdb", "reader", "frames"])
def test_groups(kind, keep_by):
    table = pa.Table.from_pandas(KEYED)
    given = {
        "polars": lambda: pl.from_arrow(table).lazy(),
        "duckdb": lambda: CONNECTION.from_arrow(table),
        "reader": lambda: table.to_reader(max_chunksize=500),
        "frames": lambda: (KEYED[start : start + 500] for start in range(0, 3000, 500)),
    }[kind]
    scaler = GroupScaler(by="site", keep_by=keep_by).set_output(transform="pandas")
    expected = scaler.fit(KEYED).transform(KEYED)
    found = clone(scaler).fit(given())
    np.testing.assert_allclose(found.pooled_.mean_, scaler.pooled_.mean_, rtol=1e-14)
    assert list(found.groups_) == list(scaler.groups_)
    scaled = found.transform(given())
    if kind == "frames":
        return
    names = list(expected.columns)
    result = scaled.collect() if kind == "polars" else pl.from_arrow(scaled.read_all())
    assert result.columns == names
    numbers = [name for name in names if name != "site"]
    np.testing.assert_allclose(result[numbers].to_numpy(), expected[numbers], rtol=1e-12)
    if keep_by:
        assert result["site"].to_list() == list(KEYS)


@each_kind
@pytest.mark.parametrize(
    "estimator", [BatchStatScaler(), BatchStatScaler(n_channels=2), SquashingScaler()], ids=repr
)
def test_drift(estimator, kind, folder):
    scaler = in_memory(estimator, kind)
    moved = np.add(GAPS, [30.0, 1e-3, 1e6, 0.0])
    expected = scaler.check_drift(pd.DataFrame(moved, columns=NAMES) if kind in NAMED else moved)
    found = scaler.check_drift(KINDS[kind](moved, folder))
    assert any("shifted" in verdict for verdict in found.table["verdict"])
    for name, column in expected.table.items():
        if name in ("feature", "verdict"):
            assert list(found.table[name]) == list(column)
        else:
            np.testing.assert_allclose(found.table[name], column, rtol=1e-10, atol=1e-13)
    with pytest.raises(ValueError, match="alpha"):
        scaler.check_drift(KINDS[kind](moved, folder), alpha=2.0)


@pytest.mark.parametrize("kind", ["polars", "duckdb", "reader", "frames"])
@pytest.mark.parametrize(
    "estimator", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()], ids=repr
)
def test_drift_of_groups(estimator, kind):
    scaler = GroupScaler(estimator, by="site").fit(KEYED)
    moved = KEYED.copy()
    moved[NAMES] = np.add(GAPS, [0.0, 1e-3, 1e6, 0.0])
    moved.loc[:99, "site"] = "new"  # a group of the first blocks only
    moved.loc[2900:, "site"] = "newer"
    expected = scaler.check_drift(moved)
    table = pa.Table.from_pandas(moved)
    found = scaler.check_drift(
        {
            "polars": lambda: pl.from_pandas(moved).lazy(),
            "duckdb": lambda: CONNECTION.from_arrow(table),
            "reader": lambda: table.to_reader(max_chunksize=100),
            "frames": lambda: (moved[start : start + 500] for start in range(0, 3000, 500)),
        }[kind]()
    )
    assert list(found.new_groups) == list(expected.new_groups) == ["new", "newer"]
    assert any("shifted" in verdict for verdict in found.table["verdict"])
    for name, column in expected.table.items():
        if name in ("group", "feature", "verdict"):
            assert list(found.table[name]) == list(column)
        else:
            np.testing.assert_allclose(found.table[name], column, rtol=1e-9, atol=1e-12)


def test_drift_of_what_is_not_there():
    scaler = GroupScaler(by="site").fit(KEYED)
    lazy = pl.from_pandas(KEYED).lazy()
    with pytest.raises(ValueError, match="no group that was in fit"):
        scaler.check_drift(lazy.with_columns(site=pl.lit("nowhere")))
    with pytest.raises(ValueError, match="groups cannot be split"):
        scaler.check_drift(lazy, groups=KEYS)
    with pytest.raises(ValueError, match="no rows"):
        BatchStatScaler().fit(ROWS).check_drift(iter([]))


@pytest.mark.parametrize("momentum", [None, 0.5])
def test_callbacks_are_told_of_each_batch(momentum):
    pytest.importorskip("sklearn.callback")
    told = []

    class Recorder:
        def setup(self, estimator, context):
            told.append("setup")

        def on_fit_task_begin(self, estimator, context, **kwargs):
            told.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context, **kwargs):
            told.append(f"end {context.task_name}")

        def teardown(self, estimator, context):
            told.append("teardown")

    scaler = BatchStatScaler(momentum=momentum).set_callbacks(Recorder())
    parts = [ROWS[:1000], ROWS[1000:]]
    each = ["begin batch", "end batch"] * 2
    expected = ["setup", "begin fit", *each, "end fit", "teardown"]
    scaler.fit(iter(parts))
    assert told == expected
    told.clear()
    scaler.partial_fit(iter(parts))
    assert told == expected
    if momentum is None:
        np.testing.assert_allclose(scaler.mean_, ROWS.mean(axis=0), rtol=1e-13)


@pytest.mark.parametrize("by", [4, [4], np.array([-1]), ("site",)])
def test_the_key_is_found_as_in_frames_in_memory(by):
    lazy = pl.from_pandas(KEYED).lazy()
    found = GroupScaler(by=by).fit(lazy)
    assert set(found.groups_) == {"x", "y", None}
    assert found.transform(lazy).collect()["site"].to_list() == list(KEYS)


def test_keys_that_are_not_there():
    lazy = pl.from_pandas(KEYED).lazy()
    with pytest.raises(ValueError, match="no feature 9"):
        GroupScaler(by=9).fit(lazy)
    for method in (GroupScaler(by="site").fit, GroupScaler(by="site").fit_transform):
        with pytest.raises(ValueError, match="groups cannot be split"):
            method(lazy, groups=np.ones(3000))


@pytest.mark.parametrize("momentum", [None, 0.1])
def test_a_partial_fit_without_rows_is_refused(momentum):
    for scaler in (
        BatchStatScaler(momentum=momentum),
        BatchStatScaler(momentum=momentum).fit(ROWS),
    ):
        before = dict(vars(scaler))
        with pytest.raises(ValueError, match="no rows"):
            scaler.partial_fit(iter([ROWS[:0]]))
        assert vars(scaler) == before


def undecodable():
    yield ROWS
    yield Broken(ROWS)


class Broken(np.ndarray):
    """A batch whose error needs more than a message to be made."""

    def __new__(cls, rows):
        return np.asarray(rows).view(cls)

    def __array_finalize__(self, other):
        pass

    @property
    def dtype(self):
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "broken")


def test_errors_of_any_make_say_where_they_were():
    with pytest.raises(ValueError, match=r"In batch 1 .*broken"):
        BatchStatScaler().fit(undecodable())


def test_a_pipeline_fits_on_a_lazy_frame():
    lazy = pl.DataFrame(ROWS, schema=NAMES).lazy()
    pipeline = make_pipeline(BatchStatScaler(), LayerScaler()).fit(lazy)
    scaled = pipeline.transform(lazy)
    expected = make_pipeline(BatchStatScaler(), LayerScaler()).fit_transform(ROWS)
    np.testing.assert_allclose(as_array(scaled), expected, rtol=1e-12, atol=1e-12)


def test_a_model_that_learns_from_a_stream():
    target = (ROWS[:, 0] > 2).astype(int)
    scaler = BatchStatScaler().fit(iter([ROWS[:1500], ROWS[1500:]]))
    model = SGDClassifier(random_state=0)
    for number, batch in enumerate(scaler.transform(iter([ROWS[:1500], ROWS[1500:]]))):
        rows = slice(number * 1500, (number + 1) * 1500)
        model.partial_fit(batch, target[rows], classes=[0, 1])
    assert model.score(scaler.transform(ROWS), target) > 0.9


def test_extremes():
    rows = ROWS * [1e200, 1e-200, 1e297, 1.0]
    lazy = pl.DataFrame(rows, schema=NAMES).lazy()
    expected = BatchStatScaler().fit(rows)
    found = BatchStatScaler().fit(lazy)
    np.testing.assert_array_equal(found.mean_, expected.mean_)
    scaled = found.transform(lazy)
    np.testing.assert_allclose(as_array(scaled), expected.transform(rows), rtol=1e-13, atol=1e-14)
    back = found.inverse_transform(scaled)
    np.testing.assert_allclose(as_array(back), rows, rtol=1e-11)


@pytest.mark.parametrize("squash", [None, "soft", "tanh", "clip"])
def test_differences_beyond_the_range(squash):
    rows = np.array([-1.79, -0.4, 0.1, 0.3, 0.6, 0.7, 1.79])[:, None] * [1e308, 1e-308, 1.0]
    frame = pl.DataFrame(rows, schema=["a", "b", "c"])
    found = SquashingScaler(squash=squash).fit(frame)
    scaled = found.transform(frame.lazy())
    np.testing.assert_allclose(as_array(scaled), found.transform(frame), rtol=1e-13, atol=1e-14)
    back = found.inverse_transform(scaled)
    expected = found.inverse_transform(found.transform(frame))
    np.testing.assert_allclose(as_array(back), expected, rtol=1e-12)


def test_infinity_passes_a_lazy_squash_at_the_bound():
    rows = ROWS.copy()
    rows[0, :2] = np.inf, -np.inf
    scaler = SquashingScaler().fit(rows)
    lazy = scaler.transform(pl.DataFrame(rows, schema=NAMES).lazy())
    np.testing.assert_allclose(as_array(lazy), scaler.transform(rows), rtol=1e-14)


def test_set_output_leaves_streams_as_they_are():
    lazy = pl.DataFrame(ROWS, schema=NAMES).lazy()
    for estimator in (BatchStatScaler(), LayerScaler(), L2Normalizer()):
        scaled = estimator.set_output(transform="pandas").fit(lazy).transform(lazy)
        assert isinstance(scaled, pl.LazyFrame)


@pytest.mark.parametrize("estimator", [*LEARNERS, *ROW_WISE, GroupScaler(by="site")], ids=repr)
@pytest.mark.parametrize("output", ["pandas", "polars", "default"])
def test_batches_come_out_as_transform_gives_each(estimator, output):
    frame = pd.DataFrame(ROWS, columns=NAMES)
    frame = frame.assign(site=np.arange(3000) % 3) if hasattr(estimator, "by") else frame
    parts = [frame[:1000], frame[1000:]]
    fitted = clone(estimator).set_output(transform=output).fit(frame)
    for found, part in zip(fitted.transform(iter(parts)), parts, strict=True):
        expected = fitted.transform(part)
        assert type(found) is type(expected)
        assert list(getattr(found, "columns", [])) == list(getattr(expected, "columns", []))
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
