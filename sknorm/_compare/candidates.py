"""What is compared: normalizers by name or as transformers, each in a pipeline with the model."""

from __future__ import annotations

import difflib
import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scipy import sparse

from sknorm._compare.names import NONE
from sknorm._scalers.batch import BatchStatScaler
from sknorm._scalers.flattener import Flattener
from sknorm._scalers.layer import LayerScaler
from sknorm._scalers.power import PowerNormScaler
from sknorm._scalers.row_norms import L1Normalizer, L2Normalizer, MaxNormalizer
from sknorm._scalers.squashing import SquashingScaler

STEP_NAMES = frozenset({"norm", "normalize", "normalizer", "scale", "scaler"})
NORMALIZERS: tuple[type[Any], ...] = (
    BatchStatScaler,
    PowerNormScaler,
    SquashingScaler,
    LayerScaler,
    L1Normalizer,
    L2Normalizer,
    MaxNormalizer,
)
NORMALIZER_NAMES = tuple(cls.__name__ for cls in NORMALIZERS)
REFERENCE_NAMES = ("StandardScaler", "RobustScaler")
# scikit-learn's scalers refuse sparse input unless told not to center.
NO_CENTERING: dict[str, dict[str, bool]] = {
    "StandardScaler": {"with_mean": False},
    "RobustScaler": {"with_centering": False},
}
OTHER_NAMES = (
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "PowerTransformer",
    "QuantileTransformer",
)


def known_normalizers() -> dict[str, Callable[[], Any]]:
    """Return every name that stands for a normalizer, with what makes one."""
    # Importing sknorm is faster without it.
    from sklearn import preprocessing

    known: dict[str, Callable[[], Any]] = {NONE: lambda: "passthrough"}
    known |= {cls.__name__: cls for cls in NORMALIZERS}
    known |= {name: getattr(preprocessing, name) for name in REFERENCE_NAMES + OTHER_NAMES}
    return known


def resolve_normalizers(normalizers: Any, X: Any) -> dict[str, Any]:
    """Return the normalizers to compare, by the names they go by."""
    if normalizers is None:
        return _defaults(X)
    if isinstance(normalizers, Mapping):
        pairs = [(str(name), _resolve(given)[1]) for name, given in normalizers.items()]
    elif isinstance(normalizers, str) or not isinstance(normalizers, Iterable):
        raise TypeError(
            "normalizers must be a list of names or transformers, or a dict of transformers by "
            f"name; got {normalizers!r}."
        )
    else:
        pairs = [_resolve(given) for given in normalizers]
    if not pairs:
        raise ValueError("normalizers is empty: name at least one, or leave it out for all.")
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"normalizers has {repeated[0]!r} more than once: leave one out, or pass a dict that "
            "names them apart."
        )
    return dict(pairs)


def _defaults(X: Any) -> dict[str, Any]:
    """Return going without, all of sknorm's, and scikit-learn's that suit what is normalized."""
    known = known_normalizers()
    chosen = {name: known[name]() for name in (NONE, *NORMALIZER_NAMES)}
    has_positions = len(getattr(X, "shape", ())) > 2
    if has_positions:
        # Per sample and channel, as InstanceNorm.
        chosen |= [_resolve(LayerScaler(n_groups=X.shape[1]))]
    for name in REFERENCE_NAMES:
        scaler = known[name]()
        if sparse.issparse(X):
            scaler.set_params(**NO_CENTERING[name])
        label = _label(scaler)
        chosen[label] = _of_columns(scaler) if has_positions else scaler
    return chosen


def _of_columns(scaler: Any) -> Any:
    """Return a scaler of columns for data with positions, each of which is a column to it."""
    from sklearn.pipeline import make_pipeline

    return make_pipeline(Flattener(), scaler)


def _resolve(given: Any) -> tuple[str, Any]:
    if isinstance(given, tuple) and len(given) == 2:
        return str(given[0]), _resolve(given[1])[1]
    if given is None or (isinstance(given, str) and given == "passthrough"):
        return NONE, "passthrough"
    if isinstance(given, str):
        return _resolve_name(given)
    if isinstance(given, type):
        raise TypeError(
            f"{given.__name__} is a class; pass an instance, {given.__name__}(), or its name."
        )
    if not (hasattr(given, "fit") and hasattr(given, "transform") and hasattr(given, "get_params")):
        raise TypeError(
            f"{given!r} is no normalizer: it needs the methods fit, transform and get_params."
        )
    return _label(given), given


