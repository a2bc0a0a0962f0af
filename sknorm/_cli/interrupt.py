"""Ctrl-C on the command line: the first stops the fits, and no other keeps their results back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupted_once() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C interrupt what is done within, but only once.

    Calling what is given ends that too: what follows takes a moment, and is done to its end.
    Elsewhere than in the main thread, and where Ctrl-C does something else, nothing changes.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: None
        return

    def ignore() -> None:
        # So do processes that are started from now on: joblib ends its workers with some.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def interrupt(*_: Any) -> None:
        ignore()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield ignore
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
