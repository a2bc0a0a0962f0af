"""The state of a scaler as plain JSON, and scalers made of that."""

from __future__ import annotations

import warnings
from dataclasses import fields
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from sknorm._compat import version
from sknorm._exports import codec
from sknorm._scalers import state
from sknorm._statistics.moments import Moments

Kind = TypeVar("Kind", bound=type)

FORMAT = "sknorm scaler"
# What reads a state reads those of this version and earlier ones.
VERSION = 1
# Where a pickle has the version of sknorm that wrote it; the first ones have none.
VERSION_OF_PICKLE = "_sknorm_version"
BEFORE = "0.1.0"
CONTENT = ("class", "params", "learned")
# The values that a state may consist of, beside arrays and numbers.
VALUES: dict[str, type[Any]] = {"Moments": Moments}


def is_plain(cls: Kind) -> Kind:
    """Let a state have values of a data class, whose fields are plain."""
    VALUES[cls.__name__] = cls
    return cls


class PlainStateMixin:
    """Give scalers ``to_dict`` and ``from_dict``, and pickles their version."""

    _known_classes: ClassVar[dict[str, type]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] == "sknorm":
            PlainStateMixin._known_classes[cls.__name__] = cls

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the version of sknorm."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {**state, VERSION_OF_PICKLE: version()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state, and warn if it is of another version, as scikit-learn does."""
        state = dict(state)
        written_by = state.pop(VERSION_OF_PICKLE, BEFORE)
        if written_by != version():
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=f"sknorm.{type(self).__name__}",
                    current_sklearn_version=version(),
                    original_sklearn_version=written_by,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)  # type: ignore[misc]

    def _set_learned(self, learned: dict[str, Any]) -> None:
        """Take over what a plain state has."""
        vars(self).update(learned)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters and the fitted state as what JSON can hold.

        ``json.dumps`` makes text of it, in which no bit is lost and no code can hide: it is safe to
        load, whoever sent it. Clients can send their statistics as that, to be merged.

        Returns
        -------
        plain : dict
            Numbers, text, lists and dicts, with the version of the format and a digest.

        Raises
        ------
        TypeError
            If a parameter, or the key of a group, is of no kind that JSON can tell.

        Examples
        --------
        >>> import json
        >>> from sknorm import BatchStatScaler
        >>> text = json.dumps(BatchStatScaler().fit([[1.0], [3.0]]).to_dict())
        >>> BatchStatScaler.from_dict(json.loads(text)).mean_
        array([2.])
        """
        content = _content(self)
        head = {"format": FORMAT, "version": VERSION}
        return head | content | {"digest": codec.digest(content)}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Return the scaler that :meth:`to_dict` was called on.

        Parameters
        ----------
        plain : dict
            What ``to_dict`` has returned, or JSON has made of that.

        Returns
        -------
        scaler : object
            A scaler with the same parameters and state.

        Raises
        ------
        ValueError
            If this is no state of a scaler of this class, if it was changed or is of a later
            version, or if it has statistics that no fit can have.
        """
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(
                "This is not the state of a scaler: it has no format 'sknorm scaler'. Pass what "
                "to_dict has returned."
            )
        version = plain.get("version")
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            raise ValueError(
                f"The state is of version {version!r}, and this sknorm reads those up to "
                f"{VERSION}. Upgrade sknorm."
            )
        if missing := [name for name in (*CONTENT, "digest") if name not in plain]:
            raise ValueError(f"The state is not complete: {', '.join(missing)} is missing.")
        content = {name: plain[name] for name in CONTENT}
        if plain["class"] != cls.__name__:
            raise ValueError(
                f"The state is that of a {plain['class']}, not of a {cls.__name__}. Use "
                f"{plain['class']}.from_dict."
            )
        try:
            unchanged = codec.digest(content) == plain["digest"]
        except (TypeError, ValueError):
            unchanged = False
        if not unchanged:
            raise ValueError(
                "The state was changed after to_dict: its digest does not fit. Call to_dict again; "
                "to edit statistics, set the attributes of the scaler."
            )
        try:
            scaler: Self = _scaler_of(content, cls)
        except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"The state cannot be read: {error!r}") from error
        return scaler


