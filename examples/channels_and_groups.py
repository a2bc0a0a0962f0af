"""
Channels and groups
===================

Signals of shape (samples, channels, positions) have one mean and one scale a channel, or
statistics of their own for each sample, in groups of channels.
"""

# %%
# Three sensors in different units, each sampled at 20 times. Axis 1 is the channel; the axes after
# it are positions.
import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknorm import BatchStatScaler, LayerScaler

rng = np.random.default_rng(0)
n_samples, n_channels, n_positions = 300, 3, 20
y = np.arange(n_samples) % 2
time = np.linspace(0.0, 2.0 * np.pi, n_positions)
wave = np.sin(time * (1.0 + y[:, None]))  # class 1 swings twice as fast
units = np.array([1e-3, 1.0, 1e3])[:, None]
offsets = np.array([0.02, 5.0, 1e5])[:, None]
noise = rng.standard_normal((n_samples, n_channels, n_positions))
X = offsets + units * (wave[:, None, :] + noise)

# %%
# ``BatchStatScaler`` has one mean and one scale a channel, as ``torch.nn.BatchNorm1d``.
scaler = BatchStatScaler().fit(X)
np.testing.assert_allclose(scaler.mean_, X.mean(axis=(0, 2)), rtol=1e-12)
np.testing.assert_allclose(scaler.scale_, X.std(axis=(0, 2)), rtol=1e-12)
Z = scaler.transform(X)
assert Z.shape == X.shape
print("means", scaler.mean_.round(3), "scales", scaler.scale_.round(4))

# %%
# Most of scikit-learn wants two dimensions. ``n_channels`` reads the columns of flattened input as
# channels, with the same numbers.
flat = X.reshape(n_samples, n_channels * n_positions)
flat_scaler = BatchStatScaler(n_channels=n_channels).fit(flat)
np.testing.assert_allclose(flat_scaler.mean_, scaler.mean_, rtol=1e-14)
np.testing.assert_allclose(flat_scaler.transform(flat).reshape(X.shape), Z, atol=1e-12)
# One scale a column would be another thing: 60 of them.
assert BatchStatScaler().fit(flat).mean_.shape == (n_channels * n_positions,)

# %%
# ``LayerScaler`` learns nothing: each sample has statistics of its own. ``n_groups`` is what
# distinguishes its family. With one group all channels share them (layer normalization); with as
# many as there are channels, each has its own (instance normalization).
layer = LayerScaler().fit_transform(X)
instance = LayerScaler(n_groups=n_channels).fit_transform(X)
np.testing.assert_allclose(layer.mean(axis=(1, 2)), 0.0, atol=1e-9)
np.testing.assert_allclose(layer.std(axis=(1, 2)), 1.0, rtol=1e-9)
np.testing.assert_allclose(instance.mean(axis=2), 0.0, atol=1e-9)
np.testing.assert_allclose(instance.std(axis=2), 1.0, rtol=1e-9)

# %%
# Groups are of neighboring channels, so flattened input needs no other parameter.
flat_instance = LayerScaler(n_groups=n_channels).fit_transform(flat)
np.testing.assert_allclose(flat_instance.reshape(X.shape), instance, atol=1e-12)

# %%
# A Pipeline takes three dimensions from step to step; flatten before the classifier.
flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
mlp = MLPClassifier((8,), learning_rate_init=0.02, tol=1e-3, max_iter=500, random_state=0)
raw = cross_val_score(make_pipeline(flatten, mlp), X, y)
scores = {}
for normalizer in (BatchStatScaler(), LayerScaler(), LayerScaler(n_groups=n_channels)):
    scores[str(normalizer)] = cross_val_score(make_pipeline(normalizer, flatten, mlp), X, y).mean()
print(f"raw {raw.mean():.2f}", {name: round(float(score), 2) for name, score in scores.items()})

# %%
# The channels have different units here, so one scale for all of them drowns two of the three.
assert scores["BatchStatScaler()"] > 0.9
assert scores["LayerScaler(n_groups=3)"] > 0.9
assert scores["BatchStatScaler()"] > raw.mean()
assert scores["BatchStatScaler()"] > scores["LayerScaler()"]
