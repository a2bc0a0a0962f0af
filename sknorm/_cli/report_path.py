"""The report of the command line: where it may go, known before the work, and writing it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sknorm._compare.html.report import GENERATOR


def check_report(given: str | None, data: str | None) -> Path | None:
    """Return the path of the report, if a report can and may be written there."""
    if given is None:
        return None
    path = Path(given)
    if os.path.isdir(path):
        raise ValueError(f"The report {path} is a folder; name a file in it.")
    if not os.path.isdir(path.parent):
        raise ValueError(f"The report cannot be written: there is no folder {path.parent}.")
    is_new = not os.path.exists(path)
    try:
        if not is_new:
            _check_overwritable(path, data)
        path.open("a").close()
    except OSError as error:
        raise _unwritable(path, error) from error
    if is_new:
        # Of a link that leads nowhere, the file it leads to.
        path.resolve().unlink()
    return path


def _check_overwritable(path: Path, data: str | None) -> None:
    """Refuse to write over anything but an earlier report."""
    if data is not None and os.path.exists(data) and os.path.samefile(path, data):
        raise ValueError(f"The report {path} is the file of the data: name another one.")
    if path.is_file() and path.stat().st_size and GENERATOR.encode() not in _start(path):
        raise ValueError(
            f"There is a file {path} already, which is no report of sknorm: name another one, or "
            "move it away."
        )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1000)


def write_report(
    comparison: Any, path: Path, data: str | None, notes: Sequence[str], code: str
) -> None:
    """Write the page and say where it is."""
    title = f"Which normalizer suits {Path(data).name if data else 'wine'}?"
    try:
        comparison.to_html(path, title=title, notes=notes, data=code)
    except OSError as error:
        raise _unwritable(path, error) from error
    print(f"Report: {path.resolve()}")


def _unwritable(path: Path, error: OSError) -> ValueError:
    return ValueError(f"The report {path} cannot be written: {error.strerror or error}.")
