"""scikit-learn's own checks of every estimator, in default and telling non-default settings."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

ESTIMATORS = [
    BatchStatScaler(),
    BatchStatScaler(with_mean=True),
    BatchStatScaler(with_mean=False, gamma=2.0),
    BatchStatScaler(with_std=False),
    BatchStatScaler(momentum=0.1, eps=1e-5, gamma=2.0, beta=0.5, with_mean=True),
    BatchStatScaler(n_channels=1, n_jobs=2),
    PowerNormScaler(),
    PowerNormScaler(momentum=0.1, eps=1e-5, n_channels=1),
    LayerScaler(),
    LayerScaler(with_mean=False),
    LayerScaler(with_mean=True, eps=1e-5, gamma=2.0, beta=0.5),
    LayerScaler(with_std=False),
    L1Normalizer(),
    L2Normalizer(),
    L2Normalizer(keep_norm=True),
    MaxNormalizer(),
    MaxNormalizer(keep_norm=True),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)
