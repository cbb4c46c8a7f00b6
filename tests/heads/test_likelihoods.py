"""The likelihoods against SciPy's densities, with parameters computed by NumPy from the weights."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

from tfvae import heads

SHAPE = (4, 3, 2)
RNG = np.random.default_rng(5)
FLAT = RNG.normal(size=(5, 7)).astype("float32")
MAPS = RNG.normal(size=(5, 4, 3, 6)).astype("float32")


def randomised(head, features):
    head.build(features.shape)
    for weight in (head.projection.kernel, head.bias):
        weight.assign(RNG.normal(size=weight.shape))
    return head


def expected_pixels(head, features):
    """The dense projection of flat features, or the 1 x 1 convolution of maps, in float64."""
    kernel, bias = head.projection.kernel.numpy(), head.bias.numpy()
    if features.ndim == 2:
        return (features.astype("float64") @ kernel).reshape(-1, *SHAPE) + bias
    return np.einsum("nhwf,fc->nhwc", features.astype("float64"), kernel) + bias


@pytest.mark.parametrize("features", [FLAT, MAPS], ids=["flat", "per_pixel"])
def test_bernoulli_log_prob_equals_scipys(features):
    head = randomised(heads.IndependentBernoulli(SHAPE), features)
    x = (RNG.random((5, *SHAPE)) > 0.5).astype("float32")
    probs = scipy.special.expit(expected_pixels(head, features))
    expected = scipy.stats.bernoulli.logpmf(x, probs).sum(axis=(1, 2, 3))
    likelihood = head(features)
    np.testing.assert_allclose(likelihood.log_prob(x), expected, rtol=1e-5)
    np.testing.assert_allclose(likelihood.mean(), probs, atol=1e-6)
    assert np.all(likelihood.log_prob(x) <= 0)


@pytest.mark.parametrize("features", [FLAT, MAPS], ids=["flat", "per_pixel"])
@pytest.mark.parametrize(("scale", "sigma"), [(1.0, 1.0), (0.3, 0.3), ("learned", None)])
def test_normal_log_prob_equals_scipys(features, scale, sigma):
    head = randomised(heads.IndependentNormal(SHAPE, scale=scale), features)
    if scale == "learned":
        head.log_scale.assign(-0.9)
        sigma = np.exp(-0.9) + 1e-5
    x = RNG.normal(size=(5, *SHAPE)).astype("float32")
    loc = expected_pixels(head, features)
    expected = scipy.stats.norm.logpdf(x, loc, sigma).sum(axis=(1, 2, 3))
    likelihood = head(features)
    np.testing.assert_allclose(likelihood.log_prob(x), expected, rtol=2e-5)
    np.testing.assert_allclose(likelihood.mean(), loc, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(likelihood.stddev(), np.full_like(loc, sigma), rtol=1e-5)


def test_features_of_the_images_own_size_are_projected_per_pixel():
    """Far fewer weights than a dense layer, and one bias per pixel either way."""
    per_pixel, dense = heads.IndependentBernoulli(SHAPE), heads.IndependentBernoulli(SHAPE)
    per_pixel.build((None, 4, 3, 6))
    dense.build((None, 3, 4, 6))  # another size: not the image's own
    assert per_pixel.count_params() == 6 * 2 + 24
    assert dense.count_params() == 72 * 24 + 24
    pixel = np.zeros((1, 4, 3, 6), "float32")
    pixel[0, 1, 2] = 1.0
    changed = per_pixel.parameters(pixel)["logits"]
    assert np.argwhere(changed[0].numpy().any(axis=-1)).tolist() == [[1, 2]]


def test_the_learned_scale_starts_at_one_and_is_a_weight_of_the_layer():
    head = heads.IndependentNormal(SHAPE, scale="learned")
    likelihood = head(FLAT)
    np.testing.assert_allclose(likelihood.stddev(), 1.0, atol=2e-5)
    assert [w.name for w in head.trainable_weights if w.name == "log_scale"] == ["log_scale"]
    assert "log_scale" not in [w.name for w in heads.IndependentNormal(SHAPE).weights]


@pytest.mark.parametrize("features", [FLAT, MAPS], ids=["flat", "per_pixel"])
def test_adapt_puts_the_mean_at_the_training_mean(features):
    mean = RNG.uniform(0.05, 0.95, size=SHAPE)
    for head in (heads.IndependentBernoulli(SHAPE), heads.IndependentNormal(SHAPE)):
        head.build(features.shape)
        head.adapt(mean)
        likelihood = head(np.zeros_like(features))
        np.testing.assert_allclose(likelihood.mean()[0], mean, atol=1e-6)


def test_adapt_clips_pixels_that_are_never_or_always_lit():
    head = heads.IndependentBernoulli((1, 2, 1))
    head.build((None, 3))
    head.adapt(np.array([0.0, 1.0]).reshape(1, 2, 1))
    np.testing.assert_allclose(head.bias.numpy().ravel(), [-6.906755, 6.906755], rtol=1e-6)


def test_adapt_refuses_what_it_cannot_use():
    head = heads.IndependentBernoulli(SHAPE)
    with pytest.raises(RuntimeError, match=r"needs a built head.*model.build"):
        head.adapt(np.full(SHAPE, 0.5))
    head.build((None, 3))
    with pytest.raises(ValueError, match=r"shape \(4, 3, 2\), received \(24,\)"):
        head.adapt(np.full(24, 0.5))
    with pytest.raises(ValueError, match=r"in \[0, 1\], received values between 0.5 and 127"):
        head.adapt(np.linspace(0.5, 127, 24).reshape(SHAPE))
    with pytest.raises(ValueError, match=r"in \[0, 1\], received values between nan"):
        head.adapt(np.full(SHAPE, np.nan))


@pytest.mark.parametrize("bad", [0, 0.0, -1.0, "best", np.nan, np.inf, None, True])
def test_a_bad_scale_is_refused(bad):
    with pytest.raises(ValueError, match=r"scale must be .*above 0.*received"):
        heads.IndependentNormal(SHAPE, scale=bad)


@pytest.mark.parametrize("bad", [28, (28, 0, 1), (28.0, 28, 1), "28", None])
@pytest.mark.parametrize("head_class", [heads.IndependentBernoulli, heads.IndependentNormal])
def test_a_bad_event_shape_is_refused(head_class, bad):
    with pytest.raises(ValueError, match=r"event_shape.* must be .*received"):
        head_class(bad)


@pytest.mark.parametrize(
    "head",
    [
        heads.IndependentBernoulli(SHAPE),
        heads.IndependentNormal(SHAPE, scale=0.25),
        heads.IndependentNormal(SHAPE, scale="learned"),
        heads.MultivariateNormalDiag(3),
        heads.MultivariateNormalTriL(3),
    ],
)
def test_config_round_trip(head):
    clone = type(head).from_config(head.get_config())
    assert clone.get_config() == head.get_config()
    serialised = keras.saving.serialize_keras_object(head)
    assert serialised["registered_name"] == f"tfvae>{type(head).__name__}"
    again = keras.saving.deserialize_keras_object(serialised)
    assert again.event_shape == head.event_shape


def test_extreme_logits_have_finite_log_prob():
    """The density stays in log space: -1000 for a certain and wrong pixel, not -inf."""
    head = heads.IndependentBernoulli((1, 1, 1))
    head.build((None, 1))
    head.bias.assign([[[1000.0]]])
    zero, one = np.zeros((1, 1, 1, 1), "float32"), np.ones((1, 1, 1, 1), "float32")
    likelihood = head(np.zeros((1, 1), "float32"))
    assert float(likelihood.log_prob(zero)[0]) == -1000.0
    assert float(likelihood.log_prob(one)[0]) == 0.0
