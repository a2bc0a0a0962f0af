"""What hands on its rows by Arrow's C data interface, as Ibis, DataFusion and others do."""

import importlib

import numpy as np
import pyarrow as pa
import pytest
from inputs import GAPS, NAMES, ArrowTable, as_array, assert_same_statistics

from sknorm import BatchStatScaler, GroupScaler, LayerScaler

TABLE = pa.table([pa.array(c, from_pandas=True) for c in GAPS.T], names=NAMES)


class Batch:
    """A record batch of such a library."""

    def __arrow_c_array__(self, requested_schema=None):
        return TABLE.combine_chunks().to_batches()[0].__arrow_c_array__(requested_schema)


class Stream:
    """A stream of such a library, which is read once."""

    def __init__(self):
        self._reader = TABLE.to_reader(700)

    def __arrow_c_stream__(self, requested_schema=None):
        if self._reader is None:
            raise RuntimeError("this stream is used up")
        reader, self._reader = self._reader, None
        return reader.__arrow_c_stream__(requested_schema)


class Iterated(Stream):
    """A stream that is an iterator too."""

    def __iter__(self):
        return self

    def __next__(self):
        raise AssertionError("its batches are of a library that is not known")


def test_what_can_be_read_again_is():
    table = ArrowTable(TABLE)
    result = BatchStatScaler().fit_transform(table).read_all()
    np.testing.assert_array_equal(as_array(result), BatchStatScaler().fit_transform(TABLE))
    assert BatchStatScaler().fit(table).fit(table).n_samples_seen_.sum() == np.isfinite(GAPS).sum()


@pytest.mark.parametrize("opened", [Stream, Iterated, Batch])
def test_streams_and_batches(opened):
    scaler = BatchStatScaler().fit(opened())
    assert_same_statistics(scaler, BatchStatScaler().fit(TABLE))
    result = scaler.transform(opened()).read_all()
    np.testing.assert_array_equal(as_array(result), scaler.transform(TABLE))


def test_what_is_read_once():
    stream = Stream()
    scaler = BatchStatScaler().fit(stream)
    with pytest.raises(ValueError, match=r"the Stream has no table .* used up.* opened anew"):
        scaler.transform(stream)
    with pytest.raises(TypeError, match="fit_transform reads the data twice, and the Iterated"):
        BatchStatScaler().fit_transform(Iterated())


def test_groups_and_text():
    keyed = TABLE.append_column("site", pa.array(np.arange(len(TABLE)) % 3).cast(pa.string()))
    found = GroupScaler(by="site").fit(ArrowTable(keyed))
    np.testing.assert_allclose(found.mean_, GroupScaler(by="site").fit(keyed).mean_, rtol=1e-12)
    assert found.transform(ArrowTable(keyed)).read_all().num_rows == len(TABLE)
    with pytest.raises(
        ValueError, match=r"columns of the ArrowTable are not numeric: 'site' \(string\)"
    ):
        BatchStatScaler().fit(ArrowTable(keyed))


def test_batches_of_a_library_that_is_not_known():
    found = BatchStatScaler().fit(iter([Batch(), ArrowTable(TABLE)]))
    assert_same_statistics(found, BatchStatScaler().fit(pa.concat_tables([TABLE, TABLE])))
    results = list(found.transform(iter([Batch(), ArrowTable(TABLE)])))
    np.testing.assert_array_equal(results[0], results[1])


def test_what_is_no_table():
    column = pa.chunked_array([[1.0, 2.0]])
    numbers = type("Numbers", (), {"__arrow_c_stream__": column.__arrow_c_stream__})()
    with pytest.raises(ValueError, match="the Numbers has no table to hand on"):
        BatchStatScaler().fit(numbers)


def test_without_pyarrow(monkeypatch):
    def missing(name, *args):
        if name == "pyarrow":
            raise ImportError(name)
        return original(name, *args)

    original = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"the ArrowTable is read by pyarrow.*sknorm\[frames\]"):
        LayerScaler().fit(ArrowTable(TABLE))