def as_fields(value: Any) -> Any:
    """Return a value that a state may consist of as a dict of its arrays and numbers."""
    if type(value) not in VALUES.values():
        return value
    named = {field.name: as_fields(getattr(value, field.name)) for field in fields(value)}
    return {"kind": type(value).__name__, **named}


def from_fields(value: Any) -> Any:
    """Return what ``as_fields`` was given."""
    if not isinstance(value, dict):
        return value
    named = {name: from_fields(field) for name, field in value.items() if name != "kind"}
    return VALUES[value["kind"]](**named)


def _content(scaler: Any) -> dict[str, Any]:
    learned = {name: vars(scaler)[name] for name in state.LEARNED if name in vars(scaler)}
    return {
        "class": type(scaler).__name__,
        "params": {k: _encode(v, f"{k}=") for k, v in scaler.get_params(deep=False).items()},
        "learned": {k: _encode(v, f"{k} ") for k, v in learned.items()},
    }


def _scaler_of(content: dict[str, Any], cls: type) -> Any:
    params = {name: codec.decode(v, _decode_other) for name, v in content["params"].items()}
    scaler = cls(**params)
    learned = {name: codec.decode(v, _decode_other) for name, v in content["learned"].items()}
    if unknown := set(learned) - set(state.LEARNED):
        raise ValueError(f"The state has {sorted(unknown)}, which no scaler learns.")
    scaler._set_learned(learned)
    _check(scaler)
    return scaler


def _encode(value: Any, what: str) -> Any:
    def other(value: Any) -> Any:
        if isinstance(value, PlainStateMixin):
            return {"scaler": _content(value)}
        for kind in type(value).__mro__:
            if kind in VALUES.values():
                named = {field.name: getattr(value, field.name) for field in fields(kind)}
                return {kind.__name__: {k: codec.encode(v, other) for k, v in named.items()}}
        raise TypeError(
            f"{what}{value!r:.60} is of type {type(value).__name__}, which cannot be told from "
            "JSON again. Use numbers, text and dates."
        )

    return codec.encode(value, other)


def _decode_other(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        (kind, content), *_ = value.items()
        if kind == "scaler" and content["class"] in PlainStateMixin._known_classes:
            return _scaler_of(content, PlainStateMixin._known_classes[content["class"]])
        if kind in VALUES:
            return VALUES[kind](**{k: codec.decode(v, _decode_other) for k, v in content.items()})
    raise ValueError(f"The state has something that is not known: {sorted(value)}.")


def _check(scaler: Any) -> None:
    """Refuse what no fit can have learned."""
    learned = vars(scaler)
    counts = np.asarray(learned.get("n_samples_seen_", 1.0))
    if counts.dtype.kind not in "biuf" or not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError(f"n_samples_seen_ is {counts}: numbers of values are finite and >= 0.")
    names = ("mean_", "var_", "mean_square_", "center_", "scale_")
    arrays = {name: learned[name] for name in names if learned.get(name) is not None}
    shapes = {np.shape(array) for array in arrays.values()}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise ValueError(f"The statistics have different shapes: {sorted(shapes)}.")
    for name, array in arrays.items():
        _check_values(name, np.asarray(array), np.broadcast_to(counts, np.shape(array)))
    n_features = learned.get("n_features_in_")
    if n_features is not None and (not isinstance(n_features, int) or n_features < 1):
        raise ValueError(f"n_features_in_ is {n_features!r}, not a number of features.")
    feature_names = learned.get("feature_names_in_")
    if feature_names is not None and np.shape(feature_names) != (n_features,):
        raise ValueError("feature_names_in_ has not one name per feature.")
    if arrays and n_features is not None and scaler.channels is None:
        n_channels = next(iter(shapes))[0]
        if n_features % max(n_channels, 1):
            raise ValueError(f"There are {n_channels} statistics for {n_features} features.")


def _check_values(name: str, array: Any, counts: Any) -> None:
    if array.dtype.kind != "f":
        raise ValueError(f"{name} is not of floats.")
    # Nothing is known of channels without values; a divisor may be infinite, and a variance beyond
    # the largest number too.
    bad = np.isnan(array) & (counts > 0)
    if name in ("mean_", "center_"):
        bad |= np.isinf(array)
    else:
        bad |= array < 0
    if bad.any():
        place = int(np.argmax(bad))
        raise ValueError(f"{name} is {array[place]} for channel {place}, which no fit gives.")
