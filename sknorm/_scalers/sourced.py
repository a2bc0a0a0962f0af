"""What makes the methods of a scaler take more than arrays and frames in memory.

The methods themselves know those only. A tensor in the memory of the host reaches them as an array,
and what they return becomes a tensor again. Of a source, such as a lazy frame or a cluster's
array, parts reach them, and fitted parts are merged.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from functools import partial, wraps
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from sknorm._compat import Subtask, notify_callbacks, with_callbacks, without_callbacks
from sknorm._scalers import parameters, state
from sknorm._scalers.block_map import BlockMap
from sknorm._scalers.columns import find_columns
from sknorm._scalers.drift_check import DriftReader
from sknorm._scalers.feature_names import check_columns
from sknorm._scalers.merging import MergeMixin
from sknorm._sources.kinds import open_source
from sknorm._sources.learning import Learner
from sknorm._sources.source import Source, Work
from sknorm._sources.streams import Batches, learn_in_turn
from sknorm._sources.tensors import as_tensor, host_view, is_tensor

Class = TypeVar("Class", bound=type)
Method = Callable[..., Any]


def reads_sources(cls: Class) -> Class:
    """Let the methods of a class of scalers, inherited ones too, take sources and tensors."""
    wrappers = {
        **dict.fromkeys(("fit", "partial_fit"), learns),
        "_learn_more": learns_by_parts,
        **dict.fromkeys(("transform", "inverse_transform", "fit_transform"), maps),
        "check_drift": reads,
    }
    for name, wrapper in wrappers.items():
        method = inspect.getattr_static(cls, name, None)
        if isinstance(method, FunctionType):
            setattr(cls, name, wrapper(method))
    return cls


def learns(method: Method) -> Method:
    """Return a method that learns from X, also where that is a source or a tensor."""
    forget = method.__name__ == "fit"
    return _looking(method, partial(_learn, forget=forget))


def learns_by_parts(method: Method) -> Method:
    """Return a method that learns from parts, also where one of them is a source or a tensor."""
    return _looking(method, _learn_part)


def reads(method: Method) -> Method:
    """Return a method that looks at X, also where that is a source or a tensor."""
    return _looking(method, _check_drift)


def _looking(method: Method, of_source: Method) -> Method:
    """Return a method that makes no X of X, and what it does where X is a source."""

    @wraps(method)
    def look(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        with state.underflow_allowed():
            if type(X) is np.ndarray:
                return method(self, X, *args, **kwargs)
            source, X = _opened(X, gradients=False)
            if source is None:
                return method(self, X, *args, **kwargs)
            given = _arguments(method, self, X, args, kwargs)
            if source.is_stored and given.get("groups") is not None:
                return method(self, source.read(), *args, **kwargs)
            return of_source(self, source, X, given)

    return look


def maps(method: Method) -> Method:
    """Return a method that returns X changed, also where that is a source or a tensor."""

    @wraps(method)
    def map_rows(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        with state.underflow_allowed():
            if type(X) is np.ndarray:
                return method(self, X, *args, **kwargs)
            given_X = X
            source, X = _opened(X)
            if source is None:
                result = method(self, X, *args, **kwargs)
                if X is given_X:
                    return result
                return given_X if result is X else as_tensor(result, given_X)
            given = _arguments(method, self, X, args, kwargs)
            if method.__name__ == "fit_transform":
                return _fit_and_apply(self, source, X, given)
            if source.is_stored:
                return method(_without_copy(self), source.read(), *args, **kwargs)
            return _apply(self, source, method.__name__, given)

    return map_rows


def _opened(X: Any, *, gradients: bool = True) -> tuple[Source | None, Any]:
    """Return what reads X in parts, if anything does, and X, as an array where it is a tensor."""
    if is_tensor(X):
        view = host_view(X, gradients=gradients)
        return None, X if view is None else view
    return open_source(X), X


def _arguments(
    method: Method, self: Any, X: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call by name, those of ``**kwargs`` too, without self and X."""
    signature = inspect.signature(method)
    given = signature.bind(self, X, *args, **kwargs).arguments
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= given.pop(name, {})
    return {name: value for name, value in given.items() if name not in ("self", "X")}


@state.all_or_nothing
@with_callbacks
def _learn(scaler: Any, source: Source, X: Any, given: dict[str, Any], *, forget: bool) -> Any:
    """Replace the state by that after all rows of a source."""
    _refuse_groups(source, given)
    prepared = without_callbacks(state.draft(scaler, forget=forget))
    weights = given.get("sample_weight")
    partial_fit = getattr(prepared, "partial_fit", prepared.fit)
    if weights is not None and "sample_weight" not in inspect.signature(partial_fit).parameters:
        raise ValueError(
            f"{type(prepared).__name__} takes no sample_weight of data in parts, of which it keeps "
            "sketches. Pass an array or a frame in memory, or leave it out."
        )
    keys = _keys(prepared, source.names)
    source.check_types(keys)
    if not forget and prepared.__sklearn_is_fitted__():
        check_columns(prepared, source.names, source.n_features)
    if not hasattr(prepared, "partial_fit"):
        _learn_shape(prepared, source)
        return state.commit(scaler, vars(prepared))
    with notify_callbacks(scaler, X, None, weights, max_subtasks=None) as subtask:
        if isinstance(source, Batches) and not forget and _has_momentum(prepared):
            found = _learn_in_turn(prepared, source, weights, subtask)
        else:
            found = _learn_whole(prepared, source, weights, subtask)
        if not found:
            raise ValueError(
                f"Found no rows with a weight above 0 in {source.kind}, while a minimum of 1 is "
                "required."
            )
        if forget:
            prepared._finish_fit()
        return state.commit(scaler, vars(prepared))


