"""
Is the data still what the scaler was fitted on?
================================================

A model goes on predicting when a sensor was replaced, a unit changed or a season turned. Its scaler
remembers enough of the training data to notice.
"""

import numpy as np
import pandas as pd

from sknorm import BatchStatScaler, GroupScaler

# %%
# Three sensors, and the same three a year later: the flow has a new level, and the level sensor has
# become noisy.

rng = np.random.default_rng(0)
names = ["pressure", "flow", "level"]
training = pd.DataFrame(rng.normal([20.0, 5.0, 1.0], [2.0, 1.0, 0.1], (5000, 3)), columns=names)
later = pd.DataFrame(rng.normal([20.0, 5.8, 1.0], [2.0, 1.0, 0.2], (800, 3)), columns=names)

scaler = BatchStatScaler().fit(training)
report = scaler.check_drift(later)
print(report)
assert report.drifted == ["flow", "level"]

# %%
# Intervals hold together for all features, and what lies in the gray band would not matter.

report.plot()

# %%
# Sites have levels of their own. What is new at one of them is lost among all rows, and is found
# among its own.

sites = rng.integers(0, 8, 4000)
level = rng.normal(0.0, 5.0, 8)
X = pd.DataFrame({"site": sites, "flow": level[sites] + rng.normal(size=4000)})
new_sites = rng.integers(0, 8, 1600)
new = pd.DataFrame({"site": new_sites, "flow": level[new_sites] + rng.normal(size=1600)})
new.loc[new["site"] == 3, "flow"] += 1.5

print(BatchStatScaler().fit(X[["flow"]]).check_drift(new[["flow"]]))
found = GroupScaler(by="site").fit(X).check_drift(new)
print(found)
assert found.drifted == [(3, "flow")]
