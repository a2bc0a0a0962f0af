"""float32 results that are found in float32, right for all values."""

import numpy as np
import pytest

from sknorm import BatchStatScaler, L1Normalizer, L2Normalizer, LayerScaler, MaxNormalizer

MAX = float(np.finfo(np.float32).max)
orders = pytest.mark.parametrize("order", ["C", "F"])


def units(z, want, least=1.0):
    """Return how far results are off, in units in the last place of what is at least this large."""
    unit = np.spacing(np.maximum(np.abs(want), least).astype(np.float32)).astype(np.longdouble)
    return float((np.abs(z.astype(np.longdouble) - want) / unit).max())


def exact(x):
    return x.astype(np.longdouble)


@orders
def test_the_largest_of_every_significand_is_one(order):
    significands = (np.arange(2**23, dtype=np.uint32) | np.uint32(127 << 23)).view(np.float32)
    x = np.stack([-significands, significands / 4], axis=1)
    z = MaxNormalizer().fit_transform(np.asarray(x, order=order))
    assert (z[:, 0] == -1).all()
    assert (z[:, 1] == 0.25).all()


@orders
@pytest.mark.parametrize("power", [-148, -127, -126, -60, 0, 60, 99, 101, 124])
@pytest.mark.parametrize("width", [3, 8, 50])
def test_norms_and_layers_at_any_magnitude(width, power, order):
    x = np.random.default_rng(0).normal(3, 1, (300, width))
    x = np.asarray(np.ldexp(x, power), dtype=np.float32, order=order)
    v = exact(x)
    wants = {
        L1Normalizer(): v / np.abs(v).sum(axis=1, keepdims=True),
        L2Normalizer(): v / np.sqrt((v**2).sum(axis=1, keepdims=True)),
        MaxNormalizer(): v / np.abs(v).max(axis=1, keepdims=True),
        LayerScaler(with_mean=False, eps=0.0): v / np.sqrt((v**2).mean(axis=1, keepdims=True)),
    }
    for estimator, want in wants.items():
        assert units(estimator.fit_transform(x), want, least=0.0) <= 2, estimator
    if power > -120:  # below, hardly any digits are left of what the mean is taken off
        d = v - v.mean(axis=1, keepdims=True)
        want = d / np.sqrt((d**2).mean(axis=1, keepdims=True))
        assert units(LayerScaler(eps=0.0).fit_transform(x), want) <= 4


@orders
@pytest.mark.parametrize(("mean", "scale"), [(0, 1), (1e4, 1e-2), (-3e-39, 1e-39), (1e25, 1e24)])
def test_features_centered_on_anything(mean, scale, order):
    x = np.random.default_rng(0).normal(mean, scale, (1001, 50))
    x = np.asarray(x, dtype=np.float32, order=order)
    scaler = BatchStatScaler(eps=0.0).fit(x)
    want = (exact(x) - exact(scaler.mean_)) / exact(scaler.scale_)
    assert units(scaler.transform(x), want) <= 3
    assert units(scaler.transform(x[:1]), want[:1]) <= 3


@orders
@pytest.mark.parametrize("mean", [-MAX / 2, -1e30, 1e30, MAX / 2])
def test_differences_beyond_float32(mean, order):
    """The difference from the mean overflows float32, and what is scaled does not."""
    fitted = np.array([[0.5], [1.5]], dtype=np.float32) * np.float32(mean)
    scaler = BatchStatScaler(eps=0.0).fit(np.repeat(fitted, 9, axis=1))
    x = np.asarray(np.tile(np.float32([[MAX], [-MAX], [0], [mean]]), 9), order=order)
    want = (exact(x) - exact(scaler.mean_)) / exact(scaler.scale_)
    assert units(scaler.transform(x), want) <= 3
    # Nearly constant, so that the scale is small beside the mean.
    weight = np.array([1e6, 1.0])
    fitted[1] = np.nextafter(fitted[0], np.float32(0))
    scaler = BatchStatScaler(eps=0.0).fit(np.repeat(fitted, 9, axis=1), sample_weight=weight)
    want = (exact(x) - exact(scaler.mean_)) / exact(scaler.scale_)
    assert units(scaler.transform(x), want) <= 3
    # The same within a sample: its mean is far from its extremes.
    rows = np.asarray(np.tile(np.float32([MAX, -MAX, -MAX, -MAX, MAX / 3]), (11, 2)), order=order)
    d = exact(rows) - exact(rows).mean(axis=1, keepdims=True)
    want = d / np.sqrt((d**2).mean(axis=1, keepdims=True))
    assert units(LayerScaler(eps=0.0).fit_transform(rows), want) <= 4


@orders
@pytest.mark.parametrize(
    "estimator",
    [L1Normalizer(), L2Normalizer(), MaxNormalizer(), LayerScaler(with_mean=False)],
    ids=repr,
)
def test_negative_zero_keeps_its_sign(estimator, order):
    x = np.random.default_rng(0).normal(size=(40, 13)).astype(np.float32)
    x[:, ::3] = -0.0
    z = estimator.fit_transform(np.asarray(x, order=order))
    np.testing.assert_array_equal(np.signbit(z), np.signbit(x))
