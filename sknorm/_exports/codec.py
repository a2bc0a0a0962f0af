"""Values as what JSON can hold, and back, without losing a bit.

JSON has no NaN, no arrays and only text for keys. What it lacks is an object with one key that
says what it stands for: ``{"array": …}``, ``{"tuple": …}``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
DTYPES = ("float64", "float32", "float16", "int64", "int32", "bool", "uint8", "object")
DATES = tuple(f"{kind}64[{unit}]" for kind in ("datetime", "timedelta") for unit in ("ns", "us"))
Encoder = Callable[[Any], Any]


def encode(value: Any, other: Encoder) -> Any:
    """Return a value as plain JSON; ``other`` does so with what is not known here.

    Raises
    ------
    TypeError
        If the value is of no kind that can be told from JSON again.
    """
    if isinstance(value, np.generic) and value.dtype.kind in "biufUS":
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": _name(value)}
    if isinstance(value, list):
        return [encode(item, other) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item, other) for item in value]}
    if isinstance(value, Mapping):
        pairs = [[encode(key, other), encode(item, other)] for key, item in value.items()]
        return {"pairs": pairs}
    if isinstance(value, np.ndarray):
        return _encode_array(value, other)
    if isinstance(value, np.generic) and str(value.dtype) in DATES:
        return {str(value.dtype): int(value.astype(np.int64))}
    return other(value)


def decode(value: Any, other: Encoder) -> Any:
    """Return what plain JSON stands for; ``other`` decodes what is not known here.

    Raises
    ------
    ValueError
        If it stands for nothing.
    """
    if isinstance(value, list):
        return [decode(item, other) for item in value]
    if not isinstance(value, dict):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        return value
    if len(value) == 1:
        (kind, content), *_ = value.items()
        if kind == "float" and content in NON_FINITE:
            return NON_FINITE[content]
        if kind == "tuple":
            return tuple(decode(item, other) for item in content)
        if kind == "pairs":
            return {decode(key, other): decode(item, other) for key, item in content}
        if kind in DATES and type(content) is int:
            return np.array(content).astype(kind)[()]
        if kind == "array":
            return _decode_array(content, other)
    return other(value)


def digest(content: Any) -> str:
    """Return a text that is another one for other content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _encode_array(array: NDArray[Any], other: Encoder) -> Any:
    shape = list(array.shape)
    if array.dtype == np.uint8:
        text = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return {"array": {"dtype": "uint8", "shape": shape, "base64": text}}
    if array.dtype.kind not in "biufOUS":
        return other(array)
    name = "object" if array.dtype.kind in "OUS" else array.dtype.name
    if name not in DTYPES:
        array, name = array.astype(np.float64), "float64"
    values = [encode(value, other) for value in array.ravel().tolist()]
    return {"array": {"dtype": name, "shape": shape, "values": values}}


def _decode_array(content: Any, other: Encoder) -> NDArray[Any]:
    if content.get("dtype") not in DTYPES:
        raise ValueError(f"arrays of {content.get('dtype')!r} are not known")
    dtype, shape = np.dtype(content["dtype"]), tuple(content["shape"])
    if "base64" in content:
        numbers = np.frombuffer(base64.b64decode(content["base64"], validate=True), dtype=np.uint8)
        return numbers.reshape(shape).copy()
    values = [decode(value, other) for value in content["values"]]
    fits = {"f": (int, float), "i": (int,), "b": (bool,)}.get(dtype.kind)
    if fits and not all(type(value) in fits for value in values):
        raise ValueError(f"an array of {dtype} has values of other types")
    array = np.empty(len(values), dtype=dtype)
    array[:] = values
    return array.reshape(shape)


def _name(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
