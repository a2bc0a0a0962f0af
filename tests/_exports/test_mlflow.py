"""A pipeline through MLflow's sklearn flavor, as it is set by default: logged and loaded again."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sknorm import BatchStatScaler, SquashingScaler

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    # Files, where a server would have a database.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    module = pytest.importorskip("mlflow")
    pytest.importorskip("mlflow.sklearn")
    module.set_tracking_uri((tmp_path / "runs").as_uri())
    return module


@pytest.mark.parametrize("scaler", [BatchStatScaler(), SquashingScaler()], ids=repr)
def test_a_pipeline_is_logged_and_loaded(mlflow, scaler):
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(scaler, LogisticRegression()).fit(X, y)
    trusted = [f"{type(scaler).__module__}.{type(scaler).__name__}"]
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            pipeline, name="model", pip_requirements=["sknorm"], skops_trusted_types=trusted
        )
    loaded = mlflow.sklearn.load_model(logged.model_uri)
    np.testing.assert_array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))
    served = mlflow.pyfunc.load_model(logged.model_uri)
    np.testing.assert_array_equal(served.predict(X), pipeline.predict(X))


def test_nothing_but_the_scaler_has_to_be_trusted(mlflow):
    pipeline = make_pipeline(BatchStatScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    with mlflow.start_run(), pytest.raises(Exception, match="BatchStatScaler") as refused:
        mlflow.sklearn.log_model(pipeline, name="model", pip_requirements=["sknorm"])
    assert "LogisticRegression" not in str(refused.value)
