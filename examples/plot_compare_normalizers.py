"""
Which normalizer suits the data?
================================

Normalizing features is said to speed up training, to keep it numerically stable, to improve
predictions, and to make them depend less on how the weights were initialized. Whether that is so
depends on the data and the model. ``compare_normalizers`` measures all four.
"""

# %%
# Here on the wine data in raw units. All normalizers see the same folds and the same
# initializations, so that differences are paired. (The pictures need matplotlib.)
from sklearn.datasets import load_wine
from sklearn.neural_network import MLPClassifier

from sknorm import L2Normalizer, compare_normalizers

X, y = load_wine(return_X_y=True)
mlp = MLPClassifier((16,), learning_rate_init=0.02, tol=1e-3, max_iter=500)
comparison = compare_normalizers(
    mlp,
    X,
    y,
    normalizers=[
        "none",
        "BatchStatScaler",
        "PowerNormScaler",
        "LayerScaler",
        "L2Normalizer",
        L2Normalizer(keep_norm=True),
        "StandardScaler",
    ],
    random_state=0,
)

# %%
# In words, for anybody. Nothing is called better unless the interval of its difference to the
# baseline says so.
print(comparison.summary())

# %%
# In numbers, one row per normalizer. ``pandas.DataFrame(comparison.table)`` has all of them, and
# ``pandas.DataFrame(comparison.runs)`` one row per fit.
print(comparison)

# %%
# In pictures.
comparison.plot()

# %%
# One of them alone, on Axes of your own:
import matplotlib.pyplot as plt

_, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
comparison.plot(kind="scores", ax=ax)

# %%
# The best pipeline, fitted on all of the data:
print(comparison.best_name_)
assert comparison.fit_best().score(X, y) > 0.95
