"""A model of two stages: its codes have the distribution that the second stage has learned."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import evaluation, heads, networks
from tfvae.export.servables.encoder import EncoderServable
from tfvae.models.capabilities import Classifies
from tfvae.noise import EMISSION, Noise

CENTRE = np.float32([5.0, -3.0])
SPREAD = np.float32([[0.5, 0.0], [0.6, 0.2]])  # codes are CENTRE + SPREAD eps: far from N(0, I)


def second(size=2, scale="learned", seed=7):
    return tfvae.VAE(
        tfvae.Encoder(networks.MLP([32]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([32]), heads.IndependentNormal((size,), scale=scale)),
        seed=seed,
    )


@pytest.fixture(scope="module")
def codes():
    eps = np.random.default_rng(0).normal(size=(2000, 2))
    return (CENTRE + eps @ SPREAD.T).astype("float32")


@pytest.fixture(scope="module")
def staged(codes):
    import keras

    keras.utils.set_random_seed(0)
    above = second()
    above.build((None, 2))
    above.adapt(codes.mean(axis=0))
    above.compile(keras.optimizers.Adam(5e-3), jit_compile=False)
    above.fit(codes, epochs=40, batch_size=100, verbose=0)
    return tfvae.StagedModel([vae(), above])


def drawn(model, count=4000, **options):
    return model.generate(Noise(3, row=tf.range(count), **options), {}).numpy()


def test_codes_have_the_moments_of_what_was_learned(staged, codes):
    z, of_prior = drawn(staged), drawn(staged.stages[0])
    for moment in (lambda z: z.mean(axis=0), lambda z: np.cov(z.T)):
        ours, its = (np.abs(moment(found) - moment(codes)).max() for found in (z, of_prior))
        assert ours < 0.1
        assert its > 0.5


def test_z_is_a_draw_and_not_the_mean_of_the_second_decoder():
    """With an untrained decoder of scale 2, all the variance of z is that of the draw."""
    model = tfvae.StagedModel([vae(), second(scale=2.0)])
    above = model.stages[1]
    means = above.decode(above.generate(Noise(3, row=tf.range(4000)), {}), {}).numpy()
    z = drawn(model)
    np.testing.assert_allclose(z.var(axis=0), means.var(axis=0) + 4.0, rtol=0.06)
    residuals = z - means
    assert np.abs(np.corrcoef(residuals.T, means.T)[:2, 2:]).max() < 0.08  # of noise of its own
    assert np.ptp(drawn(model, 5, temperature=0.0), axis=0).max() < 1e-6


def test_samples_are_the_first_decoder_at_these_codes(staged):
    expected = staged.stages[0].decode(drawn(staged, 4)).numpy()
    np.testing.assert_allclose(staged.sample(4, seed=3), expected, atol=1e-6)
    np.testing.assert_allclose(
        staged.reconstruct(IMAGES), staged.stages[0].reconstruct(IMAGES), atol=1e-6
    )


def test_three_stages_draw_through_the_middle_one(staged):
    deep = tfvae.StagedModel([*staged.stages, second(seed=9)])
    assert drawn(deep, 3).shape == (3, 2)
    assert not np.allclose(drawn(deep, 3), drawn(staged, 3))


def test_it_is_one_file(staged, tmp_path):
    staged.save(tmp_path / "staged.keras")
    loaded = tfvae.load_model(tmp_path / "staged.keras")
    assert len(loaded.weights) == len(staged.weights)
    np.testing.assert_array_equal(loaded.sample(3, seed=1), staged.sample(3, seed=1))


def with_labels(name="label", seed=3):
    """M2 of codes of two dimensions."""
    return tfvae.SemiSupervisedVAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(4)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentNormal((2,), scale="learned")),
        tfvae.Encoder(networks.MLP([8]), heads.LatentCategorical(3, 3)),
        {name: tfvae.Field.label(3)},
        seed=seed,
    )


def test_m1_and_m2_classify_and_draw_given_a_label(tmp_path):
    """Through the code of the first stage, as the second does; in a file and served too."""
    model = tfvae.StagedModel([vae(), with_labels()])
    below, above = model.stages
    codes = below.encode({"x": tf.constant(IMAGES)})
    expected = above.class_probabilities({"x": codes})
    assert np.ptp(expected, axis=0).max() > 1e-3
    found = tfvae.uses.classify(model, IMAGES)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    noise, label = Noise(3, row=tf.range(4)), {"label": tf.fill([4], 2)}
    z = above.emit(noise.part(EMISSION), above.generate(noise, label), label)
    np.testing.assert_allclose(model.sample(4, seed=3, label=2), below.decode(z), atol=1e-6)
    assert not np.allclose(model.sample(4, seed=3, label=1), below.decode(z), atol=1e-4)
    model.save(tmp_path / "staged.keras")
    loaded = tfvae.load_model(tmp_path / "staged.keras")
    np.testing.assert_allclose(
        loaded.class_probabilities({"x": tf.constant(IMAGES)}), expected, atol=1e-6
    )
    signature = EncoderServable(model).signatures()["classify"].concrete()
    np.testing.assert_allclose(
        signature(x=tf.constant(IMAGES))["probabilities"], expected, atol=1e-5
    )


def test_a_model_of_stages_without_labels_does_not_classify(staged):
    assert not isinstance(staged, Classifies)
    assert isinstance(tfvae.StagedModel([vae(), with_labels()]), Classifies)
    with pytest.raises(ValueError, match="whose one condition is a label"):
        tfvae.uses.classify(staged, IMAGES)


def test_conditions_of_one_name_that_differ_are_refused():
    first = tfvae.ConditionalVAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        {"label": tfvae.Field.label(4)},
    )
    with pytest.raises(ValueError, match=r"another stage has .* of that name"):
        tfvae.StagedModel([first, with_labels()])
    both = tfvae.StagedModel([first, with_labels("kind")])
    assert set(both.conditions()) == {"label", "kind"}
    assert both.sample(2, seed=1, label=3, kind=0).shape == (2, *SHAPE)


def test_what_it_cannot_do_is_refused_by_name(staged):
    with pytest.raises(ValueError, match=r"needs a model that scores: .*StagedModel can't"):
        evaluation.log_likelihood(staged, IMAGES)
    staged.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match="StagedModel is not trained"):
        staged.fit(IMAGES, verbose=0)


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (lambda: [vae()], "at least 2"),
        (lambda: [vae(), second(size=3)], r"codes of .* have shape \(2,\)"),
        (lambda: [vae(), tfvae.VAE(second().encoder, vae().decoder)], r"codes of .* \(2,\)"),
    ],
)
def test_stages_that_do_not_fit_are_refused(stages, said):
    with pytest.raises(ValueError, match=said):
        tfvae.StagedModel(stages())


def test_shape_is_the_first_stages(staged):
    assert staged.fields()["x"].shape == SHAPE
    assert staged.latent_size == 2
