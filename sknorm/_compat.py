"""What scikit-learn and joblib do not make public, or only in some versions: with why.

- The namespace and the device of an array of any library: array-api-compat, which scikit-learn
  ships under a private name, so that it is there without being a dependency of its own.
- The output container that ``set_output`` asked for, and how to make it: a transform of all
  features gets it from scikit-learn, but one of some features and inverse_transform do not, and
  there is no public getter.
- Fit callbacks: public but experimental, and only from scikit-learn 1.9 on. Copies that fit parts
  of the data must not have them, and nothing public takes them from a fit that is under way.
- Whether joblib's workers are threads, and what it pickles with: nothing public tells.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
from joblib.parallel import get_active_backend
from numpy.typing import NDArray
from sklearn.utils._set_output import (
    _get_container_adapter,
    _get_output_config,
    _wrap_data_with_container,
)
from sklearn.utils.metaestimators import available_if as _available_if

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in where scikit-learn has no callbacks."""

    def _with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        return method


# By name, for the types in it would make mypy look for those of all of scikit-learn.
array_api_compat: Any = importlib.import_module("sklearn.externals.array_api_compat")
numpy_namespace: Any = importlib.import_module("sklearn.externals.array_api_compat.numpy")

__all__ = [
    "CallbackSupportMixin",
    "array_namespace",
    "as_frame",
    "as_numpy",
    "asks_for_dataframe",
    "available_if",
    "beside",
    "cloudpickle",
    "device",
    "has_threads",
    "is_traced",
    "notify_callbacks",
    "root_of",
    "version",
    "widest_float",
    "with_callbacks",
    "without_callbacks",
    "wrap_output",
]


Method = TypeVar("Method", bound=Callable[..., Any])
Subtask = Callable[[], AbstractContextManager[None]]


def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """Return scikit-learn's decorator of methods that some objects lack, with a type."""
    return cast(Callable[[Method], Method], _available_if(check))


@cache
def version() -> str:
    """Return the version of sknorm that is installed."""
    return importlib.metadata.version("sknorm")


def root_of(x: Any) -> str:
    """Return the name of the library that an object is of."""
    return root_of_class(type(x))


def root_of_class(cls: type) -> str:
    """Return the name of the library that a class is of; those of ctypes are of none."""
    return (cls.__module__ or "").partition(".")[0]


def array_namespace(x: Any) -> Any:
    """Return the array API namespace of x: NumPy's for all that is no array of another library."""
    if isinstance(x, (np.ndarray, np.generic)) or not hasattr(x, "__dlpack__"):
        return numpy_namespace
    return array_api_compat.array_namespace(x)


def device(x: Any) -> Any:
    """Return the device of an array; None for one that jax.jit traces, which has none yet."""
    return None if _is_traced_by_jax(x) else array_api_compat.device(x)


def is_traced(x: Any) -> bool:
    """Tell whether a program is made of what is done with x: by jax.jit, or torch's export."""
    return _is_traced_by_jax(x) or (root_of(x) == "torch" and _is_traced_by_torch())


def _is_traced_by_jax(x: Any) -> bool:
    return root_of(x) in ("jax", "jaxlib") and isinstance(x, sys.modules["jax"].core.Tracer)


def _is_traced_by_torch() -> bool:
    torch = sys.modules["torch"]
    compiler = getattr(torch, "compiler", None)  # since 2.1, and able to tell later still
    is_exporting = getattr(compiler, "is_exporting", lambda: False)
    return bool(torch.jit.is_tracing() or is_exporting())


def widest_float(xp: Any, where: Any) -> Any:
    """Return the most precise floating dtype of a namespace and device."""
    if getattr(where, "type", None) == "mps":  # Apple's GPUs
        return xp.float32
    known = xp.__array_namespace_info__().dtypes(kind="real floating")
    return known.get("float64", xp.float32)


# The others of torch, such as bfloat16, NumPy does not have.
NUMPY_FLOATS = ("torch.float16", "torch.float32", "torch.float64")


