"""Shrinkage: what it is told apart from, what it tends to, and what it is worth."""

import numpy as np
import pytest
from scipy.special import digamma, polygamma

from sknorm import BatchStatScaler, GroupScaler, PowerNormScaler, SquashingScaler
from sknorm._statistics.moments import Moments
from sknorm._statistics.shrinkage import Prior, _trigamma_inverse

every_scaler = pytest.mark.parametrize(
    "scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()], ids=repr
)


def hierarchy(n_groups, rng, *, sizes=(1, 12), between=2.0, worth=6.0, n_channels=2):
    """Return rows of groups whose true means and variances are drawn, and these."""
    var = 4.0 * worth / rng.chisquare(worth, (n_groups, n_channels))
    mean = rng.normal(10.0, between, (n_groups, n_channels))
    keys = np.repeat(np.arange(n_groups), rng.integers(*sizes, n_groups, endpoint=True))
    return rng.normal(mean[keys], np.sqrt(var[keys])), keys, mean, var


def moments_of(x, keys):
    groups = [x[keys == key] for key in np.unique(keys)]
    count = np.concatenate([np.full(x.shape[1], float(len(rows))) for rows in groups])
    mean, var = (np.concatenate([f(rows, axis=0) for rows in groups]) for f in (np.mean, np.var))
    return Moments.from_var(count, mean, var)


def test_hyperparameters_of_many_groups_are_the_true_ones():
    x, keys, _, _ = hierarchy(20_000, np.random.default_rng(0))
    prior = Prior.of(moments_of(x, keys), 2, 1.0)
    np.testing.assert_allclose(prior.mean, 10.0, atol=0.1)
    np.testing.assert_allclose(prior.between, 4.0, rtol=0.1)
    np.testing.assert_allclose(prior.var, 4.0, rtol=0.1)
    np.testing.assert_allclose(prior.degrees, 6.0, rtol=0.25)


def test_trigamma_inverse():
    y = np.geomspace(1e-4, 1e4, 200)
    np.testing.assert_allclose(_trigamma_inverse(polygamma(1, y)), y, rtol=1e-8)


def test_formulas_by_hand():
    """The posterior of one channel, computed as the docstring of GroupScaler has it."""
    x, keys, _, _ = hierarchy(40, np.random.default_rng(1), n_channels=1, worth=3.0)
    groups = [x[keys == key, 0] for key in range(40)]
    n = np.array([len(rows) for rows in groups], dtype=float)
    mean = np.array([rows.mean() for rows in groups])
    m2 = np.array([((rows - rows.mean()) ** 2).sum() for rows in groups])
    d = n - 1

    def two_steps(values, noise):
        a = np.ones(values.size)
        for _ in range(2):
            center = np.average(values, weights=a)
            q = (a * (values - center) ** 2).sum()
            expected = (a * noise).sum() - (a**2 * noise).sum() / a.sum()
            between = max(0.0, (q - expected) / (a.sum() - (a**2).sum() / a.sum()))
            a = 1 / (noise + between)
        return np.average(values, weights=a), between

    h = d[d > 0] / 2
    scores = np.log(m2[d > 0] / d[d > 0]) - digamma(h) + np.log(h)
    center, excess = two_steps(scores, polygamma(1, h))
    assert excess > 0
    d0 = 2 * _trigamma_inverse(np.array([excess]))[0]
    s0 = np.exp(center + digamma(d0 / 2) - np.log(d0 / 2))
    s2 = (d0 * s0 + m2) / (d0 + d)
    v = s2 / n
    mu, tau = two_steps(mean, v)
    fitted = GroupScaler().fit(x, groups=keys)
    np.testing.assert_allclose(fitted.mean_[:, 0], mean + v / (v + tau) * (mu - mean), rtol=1e-10)
    np.testing.assert_allclose(fitted.var_[:, 0], s2, rtol=1e-10)


@every_scaler
def test_large_groups_keep_their_own(scaler):
    rng = np.random.default_rng(2)
    x, keys, _, _ = hierarchy(5, rng, sizes=(20_000, 20_000))
    own = GroupScaler(scaler, shrinkage="none").fit_transform(x, groups=keys)
    drawn = GroupScaler(scaler).fit_transform(x, groups=keys)
    np.testing.assert_allclose(drawn, own, atol=5e-3)


