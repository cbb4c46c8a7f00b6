"""Masks of images: draws that depend on the seed and the place alone, and what they learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tfvae import evaluation, heads, networks, priors
from tfvae.uses import segment

IMAGES = np.random.default_rng(0).random((5, 8, 8, 1)).astype("float32")


def untrained(likelihood=heads.IndependentBernoulli, **conditions):
    keras.utils.set_random_seed(1)
    model = tfvae.ConditionalVAE(
        tfvae.Encoder(networks.Conv([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.UNet([8, 8]), likelihood((8, 8, 1))),
        {"image": tfvae.Field((8, 8, 1)), **conditions},
        prior=priors.ConditionalNormal(2, [8]),
    )
    model.build(model.input_shapes())
    return model


@pytest.fixture(scope="module")
def model():
    return untrained()


def test_masks_are_the_decoders_at_draws_of_the_prior(model):
    """By Python's own loop over the noise of `tfvae.noise`, one image at a time."""
    found = segment(model, IMAGES, 3, seed=7, probabilities=True)
    assert found.shape == (3, 5, 8, 8, 1)
    seeds = tfvae.noise.example_seeds(7, 0, 5)
    for n in range(5):
        image = {"image": tf.constant(IMAGES[n : n + 1])}
        prior = model.prior_distribution(image)
        normal = tfvae.noise.Noise(seeds[n : n + 1], row=tf.range(3)[:, tf.newaxis]).normal(2)
        z = prior.mean() + prior.stddev() * normal
        for s in range(3):
            np.testing.assert_allclose(found[s, n], model.decode(z[s], image)[0], atol=1e-5)
    assert np.array_equal(segment(model, IMAGES, 3, seed=7), found >= 0.5)


def test_draws_do_not_depend_on_their_neighbours(model):
    options = {"seed": 7, "probabilities": True}
    found = segment(model, IMAGES, 4, **options)
    for other in (
        segment(model, IMAGES, 2, batch_size=2, **options),
        segment(model, {"image": IMAGES[:3]}, 4, **options),
    ):
        some = found[: len(other), : other.shape[1]]
        np.testing.assert_allclose(other, some, atol=1e-6)
    assert not np.allclose(segment(model, IMAGES, 4, seed=8, probabilities=True), found, atol=1e-6)


def test_two_styles_are_both_drawn():
    """Masks are the image's bright pixels or all of it, at odds of one to one."""
    model, rng = untrained(), np.random.default_rng(2)
    bright = np.kron(rng.random((64, 4, 4, 1)) > 0.5, np.ones((1, 2, 2, 1))).astype("float32")
    data = {
        "x": np.concatenate([bright, np.ones_like(bright)]),
        "image": np.concatenate([bright, bright]),
    }
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(data, epochs=40, batch_size=32, verbose=0)
    truth = np.stack([bright, np.ones_like(bright)])[:, :16]
    drawn = segment(model, bright[:16], 64)
    assert evaluation.generalised_energy_distance(drawn, truth).mean() < 0.05
    # One style alone is E[d(y, y')] away, the mean over pairs of which half differ.
    alike = np.repeat(truth[:1], 64, axis=0)
    spread = 0.5 * (1 - evaluation.intersection_over_union(truth[:1], truth[1:]).mean())
    found = evaluation.generalised_energy_distance(alike, truth).mean()
    assert found == pytest.approx(spread)
    assert found > 0.2


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (IMAGES[0], {}, r"image\[None\]"),
        (IMAGES[..., 0], {}, r"images\[..., None\]"),
        (IMAGES[:0], {}, "N at least 1"),
        (IMAGES[:, :4], {}, "received image of shape"),
        (IMAGES * 255, {}, r"in \[0, 1\]"),
        ({"images": IMAGES}, {}, "Did you mean 'image'"),
        (IMAGES, {"num_samples": 0}, "num_samples"),
        (IMAGES, {"seed": 0.5}, "seed"),
        (IMAGES, {"batch_size": 0}, "batch_size"),
    ],
)
def test_bad_input_is_refused(model, given, options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        segment(model, given, **options)


def test_models_of_other_things_are_refused():
    vae = tfvae.presets.model("digits", units=(4,))
    vae.build(vae.input_shapes())
    with pytest.raises(ValueError, match="without conditions"):
        segment(vae, IMAGES)
    with pytest.raises(ValueError, match="no bits"):
        segment(untrained(heads.ContinuousBernoulli), IMAGES)
