"""
Sparse text features
====================

Counts of words are sparse, and every normalizer here keeps them so. The length of a text should
not decide its class: normalizing rows takes it out. Common words should not drown rare ones:
normalizing columns does that.
"""

# %%
# The texts are docstrings of SciPy's functions, down to their parameters. The class of a text is
# the subpackage that the function is in.
import importlib

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sknorm import BatchStatScaler, L1Normalizer, L2Normalizer, LayerScaler, PowerNormScaler

texts, labels = [], []
for package in ("linalg", "ndimage", "optimize", "signal", "special", "stats"):
    module = importlib.import_module(f"scipy.{package}")
    for name in sorted(module.__all__):
        docstring = getattr(module, name).__doc__ or ""
        if len(docstring) > 200:
            texts.append(docstring.split("Parameters\n")[0])
            labels.append(package)
labels = np.array(labels)
print(len(texts), "texts, for example:", *texts[0].split())

# %%
# Sparse in, sparse out: same format, same places. ``BatchStatScaler`` does not center sparse
# input, since that would make it dense; ``StandardScaler`` raises here by default.
counts = CountVectorizer().fit_transform(texts)
for normalizer in (BatchStatScaler(), PowerNormScaler(), LayerScaler(), L2Normalizer()):
    scaled = normalizer.fit_transform(counts)
    assert sparse.issparse(scaled)
    assert scaled.format == counts.format
    assert scaled.nnz == counts.nnz
density = counts.nnz / np.prod(counts.shape)
print(f"{counts.shape[0]} x {counts.shape[1]} counts, {density:.1%} of them not zero")

# %%
# A scaler that centers says so, and names the ways out.
try:
    BatchStatScaler(with_mean=True).fit(counts)
except ValueError as error:
    print(error)
else:
    raise AssertionError("centering sparse input must raise")

# %%
# ``L2Normalizer`` does what ``TfidfVectorizer`` does by default, as a step that can be exchanged.
plain = TfidfVectorizer(norm=None).fit_transform(texts)
np.testing.assert_allclose(
    L2Normalizer().fit_transform(plain).toarray(),
    TfidfVectorizer(norm="l2").fit_transform(texts).toarray(),
    rtol=1e-12,
    atol=1e-15,
)

# %%
# Each of them before a linear classifier:
steps = {
    "counts": [CountVectorizer()],
    "counts, L1": [CountVectorizer(), L1Normalizer()],
    "counts, L2": [CountVectorizer(), L2Normalizer()],
    "counts, BatchStat": [CountVectorizer(), BatchStatScaler()],
    "counts, PowerNorm": [CountVectorizer(), PowerNormScaler()],
    "counts, PowerNorm, L2": [CountVectorizer(), PowerNormScaler(), L2Normalizer()],
    "tf-idf": [TfidfVectorizer(norm=None)],
    "tf-idf, L2": [TfidfVectorizer(norm=None), L2Normalizer()],
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
scores = {}
for name, step in steps.items():
    classifier = make_pipeline(*step, LinearSVC(tol=1e-3, max_iter=100_000, random_state=0))
    fold_scores = cross_val_score(classifier, texts, labels, cv=folds)
    scores[name] = fold_scores.mean()
    print(f"{name:<22} {fold_scores.mean():.3f} ± {fold_scores.std():.3f}")

# %%
# Guessing the most common class would be right this often:
guess = max(np.mean(labels == label) for label in set(labels))
print(f"{guess:.3f}")
assert min(scores.values()) > guess + 0.2
