"""Spark's data frames: executors fit on their partitions, and SQL expressions transform."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from inputs import GAPS, LEARNERS, NAMES, ROW_WISE, ROWS, assert_same_statistics
from sklearn.base import clone

from sknorm import BatchStatScaler, GroupScaler, L2Normalizer, LayerScaler, SquashingScaler

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]
FRAME = pd.DataFrame(GAPS, columns=NAMES).assign(row=np.arange(3000.0))
COLUMNS = [*NAMES, "row"]


@pytest.fixture(scope="module")
def spark():
    """Return a session with two workers."""
    sql = pytest.importorskip("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        sql.SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def frame(spark):
    return spark.createDataFrame(FRAME).repartition(4)


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_fit_transform_and_the_way_back(frame, estimator):
    names = ["a", "b", "c", "d"]
    data = frame.select(*names)
    found = clone(estimator).fit(data)
    expected = clone(estimator).partial_fit(FRAME[names])
    rank_error = 0.05 if isinstance(estimator, SquashingScaler) else 1e-14
    assert_same_statistics(found, expected, rtol=rank_error)
    scaled = found.transform(data)
    assert type(scaled) is type(data)
    assert scaled.columns == names
    ours = scaled.toPandas().to_numpy()
    theirs = found.transform(FRAME[names])
    order = np.lexsort(ours.T), np.lexsort(theirs.T)
    np.testing.assert_allclose(ours[order[0]], theirs[order[1]], rtol=1e-12, atol=1e-13)
    back = found.inverse_transform(scaled).toPandas().to_numpy()
    expected_back = found.inverse_transform(theirs)
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(expected_back, axis=0), 1e-9, 1e-9)


@pytest.mark.parametrize("estimator", [*ROW_WISE, L2Normalizer()], ids=repr)
def test_rows(spark, estimator):
    data = spark.createDataFrame(pd.DataFrame(ROWS, columns=NAMES)).repartition(3)
    found = clone(estimator).fit(data)
    scaled = found.transform(data).toPandas()
    assert list(scaled.columns) == list(found.get_feature_names_out())
    expected = found.transform(pd.DataFrame(ROWS, columns=NAMES))
    np.testing.assert_allclose(
        np.sort(scaled.to_numpy(), axis=0), np.sort(expected, axis=0), rtol=1e-14
    )


def test_null_and_nan_are_both_missing(spark):
    data = spark.createDataFrame(
        [(1.0, None), (float("nan"), 2.0), (3.0, 4.0)], "a double, b float"
    )
    found = BatchStatScaler().fit(data)
    np.testing.assert_array_equal(found.mean_, [2.0, 3.0])
    scaled = found.transform(data)
    assert scaled.dtypes == [("a", "double"), ("b", "float")]
    rows = scaled.collect()
    assert rows[0].b is None
    assert np.isnan(rows[1].a)


NAMES_WITH_MEANINGS = ["a.b", "a`c", "*", "A", "a", "two words"]


@pytest.mark.parametrize(
    "estimator",
    [BatchStatScaler(), SquashingScaler(), LayerScaler(), GroupScaler(by="a.b")],
    ids=repr,
)
def test_names_that_are_paths_patterns_or_differ_in_case(spark, estimator):
    rows = np.random.default_rng(0).normal(size=(12, 6)) * np.arange(1, 7)
    rows[:, 0] = np.arange(12) // 6
    expected = clone(estimator).fit(pd.DataFrame(rows, columns=NAMES_WITH_MEANINGS))
    numbered = spark.createDataFrame(pd.DataFrame(rows, columns=list("uvwxyz"))).repartition(2)
    data = numbered.toDF(*NAMES_WITH_MEANINGS)
    if not isinstance(estimator, SquashingScaler):
        assert_same_statistics(clone(estimator).fit(data), expected)
    scaled = expected.transform(data)
    assert scaled.columns == list(expected.get_feature_names_out())
    ours = scaled.toDF(*map(str, range(len(scaled.columns)))).toPandas().to_numpy()
    theirs = expected.transform(pd.DataFrame(rows, columns=NAMES_WITH_MEANINGS))
    np.testing.assert_allclose(
        np.sort(ours, axis=0), np.sort(theirs, axis=0), rtol=1e-12, atol=1e-14
    )


def test_columns_of_one_name_and_of_nothing_but_null(spark):
    data = spark.createDataFrame([(1.0,), (3.0,)], "a double")
    with pytest.raises(ValueError, match=r"Spark DataFrame has column 'a' more than once"):
        BatchStatScaler().fit(data.select("a", "a"))
    data = data.selectExpr("a", "null as b")
    found = BatchStatScaler().fit(data)
    np.testing.assert_array_equal(found.mean_, [2.0, np.nan])
    assert sorted(map(tuple, found.transform(data).collect())) == [(-1.0, None), (1.0, None)]


def test_groups(spark):
    keyed = FRAME.assign(site=np.array(["x", "y"])[np.arange(3000) % 2])
    expected = GroupScaler(by="site").set_output(transform="pandas").fit(keyed)
    data = spark.createDataFrame(keyed).repartition(3)
    found = GroupScaler(by="site").fit(data)
    assert sorted(found.groups_) == sorted(expected.groups_)
    scaled = found.transform(data).toPandas()
    theirs = expected.transform(keyed)
    assert list(scaled.columns) == list(theirs.columns)
    for site in ("x", "y"):
        ours, other = scaled[scaled.site == site], theirs[theirs.site == site]
        np.testing.assert_allclose(
            np.sort(ours[COLUMNS], axis=0), np.sort(other[COLUMNS], axis=0), rtol=1e-9, atol=1e-12
        )
    drifted = expected.check_drift(keyed.assign(a=keyed["a"] + 1e3)).table
    moved = found.check_drift(data.withColumn("a", data["a"] + 1e3)).table
    assert list(moved["group"]) == list(drifted["group"])
    assert list(moved["verdict"]) == list(drifted["verdict"])


def test_text_dates_and_infinity(spark):
    data = spark.createDataFrame([(1.0, "x")], "a double, city string")
    with pytest.raises(ValueError, match=r"not numeric: 'city'"):
        BatchStatScaler().fit(data)
    scaler = BatchStatScaler().fit(ROWS)
    before = dict(vars(scaler))
    data = spark.createDataFrame([(1.0, 2.0), (1.0, float("inf"))], "a double, b double")
    with pytest.raises(ValueError, match=r"^In partition \d+ of X, .*infinity.*'b'"):
        scaler.fit(data)
    assert vars(scaler) == before
    with pytest.raises(ValueError, match=r"^In partition 0 of X, .* gamma has shape"):
        BatchStatScaler(gamma=[1.0, 2.0, 3.0]).fit(data)
    for of_spark in (data["a"], data.groupBy("a"), data.rdd):
        with pytest.raises(TypeError, match="cannot be read as they are"):
            scaler.fit(of_spark)


def executors():
    """Return the processes of the executors."""
    found = subprocess.run(
        ["pgrep", "-f", "CoarseGrainedExecutorBackend"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


def test_an_executor_killed_in_mid_fit_gives_the_same_statistics(spark):
    def slowed(batches):
        for batch in batches:
            time.sleep(0.04)
            yield batch

    slow = spark.range(2_000_000, numPartitions=16).mapInArrow(slowed, "id bigint")
    data = slow.selectExpr("sqrt(id) as a", "sin(id) as b")
    victims = executors()
    assert len(victims) == 2
    timer = threading.Timer(1.5, lambda: os.kill(victims[0], signal.SIGKILL))
    timer.start()
    found = BatchStatScaler().fit(data)
    assert not timer.is_alive()
    assert victims[0] not in executors()
    numbers = np.arange(2_000_000.0)
    expected = BatchStatScaler().fit(np.column_stack([np.sqrt(numbers), np.sin(numbers)]))
    np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-13)
    assert found.n_samples_seen_ == 2_000_000