def as_numpy(x: Any) -> NDArray[Any]:
    """Return an array of any library and device as a NumPy array."""
    if isinstance(x, np.ndarray) or not hasattr(x, "__dlpack__"):
        return np.asarray(x)
    if root_of(x) == "torch":
        x = x.detach().cpu().resolve_conj().resolve_neg()
        is_narrow = x.is_floating_point() and str(x.dtype) not in NUMPY_FLOATS
        return np.asarray(x.float() if is_narrow else x)
    if root_of(x) == "cupy":
        return np.asarray(x.get())
    try:
        xp = array_namespace(x)
    except TypeError:  # it has memory, but no library of arrays, such as an array of Arrow
        return np.asarray(x)
    cpu = xp.Device("CPU_DEVICE") if root_of(x) == "array_api_strict" else "cpu"
    on_host = x if root_of(x) in ("jax", "jaxlib") else array_api_compat.to_device(x, cpu)
    return np.asarray(on_host)


def asks_for_dataframe(estimator: Any) -> str | None:
    """Return the name of the data frame library that ``set_output`` chose, if any."""
    chosen: str = _get_output_config("transform", estimator)["dense"]
    return None if chosen == "default" else chosen


def wrap_output(estimator: Any, result: Any, original: Any) -> Any:
    """Return a result of transform in the container that ``set_output`` chose."""
    return _wrap_data_with_container("transform", result, original, estimator)


def as_frame(estimator: Any, result: Any, original: Any, names: Callable[[], Any]) -> Any:
    """Return a result as the data frame that ``set_output`` chose, if any, with these names."""
    adapter = _get_container_adapter("transform", estimator)
    if adapter is None or not isinstance(result, np.ndarray) or result.ndim != 2:
        return result
    return adapter.create_container(result, original, columns=names)


def beside(
    estimator: Any, pieces: list[tuple[Any, list[str]]], original: Any, order: list[int]
) -> Any:
    """Return pieces with their names as the data frame that ``set_output`` chose.

    ``order`` is that of all columns.
    """
    adapter = _get_container_adapter("transform", estimator)
    frames = [adapter.create_container(piece, original, columns=own) for piece, own in pieces]
    joined = adapter.hstack(frames)
    return joined.iloc[:, order] if hasattr(joined, "iloc") else joined[:, order]


def has_threads() -> bool:
    """Tell whether joblib's workers would share this process's memory."""
    return bool(getattr(get_active_backend()[0], "supports_sharedmem", False))


def cloudpickle() -> Any:
    """Return what joblib pickles with: a dependency of its own, or vendored in older versions."""
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return importlib.import_module("joblib.externals.cloudpickle")


def with_callbacks(method: Method) -> Method:
    """Decorate a fit that scikit-learn's callbacks follow, where it has them."""
    return cast(Method, _with_callbacks(method))


def without_callbacks(estimator: Any) -> Any:
    """Return an estimator that tells nobody of its fits, which are parts of another one."""
    for name in ("_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"):
        estimator.__dict__.pop(name, None)
    return estimator


@contextmanager
def notify_callbacks(
    estimator: Any, X: Any, y: Any, sample_weight: Any, max_subtasks: int | None = 0
) -> Iterator[Subtask]:
    """Tell scikit-learn's callbacks, where there are any, that one fit begins and ends.

    What is yielded tells them the same of a part of the fit; ``max_subtasks`` is how many parts
    there are at most, or None where that is not known.
    """
    if not hasattr(estimator, "_init_callback_context"):
        yield nullcontext
        return
    context = estimator._init_callback_context(max_subtasks=max_subtasks)
    task = {"estimator": estimator, "X": X, "y": y, "metadata": {"sample_weight": sample_weight}}

    @contextmanager
    def subtask() -> Iterator[None]:
        part = context.subcontext(task_name="batch")
        part.call_on_fit_task_begin(estimator=estimator)
        yield
        part.call_on_fit_task_end(estimator=estimator, reconstruction_attributes={})

    context.call_on_fit_task_begin(**task)
    yield subtask
    context.call_on_fit_task_end(**task, reconstruction_attributes={})
