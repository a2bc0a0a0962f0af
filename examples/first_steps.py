"""
First steps
===========

A normalizer is a transformer like any other: fit it, transform with it, put it in a Pipeline.
"""

# %%
# The wine data has 13 measurements in raw units: proline is in the hundreds, hue is about 1.
# A neural network that sees them as they are sees hardly anything but proline. (This example uses
# pandas for the names; sknorm itself does not need it.)
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknorm import BatchStatScaler, L2Normalizer, LayerScaler, PowerNormScaler

X, y = load_wine(return_X_y=True, as_frame=True)
print(X.agg(["min", "max"]).T)

# %%
# ``BatchStatScaler`` takes the place of ``StandardScaler``: same methods, same attributes, same
# numbers.
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = BatchStatScaler().fit(X_train)
theirs = StandardScaler().fit(X_train)
np.testing.assert_allclose(scaler.mean_, theirs.mean_, rtol=1e-12)
np.testing.assert_allclose(scaler.scale_, theirs.scale_, rtol=1e-12)
np.testing.assert_allclose(scaler.transform(X_test), theirs.transform(X_test), atol=1e-12)

# %%
# It is undone by ``inverse_transform``.
Z_test = scaler.transform(X_test)
np.testing.assert_allclose(scaler.inverse_transform(Z_test), X_test, rtol=1e-12)

# %%
# With ``set_output`` a data frame comes out, with the names that went in.
scaler.set_output(transform="pandas")
frame = scaler.transform(X_test)
assert list(frame.columns) == list(X.columns)
print(frame.head().round(2))

# %%
# In a Pipeline, the statistics are learned on the training rows of each fold only.
mlp = MLPClassifier((16,), learning_rate_init=0.02, tol=1e-3, max_iter=500, random_state=0)
raw = cross_val_score(mlp, X, y)
normalized = cross_val_score(make_pipeline(BatchStatScaler(), mlp), X, y)
print(f"accuracy in raw units {raw.mean():.2f}, normalized {normalized.mean():.2f}")
assert normalized.mean() > raw.mean()

# %%
# The other classes differ in what they take the statistics of: a column, a column about zero, a
# row in units of its spread, a row in units of its length.
small = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
for normalizer in (BatchStatScaler(), PowerNormScaler(), LayerScaler(), L2Normalizer()):
    print(normalizer, normalizer.fit_transform(small).round(3), sep="\n")

# %%
# Row norms throw the magnitude away. ``keep_norm=True`` keeps it as one more column, which also
# makes them invertible.
l2 = L2Normalizer(keep_norm=True)
rows = l2.fit_transform(small)
print(rows.round(3))
np.testing.assert_allclose(l2.inverse_transform(rows), small)
