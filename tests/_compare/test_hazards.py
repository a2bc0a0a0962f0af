"""What makes a score untrustworthy is found, and what does not is left alone."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from sknorm._compare.advice import Advice, advice, advising
from sknorm._compare.hazards import find_hazards, is_row_number

N = 200
RNG = np.random.default_rng(0)
Y = np.repeat([0, 1], N // 2)
NOISE = RNG.normal(size=N)


def found(column, name="a", y=Y, is_classification=True, **options):
    frame = pd.DataFrame({name: column, "noise": NOISE})
    sentences = find_hazards(frame, y, is_classification=is_classification, **options)
    return " ".join(sentences)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "id", "index", "row", "customer_id"])
def test_shuffled_row_numbers_are_row_numbers(name):
    numbers = RNG.permutation(N).astype(float)
    assert is_row_number(numbers, name)
    assert not is_row_number(numbers, "rank"), "it may measure something"
    assert is_row_number(np.arange(N) + 7.0, "anything"), "in order, a step apart"
    assert is_row_number(RNG.permutation(int(1.4 * N))[:N].astype(float), name), "a part of a table"
    gaps = np.sort(RNG.choice(5000, N, replace=False)).astype(float)
    assert is_row_number(gaps, name), "rows were left out"
    assert not is_row_number(gaps, "altitude")
    assert not is_row_number(NOISE, name)
    assert not is_row_number(RNG.permutation(N) * 1000.0, name)
    assert not is_row_number(np.round(NOISE * 3), name)
    assert "looks like a row number" in found(numbers, "rank")


def test_a_column_that_tells_the_target():
    assert "'a' tells the target by itself" in found(Y * 3.0 + 0.1 * NOISE)
    assert "'a' tells the target by itself" in found(["no" if y else "yes" for y in Y])
    assert found(Y * 1.0 + NOISE) == ""
    target = 3 * NOISE**3
    sentence = found(np.tanh(NOISE), y=target, is_classification=False)
    assert "'a' tells the target by itself (R2" in sentence


def test_repeated_rows():
    X = RNG.normal(size=(N, 3))
    X[150:] = X[:50]
    y = np.concatenate([Y[:150], Y[:50]])
    said = " ".join(find_hazards(X, y, is_classification=True))
    assert "50 of 200 rows repeat another" in said
    coarse = RNG.integers(0, 3, (N, 2)).astype(float)
    assert find_hazards(coarse, Y, is_classification=True) == [], "few values repeat by chance"


def test_repeated_rows_of_a_small_table():
    X = np.repeat(RNG.normal(size=(30, 2)).round(2), 4, axis=0)
    y = np.repeat(RNG.integers(0, 2, 30), 4)
    said = " ".join(find_hazards(X, y, is_classification=True))
    assert "of 120 rows repeat another" in said


def test_classes_that_are_written_in_two_ways():
    y = np.array(["No", "no ", "YES", "yes", "maybe"] * 40, dtype=object)
    said = found(NOISE, y=y)
    assert "The classes 'No', 'no ' differ in nothing but capitals and blanks" in said
    assert "The classes 'YES', 'yes' differ" in said
    assert "maybe" not in said
    assert found(NOISE, y=np.array(["a", "b"] * 100)) == ""


def test_classes_are_called_as_people_write_them():
    y = np.repeat([0.0, 1.0, 2.5], [100, 85, 15])
    assert "few rows: '2.5' (15)" in found(NOISE, y=y)
    assert "few rows: '1' (15)" in found(NOISE, y=np.repeat([0.0, 1.0], [185, 15]))


def test_rows_of_one_patient():
    patients = np.repeat(np.arange(50), 4).astype(float)
    order = RNG.permutation(N)
    assert "'patient' has 50 values in 200 rows" in found(patients[order], "patient")
    assert found(patients[order], "patient", is_grouped=True) == ""
    assert found(patients[order], "bedrooms") == ""


def test_rows_in_the_order_of_time():
    days, y = pd.date_range("2020-01-01", periods=N), RNG.integers(0, 2, N)
    said = found(days, "day", y=y)
    assert "in the order of 'day', but the folds are drawn at random" in said
    assert found(days, "day", y=y, is_ordered=True) == ""
    assert found(days[RNG.permutation(N)], "day", y=y) == ""
    years = 1800.0 + np.sort(RNG.integers(0, 900, N))
    assert "order of 'year'" in found(years, "year", y=y)


@pytest.mark.parametrize("code", [-999, 9999, -99])
def test_codes_for_missing_values(code):
    values = np.abs(NOISE) * 5
    values[::20] = code
    assert f"'a' has {code:g} in 10 rows, and" in found(values)
    assert found(NOISE * 1000) == ""
    balance = RNG.integers(-1000, 1000, N).astype(float)
    balance[:5] = -999
    assert found(balance) == "", "among others of its size"


def test_nearly_empty_columns_and_rare_classes():
    values = np.full(N, np.nan)
    values[:5] = NOISE[:5]
    assert "'a' is missing in 98% of the rows" in found(values)
    y = np.where(np.arange(N) % 2, "a", "b")
    y[:12] = "c"
    assert "Some classes have few rows: 'c' (12)" in found(NOISE, y=y)


@pytest.mark.parametrize("load", [load_wine, load_iris, load_breast_cancer, load_digits])
def test_nothing_is_found_in_clean_data(load):
    """But one row of iris that really is there twice, and too few to say it."""
    assert find_hazards(*load(return_X_y=True), is_classification=True) == []


def test_nothing_is_found_in_clean_regression_and_other_input():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    assert find_hazards(X, y, is_classification=False) == []
    assert find_hazards(sparse.csr_array(X), y, is_classification=False) == []
    assert find_hazards(X.reshape(-1, 5, 2), y, is_classification=False) == []


def test_pure_noise_is_clean():
    """No check finds something by chance: 100 data sets of noise."""
    rng = np.random.default_rng(3)
    for _ in range(100):
        X, y = rng.normal(size=(60, 5)), rng.integers(0, 2, 60)
        assert find_hazards(X, y, is_classification=True, n_folds=5) == []


def test_the_way_out_is_called_as_it_is_here():
    how = Advice(drop="use --drop")
    with advising(how):
        assert advice() is how
        assert "use --drop" in found(RNG.permutation(N).astype(float), how=advice())
    assert advice() is not how
