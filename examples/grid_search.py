"""
Grid search over normalizers
============================

Which normalizer suits your data is a question for cross-validation: make the step of a Pipeline
a parameter of the grid.
"""

# %%
# The breast cancer data has 30 measurements in raw units, from 0.001 to 4,000.
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

X, y = load_breast_cancer(return_X_y=True)
print(f"{X.shape[0]} rows, {X.shape[1]} columns, largest values {X.max(axis=0).round(2)}")

# %%
# The step "norm" is one of ours, or "passthrough" for none at all. Parameters of a normalizer
# make a grid of their own.
pipeline = Pipeline(
    [
        ("norm", "passthrough"),
        (
            "mlp",
            MLPClassifier((16,), learning_rate_init=0.02, tol=1e-3, max_iter=500, random_state=0),
        ),
    ]
)
grid = [
    {
        "norm": [
            "passthrough",
            BatchStatScaler(),
            PowerNormScaler(),
            LayerScaler(),
            L1Normalizer(),
            MaxNormalizer(),
        ]
    },
    {"norm": [L2Normalizer()], "norm__keep_norm": [False, True]},
]
search = GridSearchCV(
    pipeline, grid, cv=StratifiedKFold(3, shuffle=True, random_state=0), scoring="balanced_accuracy"
)
search.fit(X, y)

# %%
# Normalizers of columns win here, where each column has a unit of its own. The norm that
# ``keep_norm`` keeps is in raw units, thousands here: a ``BatchStatScaler`` belongs after it.
results = search.cv_results_
for i in results["rank_test_score"].argsort(kind="stable"):
    mean, spread = results["mean_test_score"][i], results["std_test_score"][i]
    name = str(results["param_norm"][i])
    if results["params"][i].get("norm__keep_norm"):
        name += " with keep_norm=True"
    print(f"{mean:.3f} ± {spread:.3f}  {name}")

assert isinstance(search.best_params_["norm"], (BatchStatScaler, PowerNormScaler))

# %%
# The search is a classifier itself: refitted on all rows with the winner, ready to predict.
print(search.best_estimator_)
assert search.predict(X[:5]).shape == (5,)
