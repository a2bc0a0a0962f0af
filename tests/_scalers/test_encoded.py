"""Columns of text and objects, encoded by their libraries: the keys of an array of objects."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sknorm import GroupScaler
from sknorm._scalers.encoded import encode

rng = np.random.default_rng(0)
WORDS = np.array(["b", "a", "", "é", "a b", None], dtype=object)
KEYS = WORDS[rng.integers(0, 6, size=60)]
X = rng.normal(size=(60, 2)) + np.arange(60)[:, None]
LIST = list(KEYS)
CATEGORIES = ["z", "é", "a b", "b", "", "a"]  # one that does not occur
TEXT = pa.array(LIST)
CHUNKS = pa.chunked_array([TEXT[:20].dictionary_encode(), TEXT[20:].dictionary_encode()])
FORMS = {
    "pandas text": pd.Series(KEYS),
    "pandas objects": pd.Series(KEYS, dtype=object),
    "pandas objects with NaN": pd.Series([np.nan if k is None else k for k in LIST], dtype=object),
    "pandas categories": pd.Series(pd.Categorical(LIST, categories=CATEGORIES)),
    "pandas of Arrow": pd.Series(KEYS, dtype=pd.ArrowDtype(pa.large_string())),
    "pandas, another index": pd.Series(KEYS, index=np.arange(60)[::-1] // 2),
    "polars": pl.Series(LIST),
    "polars categories": pl.Series(LIST, dtype=pl.Categorical),
    "polars enum": pl.Series(LIST, dtype=pl.Enum(CATEGORIES)),
    "polars chunks": pl.concat([pl.Series(LIST[:20]), pl.Series(LIST[20:])], rechunk=False),
    "Arrow": TEXT,
    "Arrow, large": TEXT.cast(pa.large_string()),
    "Arrow views": pa.array(LIST, pa.string_view()),  # read one by one
    "Arrow dictionary": TEXT.dictionary_encode(),
    "Arrow, part of it": pa.concat_arrays([TEXT[:7], TEXT])[7:],
    "Arrow chunks": CHUNKS,
    "Arrow dictionary with more": pa.DictionaryArray.from_arrays(
        pa.array([None if k is None else list(WORDS).index(k) for k in LIST], pa.int8()),
        pa.array([*WORDS[:5], "never"]),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_groups_are_those_of_an_array_of_objects(form):
    column = FORMS[form]
    if form != "Arrow views":
        assert list(encode(column).array) == LIST
    expected = GroupScaler().fit(X, groups=KEYS)
    found = GroupScaler().fit(X, groups=column)
    assert list(found.groups_) == list(expected.groups_)
    np.testing.assert_array_equal(
        found.transform(X, groups=column), expected.transform(X, groups=KEYS)
    )
    np.testing.assert_array_equal(
        found.transform(X, groups=KEYS), expected.transform(X, groups=column)
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_keys_stay_in_the_result(form, output):
    column = FORMS[form]
    if form.startswith("Arrow"):
        frame = pa.table({"x": X[:, 0], "key": column})
    elif form.startswith("polars"):
        frame = pl.DataFrame({"x": X[:, 0], "key": column})
    else:
        frame = pd.DataFrame({"x": X[:, 0], "key": column.to_numpy(dtype=object)})
        frame["key"] = column.reset_index(drop=True)
    fitted = GroupScaler(by="key").set_output(transform=output).fit(frame)
    scaled = fitted.transform(frame)
    keys = scaled[:, 1] if output == "default" else scaled["key"]
    assert [None if pd.isna(key) else key for key in keys] == LIST
    back = np.asarray(fitted.inverse_transform(scaled))[:, 0].astype(float)
    np.testing.assert_allclose(back, X[:, 0], rtol=1e-12)


def test_few_of_many_categories():
    many = pl.Series([f"c{k}" for k in range(30_000)], dtype=pl.Categorical)
    few = many.gather([29_999, 5, 29_999, 17, 5]).extend_constant(None, 2)
    encoded = encode(few)
    assert list(encoded.array) == ["c29999", "c5", "c29999", "c17", "c5", None, None]
    assert len(encoded.values) == 4


def test_objects_of_several_types():
    values = [1, 1.0, True, "1", None, np.nan, pd.NA, (1, 2), pd.Timestamp("2024-01-01"), 2.5]
    column = pd.Series(values * 3, dtype=object)
    found = GroupScaler().fit(np.arange(30.0)[:, None], groups=column)
    expected = GroupScaler().fit(np.arange(30.0)[:, None], groups=column.to_numpy())
    assert list(found.groups_) == list(expected.groups_)
    assert found.scaler_of(1).n_samples_seen_ == 9


def test_arrays_of_objects_need_no_pandas(monkeypatch):
    values = np.array([1, "b", None, 2.5, "b", (1, 2)] * 5, dtype=object)
    numbers = np.arange(30.0)[:, None]
    expected = GroupScaler().fit(numbers, groups=values)
    words = np.array(["b", "a", "c"] * 10)
    text = GroupScaler().fit(numbers, groups=words)
    monkeypatch.delitem(sys.modules, "pandas")
    found = GroupScaler().fit(numbers, groups=values)
    assert list(found.groups_) == list(expected.groups_)
    again = GroupScaler().fit(numbers, groups=words)
    assert list(again.groups_) == list(text.groups_)
    np.testing.assert_array_equal(
        found.transform(numbers, groups=values), expected.transform(numbers, groups=values)
    )


def test_what_cannot_be_a_key_is_named_by_its_row():
    column = pd.Series([1, "a", [2]], dtype=object)
    with pytest.raises(ValueError, match="has a list in row 2"):
        GroupScaler().fit(np.arange(3.0)[:, None], groups=column)


def test_numbers_and_dates_are_not_encoded():
    for column in (
        pd.Series([1, 2]),
        pd.Series([True, False]),
        pd.Series(pd.to_datetime(["2024-01-01"]).tz_localize("UTC")),
        pl.Series([1.5]),
        pa.array([1, 2]),
        np.array(["a"]),
    ):
        assert encode(column) is None
