"""
Normalize windows, predict, and undo
====================================

The level of a series drifts, so that windows of the future lie outside of those that a model was
trained on. Normalizing each window by its own mean and standard deviation takes the level away
before the model, and gives it back to the prediction: reversible instance normalization
(Kim et al. 2022, "Reversible Instance Normalization for Accurate Time-Series Forecasting against
Distribution Shift", ICLR).
"""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error

from sknorm import LayerScaler

# %%
# A season of 12 steps whose level rises and whose size grows, in windows of 24 steps, of which the
# next 6 are to be predicted.

rng = np.random.default_rng(0)
steps = np.arange(600)
level = 0.05 * steps * (1 + steps / 200)
series = level + (1 + steps / 100) * np.sin(steps * 2 * np.pi / 12) + rng.normal(0, 0.2, 600)
windows = np.lib.stride_tricks.sliding_window_view(series, 24 + 6)
past, future = windows[:, :24], windows[:, 24:]
train, test = slice(0, 300), slice(330, None)

# %%
# Each window is scaled by its own statistics, and so is what follows it. The last two columns of
# the result are the mean and the divisor of the window.

scaler = LayerScaler(keep_statistics=True)
Z = scaler.fit_transform(past)
values, statistics = Z[:, :24], Z[:, 24:]
target = (future - statistics[:, :1]) / statistics[:, 1:]

model = Ridge().fit(values[train], target[train])

# %%
# The prediction gets back the level of its own window.

predicted = scaler.inverse_transform(np.hstack([model.predict(values[test]), statistics[test]]))
raw = Ridge().fit(past[train], future[train]).predict(past[test])
undone = mean_absolute_error(future[test], predicted)
in_raw_units = mean_absolute_error(future[test], raw)
print(f"mean absolute error undone by window {undone:.2f}, in raw units {in_raw_units:.2f}")
assert undone < 0.5 * in_raw_units
