"""The model by hand: construction, shapes, sampling, reconstruction, repr and saving."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import heads, networks, objectives, priors
from tfvae.noise import Noise
from tfvae.training import programs

tfd = tfp.distributions


@pytest.fixture(scope="module")
def model():
    built = vae()
    built.build((None, *SHAPE))
    return built


def test_it_returns_tensors_and_its_parts_distributions(model):
    assert tf.is_tensor(model(IMAGES))
    assert model(IMAGES).shape == IMAGES.shape
    assert isinstance(model.encoder(IMAGES), tfd.MultivariateNormalDiag)
    likelihood = model.decoder(np.zeros((3, 2), "float32"))
    assert isinstance(likelihood, tfd.Independent)
    assert isinstance(likelihood.distribution, tfd.Bernoulli)
    assert isinstance(model.prior(), tfd.MultivariateNormalDiag)
    assert model.latent_size == 2
    assert model.fields()["x"].shape == SHAPE


def test_samples_are_the_decoders_mean_at_the_priors_draws(model):
    z = model.prior.generate(Noise(3, row=tf.range(6), temperature=0.5))
    images = model.sample(6, seed=3, temperature=0.5)
    np.testing.assert_array_equal(images, model.decoder(z).mean())
    np.testing.assert_array_equal(model.sample(2, seed=3, temperature=0.5), images[:2])
    assert np.any(model.sample(6, seed=4).numpy() != model.sample(6, seed=3).numpy())
    np.testing.assert_array_equal(
        model.sample(3, seed=3, temperature=0.0), [model.sample(1, 9, temperature=0.0)[0]] * 3
    )


def test_sampling_is_compiled_once_whatever_is_asked_for():
    built = vae()
    built.build((None, *SHAPE))
    for count in (1, 4, np.int64(9)):
        assert built.sample(count, seed=int(count), temperature=0.5 / count).shape[0] == count
    for count in (3, 5):
        built.sample(count)
    (program,) = programs._PROGRAMS[built].values()
    assert program.experimental_get_tracing_count() == 2  # with a temperature, and without


def test_a_progress_bar_changes_no_sample(model, capsys):
    images = model.sample(600, seed=3, temperature=0.5)
    assert not capsys.readouterr().out
    again = model.sample(600, seed=3, temperature=0.5, verbose=1)
    np.testing.assert_allclose(again, images, rtol=1e-5)  # rows of a product, in other blocks
    assert "600/600" in capsys.readouterr().out


def test_unseeded_samples_differ_and_follow_the_models_seed():
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        models.append(vae(seed=8))
        models[-1].build((None, *SHAPE))
    first, again = models
    draws = [first.sample(4).numpy() for _ in range(2)]
    assert np.any(draws[0] != draws[1])
    np.testing.assert_array_equal(again.sample(4), draws[0])


def test_without_a_seed_keras_global_seed_governs():
    draws = []
    for global_seed in (1, 1, 2):
        keras.utils.set_random_seed(global_seed)
        model = vae(seed=None)
        model.build((None, *SHAPE))
        model.encoder.head.projection.kernel.assign(np.zeros((8, 4)))
        draws.append(model.next_seed().numpy().tolist())
    assert draws[0] == draws[1] != draws[2]


def test_reconstruct_is_the_mean_of_the_mean_and_draws_nothing(model):
    state = model.seed_state.numpy()
    expected = model.decoder(model.encoder(IMAGES).mean()).mean()
    np.testing.assert_array_equal(model.reconstruct(IMAGES), expected)
    np.testing.assert_array_equal(model.reconstruct(IMAGES), expected)
    np.testing.assert_array_equal(model.seed_state, state)


def test_adapt_makes_the_first_nll_the_entropy_of_the_mean_image():
    """With the output weights at zero the likelihood is that of independent pixels, by NumPy."""
    model = vae()
    model.build((None, *SHAPE))
    mean = IMAGES.mean(axis=0)
    model.decoder.head.adapt(mean)
    model.decoder.head.projection.kernel.assign(np.zeros((8, 64)))
    model.compile(jit_compile=False)
    logs = model.evaluate(IMAGES, verbose=0, return_dict=True)
    p = np.clip(mean, 0.001, 0.999)
    expected = -(IMAGES * np.log(p) + (1 - IMAGES) * np.log1p(-p)).sum(axis=(1, 2, 3)).mean()
    assert logs["nll"] == pytest.approx(expected, rel=1e-5)


def test_calling_adds_the_losses_once_and_weights_only_them():
    model = vae(objective=objectives.ELBO(kl_weight=3.0))
    model(IMAGES)
    nll, kl = (float(model.trackers[name].result()) for name in ("nll", "kl"))
    assert [float(v) for v in model.losses] == pytest.approx([nll, 3 * kl], rel=1e-5)
    assert float(model.trackers["elbo"].result()) == pytest.approx(-nll - kl, rel=1e-5)
    assert [m.name for m in model.metrics[-1].metrics] == ["elbo", "nll", "kl"]


def test_parts_that_disagree_are_refused():
    encoder = tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(3))
    decoder = tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE))
    with pytest.raises(ValueError, match=r"makes 3 latent dimensions and the prior has 2.*same"):
        tfvae.VAE(encoder, decoder, prior=priors.StandardNormal(2))
    with pytest.raises(TypeError, match=r"encoder must be a tfvae Encoder .*received"):
        tfvae.VAE(decoder, decoder)
    with pytest.raises(TypeError, match=r"decoder must be a tfvae Decoder .*received"):
        tfvae.VAE(encoder, networks.MLP([4]))
    with pytest.raises(TypeError, match=r"prior must be a tfvae Prior .*received"):
        tfvae.VAE(encoder, decoder, prior=tfd.Normal(0.0, 1.0))
    with pytest.raises(TypeError, match=r"objective must be a tfvae Objective .*received 'elbo'"):
        tfvae.VAE(encoder, decoder, objective="elbo")


class Bits(heads.Head):
    """Draws without a path: q(z|x) of independent bits."""

    reparameterised = False

    def parameters(self, features):
        return {"logits": features[:, : self.event_shape[0]]}

    def distribution(self, logits):
        return tfd.Independent(tfd.Bernoulli(logits=logits, dtype=tf.float32), 1)


def test_a_pathwise_objective_refuses_draws_without_a_path():
    """It would train the encoder on the KL alone."""

    def make(objective):
        return tfvae.VAE(
            tfvae.Encoder(networks.MLP([4]), Bits((3,))),
            tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
            objective=objective,
        )

    for objective in (objectives.ELBO(), objectives.ImportanceWeighted(2)):
        name = type(objective).__name__
        with pytest.raises(ValueError, match=rf"{name} follows the gradient .*draws of Bits have"):
            make(objective)
    model = make(objectives.ELBO(gradient="score_function"))
    assert model(IMAGES).shape == IMAGES.shape
    np.testing.assert_array_equal(
        model.encode({"x": tf.constant(IMAGES)}), model.encoder(IMAGES).mean()
    )


def test_a_decoder_built_for_other_codes_is_refused():
    codes = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4)])
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(3)),
        tfvae.Decoder(codes, heads.IndependentBernoulli(SHAPE)),
    )
    with pytest.raises(ValueError, match=r"does not take inputs of shape \(None, 3\)"):
        model.build((None, *SHAPE))


def test_sampling_needs_a_built_model():
    with pytest.raises(RuntimeError, match=r"sample\(\) needs a built model.*\(None, 8, 8, 1\)"):
        vae().sample(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_samples": 0}, "num_samples must be an integer of at least 1, received 0"),
        ({"num_samples": 2.5}, "num_samples must be an integer of at least 1, received 2.5"),
        ({"num_samples": 2, "temperature": -1.0}, "temperature must be .*at least 0, received -1"),
        ({"num_samples": 2, "seed": 2**31}, "seed must be an int32, .* received 2147483648"),
    ],
)
def test_bad_sampling_arguments_are_refused(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.sample(**arguments)


def test_summary_states_shapes_and_counts(model):
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for part in ("encoder", "decoder", "prior", "objective"):
        assert part in text
    assert "(None, 8, 8, 1)" in text


@pytest.mark.parametrize("head", [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL])
def test_one_latent_dimension_trains_and_reloads(head, tmp_path):
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), head(1)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
    )
    model.compile(jit_compile=False)
    model.fit(IMAGES, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(IMAGES), model.reconstruct(IMAGES))


def test_the_kl_weights_present_value_is_saved(tmp_path):
    model = vae(objective=objectives.ELBO(kl_weight=0.0))
    model.build((None, *SHAPE))
    model.objective.term_weights["kl"].assign(0.75)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.objective.weight("kl")) == 0.75
    assert loaded.objective.get_config()["kl_weight"] == 0.0


def test_training_reaches_both_networks():
    """Dropout draws anew in each training pass, and rests in the others."""
    networks_ = [
        keras.Sequential([keras.layers.Flatten(), keras.layers.Dropout(0.5, seed=1)])
        for _ in range(2)
    ]
    model = tfvae.VAE(
        tfvae.Encoder(networks_[0], heads.MultivariateNormalDiag(4)),
        tfvae.Decoder(networks_[1], heads.IndependentBernoulli(SHAPE)),
    )
    model.build((None, *SHAPE))
    z = np.ones((1, len(IMAGES), 4), "float32")
    for training in (True, False):
        first, second = (model.infer({"x": tf.constant(IMAGES)}, training) for _ in range(2))
        moved = [
            np.any(first.joint(z).mean.numpy() != second.joint(z).mean.numpy()),
            np.any(first.proposal.distribution.loc != second.proposal.distribution.loc),
        ]
        assert moved == [training, training]


def test_a_config_is_not_changed_by_using_it(model):
    config = model.get_config()
    tfvae.VAE.from_config(config)
    assert {"encoder", "decoder", "prior", "objective"} <= set(config)
    tfvae.VAE.from_config(config)


def test_parts_have_stable_default_names():
    """A prior and an objective that the model makes itself are named, not counted."""
    for _ in range(2):
        model = vae()
        assert (model.prior.name, model.objective.name) == ("prior", "objective")
