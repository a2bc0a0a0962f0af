"""Blocks that batches of Arrow are joined to, or cut in, before they are worked on."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from sknorm import BatchStatScaler
from sknorm._sources import arrow, parquet

COLUMNS = 10
LEAST, MOST = (size // (8 * COLUMNS) for size in (arrow.LEAST_BYTES, arrow.MOST_BYTES))


def numbered(n_rows):
    rows = np.arange(n_rows, dtype=np.float64)
    return pa.record_batch({f"c{k}": rows + k for k in range(COLUMNS)})


@pytest.mark.parametrize(
    "sizes",
    [[2048] * 100, [1, 300_000, 0, 5, 60_000], [LEAST] * 3, [MOST], [MOST + 1], [0, 0], []],
    ids=["small", "mixed", "least", "most", "more", "empty", "none"],
)
def test_every_row_once_and_in_order(sizes):
    whole = numbered(sum(sizes))
    starts = np.cumsum([0, *sizes])
    batches = (whole.slice(start, size) for start, size in zip(starts, sizes, strict=False))
    stream = pa.RecordBatchReader.from_batches(whole.schema, batches)
    blocks = list(arrow.open_reader(stream).blocks())
    table = pa.Table.from_batches([whole])
    assert pa.concat_tables(blocks or [table.slice(0, 0)]).equals(table)
    assert all(LEAST <= block.num_rows <= 2 * MOST for block in blocks[:-1])


@pytest.mark.parametrize("group", [1_000, 100_000, 1_000_000])
def test_parts_of_row_groups(tmp_path, group):
    """A block is a row group, the least where it has less, or the most where it has more."""
    table = pa.Table.from_batches([numbered(1_000_000)])
    path = tmp_path / "rows.parquet"
    pa.parquet.write_table(table, path, row_group_size=group, compression="none")
    blocks = list(parquet.open_parquet(path).blocks())
    assert pa.concat_tables(blocks).equals(table)
    most = max(LEAST, min(MOST, group))
    assert most <= max(block.num_rows for block in blocks) or group < LEAST
    assert max(block.num_rows for block in blocks) <= most + (group if group < LEAST else 0)


def test_results_are_of_smaller_blocks(tmp_path):
    """Their memory is used again then, and two of them are there beside the block."""
    table = pa.Table.from_batches([numbered(500_000)])
    path = tmp_path / "rows.parquet"
    pa.parquet.write_table(table, path, compression="none")
    scaler = BatchStatScaler().fit(path)
    sizes = [batch.num_rows for batch in scaler.transform(path)]
    assert sum(sizes) == 500_000
    assert max(sizes) * 8 * COLUMNS <= arrow.RESULT_BYTES


def test_files_whose_columns_differ(tmp_path):
    """The first file says which columns there are, and of which types."""
    first = pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    second = pa.table({"b": pa.array([5, 6], pa.int32()), "c": [7.0, 8.0]})
    for name, table in {"0": first, "1": second, "2": first}.items():
        pa.parquet.write_table(table, tmp_path / f"{name}.parquet")
    (block,) = parquet.open_parquet(tmp_path / "*.parquet").blocks()
    assert block.column_names == ["a", "b"]
    assert block["a"].to_pylist() == [1.0, 2.0, None, None, 1.0, 2.0]
    assert block["b"].to_pylist() == [3.0, 4.0, 5.0, 6.0, 3.0, 4.0]


@pytest.mark.parametrize("what", ["text", "no Parquet", "nothing", "damaged"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, what):
    numbers = pa.table({"a": np.arange(100_000.0)})
    for name in ("0", "1"):
        pa.parquet.write_table(numbers, tmp_path / f"{name}.parquet")
    second = tmp_path / "1.parquet"
    if what == "text":
        pa.parquet.write_table(pa.table({"a": ["x"]}), second)
    else:
        whole = second.read_bytes()
        damaged = whole[:1000] + bytes(2000) + whole[3000:]
        second.write_bytes({"no Parquet": b"a,b" * 99, "nothing": b"", "damaged": damaged}[what])
    scaler = BatchStatScaler()
    with pytest.raises(ValueError, match=r"1\.parquet' cannot be read as Parquet with the columns"):
        scaler.fit(tmp_path)
    assert not hasattr(scaler, "mean_")
