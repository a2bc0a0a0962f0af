"""
Streaming: batches, merging and drift
=====================================

Statistics can be learned batch by batch, on several machines, and in a way that forgets.
"""

# %%
# ``partial_fit`` learns from one batch after another. The result is that of ``fit`` on all rows,
# however they are split.
import numpy as np
from sklearn.datasets import load_diabetes

from sknorm import BatchStatScaler, PowerNormScaler

X = load_diabetes(scaled=False).data
whole = BatchStatScaler().fit(X)

for size in (1, 7, 100):
    scaler = BatchStatScaler()
    for start in range(0, len(X), size):
        scaler.partial_fit(X[start : start + size])
    np.testing.assert_allclose(scaler.mean_, whole.mean_, rtol=1e-14)
    np.testing.assert_allclose(scaler.var_, whole.var_, rtol=1e-14)
    assert scaler.n_samples_seen_ == len(X)

# %%
# ``merge`` folds in scalers that were fitted elsewhere on other rows, in any order. They travel as
# pickles and are a few numbers a feature.
parts = [BatchStatScaler().fit(part) for part in np.array_split(X, 4)]
forwards = BatchStatScaler().merge(*parts)
backwards = BatchStatScaler().merge(*reversed(parts))
for merged in (forwards, backwards):
    np.testing.assert_allclose(merged.mean_, whole.mean_, rtol=1e-14)
    np.testing.assert_allclose(merged.scale_, whole.scale_, rtol=1e-14)
print("merged from", [part.n_samples_seen_ for part in parts], "rows:", forwards.n_samples_seen_)

# %%
# Merging is refused where it would mean nothing.
try:
    parts[0].merge(BatchStatScaler().fit(X[:, :5]))
except ValueError as error:
    print(error)
else:
    raise AssertionError("merging scalers of different widths must raise")

# %%
# Data that drifts: a sensor whose level rises from 0 to 20, with noise of size 1. Exact statistics
# of all rows describe no batch. With ``momentum`` each new batch has this weight, and the rest is
# shared by what came before, so old batches fade.
rng = np.random.default_rng(0)
levels = np.linspace(0.0, 20.0, 201)
batches = [level + rng.standard_normal((50, 1)) for level in levels]

exact, running = BatchStatScaler(), BatchStatScaler(momentum=0.1)
for batch in batches:
    exact.partial_fit(batch)
    running.partial_fit(batch)
print(
    f"last level {levels[-1]:.1f}, exact mean {exact.mean_[0]:.1f}, running {running.mean_[0]:.1f}"
)
assert abs(exact.mean_[0] - 10.0) < 0.1
# The running mean follows the drift of 0.1 a batch, 0.1 * (1 - m) / m = 0.9 behind it.
assert abs(running.mean_[0] - 19.1) < 0.2

# %%
# The running variance keeps the variance between batches, as that of a mixture does: the noise,
# 1, and (1 - m) / m * 0.1**2 / m = 0.9 of drift. Batches of one row work for the same reason.
print(f"exact variance {exact.var_[0]:.2f}, running {running.var_[0]:.2f}")
assert 1.5 < running.var_[0] < 2.3 < exact.var_[0]

one_by_one = BatchStatScaler(momentum=0.01)
for row in np.concatenate(batches)[-2000:]:
    one_by_one.partial_fit(row[:, None])
print(f"row by row: mean {one_by_one.mean_[0]:.1f}, variance {one_by_one.var_[0]:.2f}")
assert 0.5 < one_by_one.var_[0] < 2.5

# %%
# ``PowerNormScaler`` has the same methods, on the mean of squares.
power = PowerNormScaler(momentum=0.1)
for batch in batches:
    power.partial_fit(batch)
np.testing.assert_allclose(power.mean_square_, running.var_ + running.mean_**2, rtol=1e-12)
