"""The next item is made while this one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_END = object()


def one_ahead(items: Iterator[Any]) -> Iterator[Any]:
    """Yield items, of which the next one is taken in a thread meanwhile.

    There are never more than two in memory. An error comes in the place of the item that it is
    of. ``items`` must not depend on the thread that it is called in.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="sknorm-reader") as reader:
        coming = reader.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = reader.submit(next, items, _END)
            yield item
