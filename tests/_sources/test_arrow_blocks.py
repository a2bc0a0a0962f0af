"""Blocks that batches of Arrow are joined to, or cut in, before they are worked on."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from sknorm._sources import arrow

COLUMNS = 10
LEAST, MOST = (size // (8 * COLUMNS) for size in (arrow.BLOCK_BYTES, arrow.MOST_BYTES))


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


@pytest.mark.parametrize("group", [1_000, 100_000, 500_000])
def test_parts_of_row_groups(tmp_path, group):
    """A block is no more than a third of the row group that is in memory, or the least."""
    table = pa.Table.from_batches([numbered(500_000)])
    path = tmp_path / "rows.parquet"
    pa.parquet.write_table(table, path, row_group_size=group, compression="none")
    blocks = list(arrow.open_parquet(path).blocks())
    assert pa.concat_tables(blocks).equals(table)
    most = max(LEAST, min(MOST, group // 3))
    assert max(block.num_rows for block in blocks) <= most + (group if group < LEAST else 0)