def _resolve_name(name: str) -> tuple[str, Any]:
    known = known_normalizers()
    by_lower = {key.lower(): key for key in known}
    key = by_lower.get(name.strip().lower())
    if key is not None:
        return key, known[key]()
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = f" Did you mean {by_lower[close[0]]!r}?" if close else ""
    raise ValueError(
        f"There is no normalizer called {name!r}.{hint} The names are: {', '.join(known)}; any "
        "other transformer can be passed as an instance."
    )


def _label(transformer: Any) -> str:
    """Return a transformer's name with the parameters that are not at their defaults."""
    text = " ".join(repr(transformer).split())
    return text.removesuffix("()") if len(text) <= 60 else type(transformer).__name__


def pipeline_maker(estimator: Any, step: str | None) -> tuple[Callable[[Any], Any], str]:
    """Return what puts a normalizer before the model, and the name of the step it becomes."""
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    def replaced(transformer: Any, *, name: str) -> Any:
        return clone(estimator).set_params(**{name: clone(transformer, safe=False)})

    def inserted(transformer: Any, *, name: str, steps: list[Any]) -> Any:
        return Pipeline([*steps[:-1], (name, transformer), steps[-1]])

    if step is not None:
        _check_step(estimator, step)
        return functools.partial(replaced, name=step), step
    steps = list(getattr(estimator, "steps", None) or [("model", estimator)])
    found = find_step(steps)
    _warn_of_inner_scalers(estimator, found)
    if found is not None:
        return functools.partial(replaced, name=found), found
    name = "norm"
    return functools.partial(inserted, name=name, steps=steps), name


def _warn_of_inner_scalers(estimator: Any, step: str | None) -> None:
    """Warn where every candidate would be followed, or preceded, by a scaler that stays."""
    parts = estimator.get_params(deep=True)
    inner = [
        name
        for name, part in parts.items()
        if _is_scaler(part) and name != step and not _is_of_target(name, estimator, parts)
    ]
    if inner:
        warnings.warn(
            f"The estimator has a scaler of its own, {inner[0]} ({parts[inner[0]]!r}), which stays "
            "with every normalizer compared, and with none: to compare normalizers in its place, "
            f"pass step={inner[0]!r}.",
            UserWarning,
            stacklevel=4,
        )


def _is_scaler(part: Any) -> bool:
    return type(part).__name__ in {*NORMALIZER_NAMES, *REFERENCE_NAMES, *OTHER_NAMES}


def _is_of_target(name: str, estimator: Any, parts: dict[str, Any]) -> bool:
    """Tell whether a part is, or is in, what a TransformedTargetRegressor transforms y with."""
    path = name.split("__")
    owners = [parts.get("__".join(path[:depth]), estimator) for depth in range(len(path))]
    return any(
        part == "transformer" and hasattr(owner, "regressor")
        for part, owner in zip(path, owners, strict=True)
    )


def _check_step(estimator: Any, step: str) -> None:
    """Refuse parameters that are no step, and the step of the model."""
    parameters = estimator.get_params(deep=True)
    outer, _, name = step.rpartition("__")
    parent = parameters.get(outer) if outer else estimator
    is_part = name in _part_names(parent) or hasattr(parameters.get(step), "transform")
    if step not in parameters or not is_part or _is_model(parent, name):
        raise ValueError(
            f"step={step!r} is no step before the model; the steps there are "
            f"{_part_names(estimator)[:-1]}. Steps inside steps are named as in set_params: "
            "'outer__inner'."
        )


def _part_names(composition: Any) -> list[str]:
    """Return the names of the steps of a pipeline, or what else has named parts."""
    kinds = ("steps", "transformers", "transformer_list")
    return [part[0] for kind in kinds for part in getattr(composition, kind, None) or []]


def _is_model(parent: Any, name: str) -> bool:
    from sklearn.base import is_classifier, is_regressor

    last_name, last = (getattr(parent, "steps", None) or [("", None)])[-1]
    return name == last_name and bool(is_classifier(last) or is_regressor(last))


def find_step(steps: list[Any]) -> str | None:
    """Return the step of a pipeline that a normalizer takes the place of, if there is one."""
    found = [
        name
        for name, part in steps[:-1]
        if name.lower() in STEP_NAMES or part in (None, "passthrough") or _is_scaler(part)
    ]
    if len(found) > 1:
        raise ValueError(
            f"The pipeline has more than one step that a normalizer could take the place of: "
            f"{found}. Say which with step={found[0]!r}."
        )
    return found[0] if found else None
