"""State as JSON: no bit is lost on the way, and what was changed is refused."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inputs import GAPS, LEARNERS, NAMES, NORMS, ROW_WISE, ROWS
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import sknorm
from sknorm import (
    BatchStatScaler,
    GroupScaler,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
)

KEYED = pd.DataFrame(ROWS[:90], columns=NAMES).assign(
    site=np.array(["x", "y", None], dtype=object)[np.arange(90) % 3]
)
GROUPED = [
    GroupScaler(by="site"),
    GroupScaler(SquashingScaler(), by="site", shrinkage="none"),
    GroupScaler(PowerNormScaler(momentum=0.1), by=["site", "a"], unseen="error"),
]
OTHERS = [
    BatchStatScaler(gamma=[1.0, 2.0, 3.0, 4.0], momentum=0.5),
    BatchStatScaler(channels=[["a", "b"], ["c", "d"]]),
    SquashingScaler(quantile_range=(10, 90)),
    LayerScaler(n_groups=2, gamma=[2.5, 1.0, 1.0, 1.0]),
]
every = pytest.mark.parametrize(
    "estimator", [*LEARNERS, *ROW_WISE, *NORMS, *GROUPED, *OTHERS], ids=repr
)


def data_for(estimator):
    if isinstance(estimator, GroupScaler):
        return KEYED
    rows = ROWS if type(estimator).__name__.endswith("Normalizer") else GAPS
    return pd.DataFrame(rows[:90], columns=NAMES)


def through_json(scaler):
    return type(scaler).from_dict(json.loads(json.dumps(scaler.to_dict(), allow_nan=False)))


@every
def test_no_bit_is_lost(estimator):
    x = data_for(estimator)
    for fitted in (clone(estimator), clone(estimator).fit(x)):
        found = through_json(fitted)
        assert repr(found) == repr(fitted)
        assert found.to_dict() == fitted.to_dict()
    expected, scaled = fitted.transform(x), found.transform(x)
    pd.testing.assert_frame_equal(pd.DataFrame(scaled), pd.DataFrame(expected))


@pytest.mark.parametrize("estimator", [*LEARNERS, *GROUPED], ids=repr)
def test_going_on_from_it(estimator):
    x = data_for(estimator)
    expected = clone(estimator).partial_fit(x[:50])
    found = through_json(expected)
    expected.partial_fit(x[50:])
    found.partial_fit(x[50:])
    assert found.to_dict() == expected.to_dict()


@pytest.mark.parametrize("estimator", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
def test_clients_send_their_statistics(estimator):
    parts = [ROWS[:1000], ROWS[1000:1700], ROWS[1700:]]
    texts = [json.dumps(clone(estimator).partial_fit(part).to_dict()) for part in parts]
    limit = 60_000 if isinstance(estimator, SquashingScaler) else 3_000
    assert max(map(len, texts)) < limit
    received = [type(estimator).from_dict(json.loads(text)) for text in texts]
    merged = clone(estimator).merge(*received)
    expected = clone(estimator).merge(*(clone(estimator).partial_fit(part) for part in parts))
    if isinstance(estimator, SquashingScaler):  # its sketches are compacted at random
        np.testing.assert_allclose(merged.center_, expected.center_, rtol=0.05)
    else:
        assert merged.to_dict() == expected.to_dict()


def test_extremes_and_signs_of_zero():
    rows = np.array([[1e300, -0.0, 5e-324, 1e-300], [2e300, -0.0, 0.0, 2e-300]])
    scaler = BatchStatScaler(beta=-0.0).fit(rows)
    found = through_json(scaler)
    np.testing.assert_array_equal(found.transform(rows), scaler.transform(rows))
    assert np.signbit(found.beta)
    assert found.to_dict() == scaler.to_dict()


def fitted_dict():
    return json.loads(json.dumps(BatchStatScaler().fit(ROWS).to_dict()))


def resigned(plain):
    """Return a changed state with the digest that fits it, as an attacker would send."""
    from sknorm._exports import codec

    names = ("class", "params", "learned")
    return plain | {"digest": codec.digest({name: plain[name] for name in names})}


def changed(path, value, sign=False):
    plain = fitted_dict()
    place = plain
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return resigned(plain) if sign else plain


MEAN = ("learned", "mean_", "array", "values", 0)
BAD = {
    "no dict": ([], "not the state of a scaler"),
    "foreign": ({"mean": [1.0]}, "not the state of a scaler"),
    "newer": (changed(("version",), 2), "version 2.*Upgrade sknorm"),
    "no version": (changed(("version",), None), "version None"),
    "another class": (changed(("class",), "PowerNormScaler"), "PowerNormScaler.from_dict"),
    "tampered": (changed(MEAN, 7.0), "changed after to_dict"),
    "NaN of a lax parser": (changed(MEAN, float("nan")), "changed after to_dict"),
    "incomplete": (
        {k: v for k, v in fitted_dict().items() if k != "learned"},
        "learned is missing",
    ),
    "NaN": (changed(MEAN, {"float": "nan"}, True), "mean_ is nan for channel 0"),
    "infinite": (changed(MEAN, {"float": "inf"}, True), "mean_ is inf for channel 0"),
    "text": (changed(MEAN, "1", True), "array of float64 has values of other types"),
    "negative": (changed(("learned", "var_", "array", "values", 1), -1.0, True), "var_ is -1.0"),
    "divisor": (changed(("learned", "scale_", "array", "values", 1), -2.0, True), "scale_ is -2.0"),
    "count": (changed(("learned", "n_samples_seen_"), -4, True), "n_samples_seen_ is -4"),
    "length": (changed(("learned", "mean_", "array", "shape"), [2, 2], True), "different shapes"),
    "features": (changed(("learned", "n_features_in_"), 7, True), "4 statistics for 7 features"),
    "unknown": (changed(("learned", "__class__"), 1, True), "which no scaler learns"),
    "code": (changed(("learned", "mean_"), {"import": "os"}, True), "not known"),
    "dtype": (changed(("learned", "mean_", "array", "dtype"), "O8", True), "not known"),
    "parameter": (changed(("params", "hue"), 1, True), "cannot be read"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_state_is_refused(kind):
    plain, message = BAD[kind]
    with pytest.raises(ValueError, match=message):
        BatchStatScaler.from_dict(plain)


def test_state_that_json_cannot_tell():
    frame = KEYED.assign(site=pd.Period("2020-01"))
    with pytest.raises(TypeError, match="cannot be told from JSON"):
        GroupScaler(by="site").fit(frame).to_dict()
    with pytest.raises(TypeError, match="gamma="):
        BatchStatScaler(gamma={1.0}).to_dict()


def test_to_dict_gives_copies():
    scaler = BatchStatScaler().fit(ROWS)
    plain = scaler.to_dict()
    before = copy.deepcopy(plain)
    scaler.mean_[:] = 0
    assert plain == before
    BatchStatScaler.from_dict(plain).mean_[:] = 5
    assert plain == before


@every
def test_skops_has_to_trust_no_class_but_scalers(estimator):
    skops = pytest.importorskip("skops.io")
    x = data_for(estimator)
    scaler = clone(estimator).fit(x)
    text = skops.dumps(scaler)
    inner = [scaler.pooled_] if isinstance(scaler, GroupScaler) else []
    own = {f"{type(s).__module__}.{type(s).__name__}" for s in [scaler, *inner]}
    assert set(skops.get_untrusted_types(data=text)) == own
    found = skops.loads(text, trusted=sorted(own))
    expected, scaled = scaler.transform(x), found.transform(x)
    pd.testing.assert_frame_equal(pd.DataFrame(scaled), pd.DataFrame(expected))


@every
def test_pickles_do_not_change_by_transforming(estimator):
    x = data_for(estimator)
    scaler = clone(estimator).fit(x)
    before = pickle.dumps(scaler)
    scaler.transform(x)
    assert pickle.dumps(scaler) == before
    assert pickle.loads(before).to_dict() == scaler.to_dict()


def test_pickles_of_another_version_warn():
    scaler = BatchStatScaler().fit(ROWS)
    text = pickle.dumps(scaler)
    version = sknorm.__version__.encode()
    assert text.count(version) == 1
    other = text.replace(version, b"9" * len(version))
    with pytest.warns(InconsistentVersionWarning, match="BatchStatScaler from version 9+ when"):
        found = pickle.loads(other)
    np.testing.assert_array_equal(found.mean_, scaler.mean_)
    assert pickle.dumps(found) == text
    with pytest.warns(InconsistentVersionWarning, match=r"from version 0\.1\.0"):
        BatchStatScaler().__setstate__(vars(scaler))


FROZEN = Path(__file__).parent / "state_version_1.json"


def test_states_of_earlier_releases_are_read_for_ever():
    """The file was written by the release that had this version first; it is not to be changed."""
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    classes = {cls.__name__: cls for cls in (BatchStatScaler, PowerNormScaler, SquashingScaler,
                                             LayerScaler, L2Normalizer, GroupScaler)}  # fmt: skip
    assert {entry["state"]["class"] for entry in frozen} == set(classes)
    for entry in frozen:
        scaler = classes[entry["state"]["class"]].from_dict(entry["state"])
        x = pd.DataFrame(entry["X"], columns=entry["columns"])
        found = np.asarray(scaler.transform(x), dtype=float)
        np.testing.assert_allclose(found, entry["transformed"], rtol=1e-13, atol=1e-14)
        if "merged" in entry:
            merged = clone(scaler).merge(scaler, scaler)
            found = np.asarray(merged.transform(x), dtype=float)
            np.testing.assert_allclose(found, entry["merged"], rtol=1e-13, atol=1e-14)
