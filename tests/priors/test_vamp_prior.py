"""The aggregate posterior of pseudo-inputs, against SciPy's mixture of the encoder's Normals."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import VAE, data, priors
from tfvae.errors import UserError, UserRuntimeError
from tfvae.noise import Noise

COMPONENTS, DRAWS = 3, 20_000


@pytest.fixture(scope="module")
def model():
    """With components that are far apart."""
    made = vae(prior=priors.VampPrior(2, SHAPE, num_components=COMPONENTS))
    made.build((None, *SHAPE))
    rng = np.random.default_rng(1)
    for weight in made.encoder.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return made


def parts(model):
    """Means and deviations `[K, 2]` of q(z|u_k)."""
    q = model.encoder.of_pseudo_inputs()(tf.convert_to_tensor(model.prior.inputs))
    return q.mean().numpy().astype("float64"), q.stddev().numpy().astype("float64")


def prior_of(model):
    return model.prior_distribution()


def test_the_density_is_the_mean_of_scipys_normals(model):
    loc, scale = parts(model)
    assert np.abs(np.diff(loc, axis=0)).max() > 1, "else one Normal would do"
    z = (2 * np.random.default_rng(2).normal(size=(9, 2))).astype("float32")
    each = scipy.stats.norm.logpdf(z[:, None], loc, scale).sum(axis=-1)
    expected = scipy.special.logsumexp(each, axis=1) - np.log(COMPONENTS)
    np.testing.assert_allclose(prior_of(model).log_prob(z), expected, rtol=1e-4, atol=1e-4)


def test_draws_have_the_mixtures_law(model):
    z = model.generate(Noise(3, row=tf.range(DRAWS)), {}).numpy()
    loc, scale = parts(model)
    for axis in range(2):

        def cdf(values, axis=axis):
            each = scipy.stats.norm.cdf(values[:, None], loc[:, axis], scale[:, axis])
            return each.mean(axis=1)

        assert scipy.stats.kstest(z[:, axis], cdf).pvalue > 1e-3
    nearest = np.argmax(scipy.stats.norm.logpdf(z[:, None], loc, scale).sum(-1), axis=1)
    assert set(nearest) == set(range(COMPONENTS))


def test_pseudo_inputs_learn_and_stay_in_their_interval():
    keras.utils.set_random_seed(1)
    model = vae(prior=priors.VampPrior(2, SHAPE, num_components=4))
    model.compile(keras.optimizers.Adam(0.3))
    model.build((None, *SHAPE))
    model.prior.adapt(IMAGES[:4])
    np.testing.assert_array_equal(model.prior.inputs, IMAGES[:4])
    model.fit(IMAGES, epochs=3, verbose=0)
    after = model.prior.inputs.numpy()
    assert np.mean(after != IMAGES[:4]) > 0.3
    assert after.min() == 0.0
    assert after.max() == 1.0


def test_training_examples_stay_where_they_are():
    prior = priors.VampPrior(2, SHAPE, num_components=4, learn_inputs=False)
    model = vae(prior=prior)
    model.compile("adam")
    model.build((None, *SHAPE))
    model.adapt(IMAGES.mean(axis=0), IMAGES[:4])
    model.fit(IMAGES, verbose=0)
    np.testing.assert_array_equal(prior.inputs, IMAGES[:4])
    assert not prior.trainable_variables


def test_real_numbers_have_no_interval():
    prior = priors.VampPrior(2, SHAPE, num_components=4, interval=None)
    prior.build()
    prior.adapt(np.full((4, *SHAPE), -7.0))
    assert float(prior.inputs[0, 0, 0, 0]) == -7.0
    assert prior.inputs.constraint is None


def test_a_file_gives_the_same_density(model, tmp_path):
    from tfvae import load_model

    model.compile("adam")
    model.save(tmp_path / "vamp.keras")
    again = load_model(tmp_path / "vamp.keras")
    z = np.zeros((1, 2), "float32")
    np.testing.assert_array_equal(prior_of(again).log_prob(z), prior_of(model).log_prob(z))


def test_the_first_examples_of_a_data_set():
    train, _ = data.load("digits", batch_size=50)
    found = data.first_examples(train, 120)
    batches = np.concatenate([batch.numpy() for batch, _ in zip(train, range(3), strict=False)])
    assert found.shape == (120, 8, 8, 1)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert batches.shape == (150, 8, 8, 1)


def test_the_prior_alone_says_what_it_needs(model):
    with pytest.raises(UserError, match=r"depends on encoder: ask the model, .* prior_distrib"):
        model.prior()


def built():
    prior = priors.VampPrior(2, SHAPE, num_components=4)
    prior.build()
    return prior


def of_shape(shape):
    made = vae(prior=priors.VampPrior(2, shape))
    assert isinstance(made, VAE)
    made.build((None, *SHAPE))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: priors.VampPrior(2, SHAPE, interval=(1.0, 1.0)), UserError, "low < high"),
        (lambda: priors.VampPrior(2, (8, 0)), UserError, "event_shape"),
        (lambda: priors.VampPrior(2, SHAPE, 0), UserError, "num_components"),
        (lambda: built().adapt(IMAGES[:3]), UserError, "num_components is how many"),
        (lambda: built().adapt(7 * IMAGES[:4]), UserError, "finite examples in"),
        (lambda: priors.VampPrior(2, SHAPE).adapt(IMAGES), UserRuntimeError, "needs a built"),
        (lambda: of_shape((4, 4, 1)), UserError, "the encoder takes"),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