def _learn_part(scaler: Any, source: Source, X: Any, given: dict[str, Any]) -> None:
    scaler._settle()
    MergeMixin._learn_more(scaler, X, given["sample_weight"])


def _refuse_groups(source: Source, given: dict[str, Any]) -> None:
    if given.get("groups") is not None:
        raise ValueError(
            f"groups cannot be split as {source.kind} is. Name the columns that are the key: "
            "GroupScaler(by=...)."
        )


def _has_momentum(scaler: Any) -> bool:
    """Tell whether batches fade, so that their order counts."""
    return getattr(scaler, "momentum", None) is not None


def _learn_in_turn(prepared: Any, source: Batches, weights: Any, subtask: Subtask) -> bool:
    """Let each batch be one of the scaler's; tell whether there was any."""
    source.refuse_weights(weights)
    whole = learn_in_turn(Learner(prepared, subtask), source.blocks())
    if whole is not None:
        whole._settle()
        state.take_over(prepared, whole)
    return whole is not None


def _learn_whole(prepared: Any, source: Source, weights: Any, subtask: Subtask) -> bool:
    """Take over the statistics of all rows of a source; tell whether there were any."""
    learner = Learner.like(prepared, subtask if source.is_in_turn else nullcontext)
    whole = source.learn(learner, weights)
    if whole is not None:
        whole._settle()
        prepared._take_over(whole)
    return whole is not None


def _learn_shape(prepared: Any, source: Source) -> None:
    """Fit a scaler that learns nothing but the features."""
    prepared.fit(source.example())
    if source.names is not None:
        prepared.feature_names_in_ = np.array(source.names, dtype=object)


def _without_copy(scaler: Any) -> Any:
    """Return the scaler as it is now, which writes into an array that nobody else has."""
    draft = state.draft(scaler, forget=False)
    draft.copy = False
    return draft


def _fit_and_apply(scaler: Any, source: Source, X: Any, given: dict[str, Any]) -> Any:
    if not source.is_read_again:
        raise TypeError(
            f"fit_transform reads the data twice, and {source.kind} can be read only once. Call "
            "fit on one, and transform on another."
        )
    return scaler.fit(X, **given).transform(X)


def _check_drift(scaler: Any, source: Source, X: Any, given: dict[str, Any]) -> Any:
    """Return the report on the rows of a source."""
    reader = scaler._fitted()
    _refuse_groups(source, given)
    settings = given.get("alpha", 0.05), given.get("threshold", 0.2)
    parameters.check_drift_settings(*settings)
    frozen = deepcopy(state.draft(reader, forget=False))
    source.check_types(_keys(frozen, source.names))
    check_columns(reader, source.names, source.n_features)
    new = source.learn(DriftReader(frozen), given.get("sample_weight"))
    if new is None:
        raise ValueError(f"Found no rows in {source.kind}, while a minimum of 1 is required.")
    return reader._drift_of(new, settings)


def _apply(scaler: Any, source: Source, method: str, given: dict[str, Any]) -> Any:
    """Return what a method does with the rows of a source, by the state as it is now."""
    for name in ("columns", "groups"):
        if given.get(name) is not None:
            raise ValueError(
                f"{method} of {source.kind} takes no {name}. Select the columns first, with "
                "scaler.select(...) for the statistics of these; a key has to be a column."
            )
    reader = scaler._fitted() if hasattr(scaler, "_fitted") else state.snapshot(scaler)
    frozen = deepcopy(state.draft(reader, forget=False))
    inverse = method == "inverse_transform"
    names = _names_after(frozen, source, inverse)
    if not isinstance(source, Batches):
        frozen.set_output(transform="default")
    frozen.copy = True
    keys = _keys(frozen, source.names)
    source.check_types(keys)
    work = Work(BlockMap(frozen, method, keys), names, _formula(frozen, inverse), keys)
    return source.apply(work)


def _names_after(frozen: Any, source: Source, inverse: bool) -> list[str] | None:
    """Return the names of the result, having checked those of the source."""
    if inverse:
        names_in = list(getattr(frozen, "feature_names_in_", ())) or None
        names_out = [str(name) for name in frozen.get_feature_names_out()]
        given = None if names_in is None else source.names
        check_columns(frozen, given, source.n_features, names_out)
        return names_in or source.names
    check_columns(frozen, source.names, source.n_features)
    if source.names is None:
        return None
    return [str(name) for name in frozen.get_feature_names_out(source.names)]


def _formula(frozen: Any, inverse: bool) -> Any:
    """Return what a scaler does with each column, where it can be said so."""
    return frozen._formula(inverse=inverse) if hasattr(frozen, "_formula") else None


def _keys(scaler: Any, names: list[str] | None) -> tuple[str, ...]:
    """Return the names of the columns that a GroupScaler takes for the key."""
    by = getattr(scaler, "by", None)
    if by is None or names is None:
        return ()
    return tuple(names[place] for place in find_columns(by, len(names), names, "by"))
