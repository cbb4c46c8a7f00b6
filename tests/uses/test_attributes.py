"""Attributes of a model whose code is x itself, so that means and classifiers are known."""

import keras
import numpy as np
import pytest

from tests.uses.codes import with_decoder
from tfvae import presets
from tfvae.errors import UserError
from tfvae.uses import Attribute, analogies, find_attribute, with_attribute


@pytest.fixture(scope="module")
def plain():
    """z = x, E[x|z] = z."""
    return with_decoder(keras.layers.Identity())


def groups(count=4000):
    """x of two Normals of one covariance, and which of them each is of."""
    generator = np.random.default_rng(0)
    factor = np.array([[1.0, 0.0], [0.8, 0.6]])
    present = np.arange(count) % 2 == 1
    x = generator.normal(size=(count, 2)) @ factor.T + np.outer(present, [1.0, 0.0])
    return x.astype("float32"), present, factor @ factor.T


def test_means_differ_by_the_direction(plain):
    x, present, _ = groups()
    found = find_attribute(plain, x, present)
    expected = x[present].mean(axis=0) - x[~present].mean(axis=0)
    np.testing.assert_allclose(found.direction, expected, atol=1e-5)
    strengths = found.strengths(x)
    np.testing.assert_allclose(strengths[~present].mean(), 0.0, atol=1e-5)
    np.testing.assert_allclose(strengths[present].mean(), 1.0, atol=1e-5)


def test_the_classifiers_direction_is_fishers(plain):
    """Between Normals of one covariance C the best line's normal is C^-1 (mu_1 - mu_0)."""
    x, present, covariance = groups()
    found = find_attribute(plain, x, present, "classifier")
    fisher = np.linalg.solve(covariance, [1.0, 0.0])
    cosine = found.direction @ fisher / np.linalg.norm(found.direction) / np.linalg.norm(fisher)
    assert cosine > 0.998
    between = x[present].mean(axis=0) - x[~present].mean(axis=0)
    # As far along it as the means are apart.
    np.testing.assert_allclose(
        found.direction @ between, found.direction @ found.direction, rtol=1e-5
    )
    assert between @ fisher / np.linalg.norm(between) / np.linalg.norm(fisher) < 0.9
    np.testing.assert_allclose(found.strengths(x)[present].mean(), 1.0, atol=1e-5)


def test_attributes_are_added_to_codes(plain):
    attribute = Attribute(np.array([1.0, -2.0]), np.zeros(2))
    x = np.array([[0.0, 0.0], [3.0, 1.0]], "float32")
    found = with_attribute(plain, x, attribute, (-1.0, 0.0, 2.0))
    np.testing.assert_allclose(found[:, 0], [[-1, 2], [0, 0], [2, -4]], atol=1e-5)
    np.testing.assert_allclose(found[1], x, atol=1e-5)
    assert found.dtype == np.float32


def test_analogies_add_and_take_away(plain):
    start, end, other = np.random.default_rng(1).normal(size=(3, 5, 2)).astype("float32")
    found = analogies(plain, start, end, other, batch_size=2)
    np.testing.assert_allclose(found, other + end - start, atol=1e-5)


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ([True, False], r"present has shape \(2,\), and there are 4 examples"),
        ([0, 1, 2, 0], "other values than 0 and 1"),
        ([1, 1, 1, 1], "all examples have the attribute"),
        ([0, 0, 0, 0], "no examples have the attribute"),
    ],
)
def test_groups_are_checked(plain, present, said):
    with pytest.raises(UserError, match=said):
        find_attribute(plain, np.eye(4, 2, dtype="float32"), present)


def test_other_bad_input_is_refused(plain):
    x = np.zeros((4, 2), "float32")
    with pytest.raises(UserError, match="have the same mean"):
        find_attribute(plain, x, [0, 1, 0, 1])
    with pytest.raises(UserError, match='expected "means" or "classifier"'):
        find_attribute(plain, x, [0, 1, 0, 1], "mean")
    with pytest.raises(UserError, match="start, end and other have 4, 4 and 2"):
        analogies(plain, x, x, x[:2])
    attribute = Attribute(np.ones(3), np.zeros(3))
    with pytest.raises(UserError, match="has 3 dimensions and the model's codes have 2"):
        with_attribute(plain, x, attribute)
    with pytest.raises(UserError, match="strengths is empty"):
        with_attribute(plain, x, Attribute(np.ones(2), np.zeros(2)), ())
    with pytest.raises(UserError, match=r"codes have shape \(4, 2\); expected \[N, 3\]"):
        attribute.strengths(x)
    model = presets.model("digits-conditional", latent_size=2, units=(4,))
    with pytest.raises(UserError, match="ConditionalVAE is given label"):
        find_attribute(model, x, [0, 1, 0, 1])
