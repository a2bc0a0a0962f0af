"""The views of three axes that the loops walk over."""

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from sknorm._backends.layout import (
    as_floats,
    channel_view,
    group_view,
    is_writable,
    output_dtype,
    sample_blocks,
)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(6, 4), (6, 1), (1, 4), (6, 4, 3), (6, 4, 3, 2)])
def test_views_share_memory_and_keep_channels_together(shape, order):
    x = np.arange(float(np.prod(shape))).reshape(shape, order=order)
    view = channel_view(x)
    if view is None:
        assert order == "F"
        assert x.ndim > 2
        return
    assert view.flags.c_contiguous
    assert np.shares_memory(view, x)
    for channel in range(shape[1]):
        assert sorted(view[:, channel].ravel()) == sorted(x[:, channel].ravel())


@pytest.mark.parametrize("order", ["C", "F"])
def test_group_views_hold_one_group_of_one_sample(order):
    x = np.asarray(np.arange(24.0).reshape(4, 6), order=order)
    view = group_view(x, 3)
    groups = np.moveaxis(view, 1, 2).reshape(-1, 2)
    assert sorted(map(tuple, groups)) == sorted(map(tuple, x.reshape(12, 2)))


@pytest.mark.parametrize("view_of", [channel_view, lambda x: group_view(x, 1)])
def test_what_is_strided_or_not_aligned_has_no_view(view_of):
    assert view_of(np.zeros((8, 8))[::2, ::2]) is None
    raw = np.zeros(8 * 12 + 1, dtype=np.uint8)[1:]
    assert view_of(raw.view(np.float64).reshape(3, 4)) is None


def test_blocks_cover_all_samples_once_and_are_small():
    x = np.zeros((1000, 3000), dtype=np.int8)
    blocks = list(sample_blocks(x))
    assert [i for block in blocks for i in range(block.start, block.stop)] == list(range(1000))
    assert all(as_floats(x[block]).nbytes <= 1 << 19 for block in blocks)


@pytest.mark.parametrize(
    ("given", "result"),
    [("<f4", "=f4"), (">f4", "=f4"), (">f8", "=f8"), ("f2", "f2"), ("i1", "f8"), ("g", "f8")],
)
def test_floats_up_to_64_bits_stay(given, result):
    assert output_dtype(np.dtype(given)) == np.dtype(result)


def test_what_shares_memory_is_not_overwritten():
    base = np.zeros(64)
    for shape in itertools.product([1, 2, 3], [1, 3], [1, 2]):
        for steps in itertools.product([0, 1, 2, 3, 6, -1, -3], repeat=3):
            offset = 32
            places = sum(
                np.arange(n).reshape(np.roll([n, 1, 1], axis)) * step
                for axis, (n, step) in enumerate(zip(shape, steps, strict=True))
            )
            strides = [step * base.itemsize for step in steps]
            x = as_strided(base[offset:], shape, strides)
            if is_writable(x):
                assert np.unique(places).size == x.size, (shape, steps)
    for x in (base.reshape(8, 8), base.reshape(4, 4, 4).transpose(1, 2, 0)[::-1, ::2]):
        assert is_writable(x)
        x.flags.writeable = False
        assert not is_writable(x)