@every_scaler
def test_numbers_go_from_the_group_to_all_rows(scaler):
    x, keys, _, _ = hierarchy(8, np.random.default_rng(3), sizes=(5, 12))
    own = GroupScaler(scaler, shrinkage="none").fit_transform(x, groups=keys)
    pooled = scaler.fit(x).transform(x)
    found = GroupScaler(scaler, shrinkage=0).fit_transform(x, groups=keys)
    np.testing.assert_allclose(found, own, rtol=1e-12, atol=1e-12)
    found = GroupScaler(scaler, shrinkage=1e12).fit_transform(x, groups=keys)
    np.testing.assert_allclose(found, pooled, rtol=1e-8, atol=1e-8)


def test_a_number_is_that_many_values_more():
    x, keys, _, _ = hierarchy(6, np.random.default_rng(4), sizes=(3, 9))
    fitted = GroupScaler(shrinkage=len(x)).fit(x, groups=keys)
    for key in range(6):
        expected = BatchStatScaler().fit(np.concatenate([x, x[keys == key]]))
        np.testing.assert_allclose(fitted.mean_[key], expected.mean_, rtol=1e-12)
        np.testing.assert_allclose(fitted.var_[key], expected.var_, rtol=1e-12)


def test_one_group_is_not_drawn():
    x = np.random.default_rng(5).normal(size=(9, 2))
    found = GroupScaler().fit_transform(x, groups=np.zeros(9, int))
    np.testing.assert_allclose(found, BatchStatScaler().fit_transform(x), rtol=1e-12)


def test_alike_groups_become_one():
    """Where groups do not differ, they are drawn to what they have in common."""
    rng = np.random.default_rng(6)
    x, keys = rng.normal(3.0, 2.0, (3000, 1)), np.repeat(np.arange(600), 5)
    fitted = GroupScaler().fit(x, groups=keys)
    assert fitted.mean_.std() < 0.3 * np.sqrt(4.0 / 5)
    assert (np.abs(fitted.scale_ / 2.0 - 1.0) < 0.15).all()


def test_constant_groups_and_rows_of_their_own():
    x = np.array([[1.0], [1.0], [1.0], [5.0], [6.0], [9.0], [2.0], [4.0], [7.0]])
    keys = [0, 0, 0, 1, 1, 1, 2, 2, 3]
    fitted = GroupScaler().fit(x, groups=keys)
    assert (fitted.scale_ > 0).all()
    typical = fitted._group_statistics.prior.var[0]
    assert fitted.scale_[3] == pytest.approx(np.sqrt(typical))
    own = GroupScaler(shrinkage="none").fit(x, groups=keys)
    assert own.scale_[0] == own.scale_[3] == 1.0
    squashed = GroupScaler(SquashingScaler()).fit(x, groups=keys)
    assert np.isfinite(squashed.scale_).all()
    all_constant = GroupScaler().fit(np.ones((6, 1)), groups=[0, 0, 1, 1, 2, 3])
    np.testing.assert_array_equal(all_constant.scale_, 1.0)
    np.testing.assert_array_equal(all_constant.mean_, 1.0)


def test_units_do_not_matter():
    x, keys, _, _ = hierarchy(30, np.random.default_rng(7))
    for scaler in (BatchStatScaler(), PowerNormScaler(), SquashingScaler()):
        expected = GroupScaler(scaler).fit_transform(x, groups=keys)
        found = GroupScaler(scaler).fit_transform(x * 1e-6, groups=keys)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("scaler", [BatchStatScaler(), SquashingScaler(squash=None)])
@pytest.mark.parametrize("between", [0.0, 0.5, 4.0])
def test_nearer_to_the_truth_than_own_and_pooled(scaler, between):
    """The error of scaled values, by the true means and deviations of their groups."""
    rng = np.random.default_rng(8)
    errors = {}
    for _ in range(20):
        x, keys, mean, var = hierarchy(60, rng, between=between, worth=20.0)
        scale = np.sqrt(var)
        if isinstance(scaler, SquashingScaler):
            scale = 1.3489795 * scale
        for how in ("auto", "none", 1e15):  # the last is all rows
            fitted = GroupScaler(scaler, shrinkage=how).fit(x, groups=keys)
            shift = (fitted.mean_ if hasattr(fitted, "mean_") else fitted.center_) - mean
            ratio = np.log(np.where(np.isfinite(fitted.scale_), fitted.scale_, 1.0) / scale)
            error = (shift**2 / var).mean() + (ratio**2).mean()
            errors[how] = errors.get(how, 0.0) + error
    assert errors["auto"] < errors["none"]
    # Where groups do not differ in their means, nothing beats that of all rows.
    assert errors["auto"] < errors[1e15] * (1.0 if between else 1.15)
