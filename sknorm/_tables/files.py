"""What a file is, by its first bytes; and its text, whatever packs and encodes it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sknorm._tables.errors import TableError, load

# The byte-order marks that files begin with, and what they say of the encoding.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PACKERS = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ\x00": lzma.decompress}
UNPACKING_ERRORS = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
ZIP = b"PK\x03\x04"
# Files that are no table of text, by how they begin.
FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an Excel file of before 2007, or one with a password: save it as .xlsx "
    "without one, or as CSV",
    b"ARROW1": "an Arrow file: save it as Parquet or CSV",
    b"\x89HDF": "an HDF5 file: save the table as Parquet or CSV",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"%PDF": "a PDF file: save the table as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it, and name the table in it",
    b"Rar!": "a RAR archive: unpack it, and name the table in it",
    b"\x89PNG": "a picture, not a table",
    b"\xff\xd8\xff": "a picture, not a table",
    b"\x93NUMPY": "a NumPy file: save the table as CSV or Parquet",
    b"MATLAB": "a MATLAB file: save the table as CSV",
    b"RDX": "an R data file: save the table as CSV, with write.csv",
    b"$FL": "an SPSS file: save the table as CSV",
    b"<stata_dta>": "a Stata file: save the table as CSV",
    b"\x80\x04": "a pickle: save the table as Parquet or CSV",
    b"\x80\x05": "a pickle: save the table as Parquet or CSV",
}
TEXT_FOREIGN = {
    "<": "HTML or XML, not a table: save the table as CSV",
    "{": "JSON, not a table: save the table as CSV or Parquet",
    "[{": "JSON, not a table: save the table as CSV or Parquet",
    "@relation": "an ARFF file: save the table as CSV",
}
# A line of dashes above or below the header of what Markdown and SQL's clients print.
DRAWN = re.compile(r"\s*(?:\+[-=+]+\+|\|[^\n]*\|[ \t]*\r?\n\|[-:| ]+\|)[ \t]*\r?\n")
DETECTED_BYTES = 200_000
WESTERN = "cp1252"
# What tables that are not UTF-8 are written in, most of all.
ENCODINGS = [WESTERN, "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "big5"]
ENCODINGS += ["euc_jp", "euc_kr"]
NON_ASCII_WORD = re.compile(rb"[^\s,;|\"]*[\x80-\xff][^\s,;|\"]*")
# What is written in Western Europe beyond ASCII, where neighbors have other signs.
WESTERN_SIGNS = frozenset(
    "àâäáãåæçèéêëìíîïñòóôöõøœùúûüýÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØŒÙÚÛÜÝ–—‘’“”„…€°²µ§©®™½¼¾«»·×±"
)


class Contents(NamedTuple):
    """What a file holds: its kind ("text", "parquet" or "excel") and its unpacked bytes."""

    kind: str
    data: bytes


def contents(path: Path) -> Contents:
    """Return what a file holds, unpacked."""
    if not path.exists():
        raise TableError(f"There is no file {path}.")
    if path.is_dir():
        raise TableError(f"{path} is a folder; name a file in it.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    return _identify(path, data)


def _identify(path: Path, data: bytes) -> Contents:
    if data.startswith(b"PAR1"):
        return Contents("parquet", data)
    for start, what in FOREIGN.items():
        if data.startswith(start):
            raise TableError(f"{path} is {what}.")
    try:
        if data.startswith(ZIP):
            return _unzip(path, data)
        for start, unpack in PACKERS.items():
            if data.startswith(start):
                return _identify(path, unpack(data))
    except UNPACKING_ERRORS as error:
        raise TableError(f"{path} cannot be unpacked, it seems damaged: {error}.") from error
    if data[257:262] == b"ustar":
        raise TableError(f"{path} is a tar archive: unpack it, and name the table in it.")
    return Contents("text", data)


def _unzip(path: Path, data: bytes) -> Contents:
    """Return the one file in a ZIP archive; an archive with sheets is an Excel file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if any(name.startswith("xl/") for name in names):
            return Contents("excel", data)
        if "mimetype" in names and b"opendocument" in archive.read("mimetype"):
            raise TableError(f"{path} is an OpenDocument file: save it as .xlsx or CSV.")
        if any(name.startswith("word/") for name in names):
            raise TableError(f"{path} is a Word document: save the table as CSV.")
        names = [n for n in names if not n.startswith("__MACOSX/") and ".DS_Store" not in n]
        if len(names) != 1:
            raise TableError(
                f"{path} is a ZIP archive of {len(names)} files"
                f"{': ' + ', '.join(names[:5]) if names else ''}. Unpack it, and name one of them."
            )
        return _identify(path, archive.read(names[0]))


def decode(path: Path, data: bytes, encoding: str | None, notes: list[str]) -> str:
    """Return the text of a file: in the encoding given, or found by its mark or its bytes."""
    if encoding is None:
        encoding = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if encoding is None:
        encoding = _detect(data)
        if encoding != "utf-8":
            notes.append(
                f"The file is not UTF-8; its encoding was taken to be {encoding} (--encoding says "
                "another)."
            )
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise TableError(f"There is no encoding called {encoding!r}.") from error
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        line = data.count(b"\n", 0, place) + 1
        raise TableError(
            f"{path} is not {encoding.upper()}: byte 0x{data[place]:02x} in line {line}. "
            "Leave out --encoding to have it detected, or name another."
        ) from error
    if "\x00" in text:
        raise TableError(f"{path} is a binary file, not a table: save the table as CSV.")
    text = text.lstrip("\ufeff")
    if DRAWN.match(text):
        raise TableError(f"{path} is a table drawn with lines, as for reading: save it as CSV.")
    start = text.lstrip()[:9].lower()
    for begin, what in TEXT_FOREIGN.items():
        if start.startswith(begin):
            raise TableError(f"{path} is {what}.")
    return text


def _detect(data: bytes) -> str:
    """Return UTF-8 where the bytes are that, or what charset-normalizer takes them for."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    if data[1:2] == b"\x00" or data[:1] == b"\x00":
        return "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
    words = b"\n".join(dict.fromkeys(NON_ASCII_WORD.findall(data[:DETECTED_BYTES])))
    # Repeated, for a few words are fewer than the detection is made for.
    found = load("charset_normalizer").from_bytes((words + b"\n") * 10, cp_isolation=ENCODINGS)
    best = found.best()
    if best is None or best.encoding in ("cp1250", "cp1254"):
        with suppress(UnicodeDecodeError):
            if set(re.sub(r"[\x00-\x7f]", "", words.decode(WESTERN))) <= WESTERN_SIGNS:
                return WESTERN
    return WESTERN if best is None else str(best.encoding)
