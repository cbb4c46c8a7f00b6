"""The aggregate posterior as a mixture: scikit-learn's densities and moments, our draws."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.mixture import GaussianMixture

import tfvae
from tests.evaluation.models import bits, bits_as_codes, digits_model
from tests.export.made import MADE
from tfvae import Autoencoder, Decoder, Encoder, evaluation, heads, networks, priors, uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.choice import servables_of
from tfvae.export.tflite_files.convert import decoder_file, sampler_file

RNG = np.random.default_rng(0)
# Two clusters whose coordinates depend on each other.
CODES = np.concatenate(
    [
        RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 3)) + 3.0,
        RNG.normal(size=(100, 3)) @ RNG.normal(size=(3, 3)) - 3.0,
    ]
)


def fitted(covariance, num_components=2):
    """scikit-learn's mixture, and the prior that it becomes."""
    found = GaussianMixture(num_components, covariance_type=covariance, random_state=0).fit(CODES)
    prior = priors.MixtureOfGaussians(3, num_components, covariance=covariance)
    prior.build()
    prior.assign(found.weights_, found.means_, found.covariances_)
    return found, prior


@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_densities_are_those_of_scikit_learn(covariance):
    found, prior = fitted(covariance)
    log_prob = prior().log_prob(tf.constant(CODES, tf.float32))
    np.testing.assert_allclose(log_prob, found.score_samples(CODES), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_draws_have_the_moments_of_the_mixture(covariance):
    """4.5 standard errors of 50,000 draws; the covariance's by its own fourth moments."""
    found, prior = fitted(covariance)
    z = prior.sample(50_000, seed=1).numpy().astype("float64")
    error = z.std(axis=0) / np.sqrt(len(z))
    mean = found.weights_ @ found.means_
    assert np.all(np.abs(z.mean(axis=0) - mean) < 4.5 * error)
    own = found.covariances_
    within = own if covariance == "full" else np.stack([np.diag(c) for c in own])
    centred = found.means_ - mean
    exact = np.einsum("k,kij->ij", found.weights_, within)
    exact += np.einsum("k,ki,kj->ij", found.weights_, centred, centred)
    products = (z - mean)[:, :, None] * (z - mean)[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(z))
    assert np.all(np.abs(products.mean(axis=0) - exact) < 4.5 * error)


def test_one_full_component_is_the_gaussian_of_the_codes():
    _, prior = fitted("full", 1)
    component = prior().components_distribution
    np.testing.assert_allclose(component.mean()[0], CODES.mean(axis=0), rtol=1e-5)
    covariance = np.cov(CODES.T, ddof=0)
    np.testing.assert_allclose(component.covariance()[0], covariance, rtol=1e-4, atol=1e-4)


def autoencoder():
    keras.utils.set_random_seed(2)
    model = Autoencoder(
        Encoder(networks.MLP([8]), heads.PointCode(2)),
        Decoder(networks.MLP([8]), heads.IndependentBernoulli((8, 8, 1))),
    )
    model.build((None, 8, 8, 1))
    return model


MODELS = {"vae": lambda: digits_model(2), "autoencoder": autoencoder}


@pytest.fixture(params=MODELS)
def model(request):
    """A model that has a prior, and one that has none."""
    return MODELS[request.param]()


def test_what_is_fitted_are_draws_from_the_posterior_or_else_codes(model):
    x = bits(200)
    prior = uses.fit_aggregate(model, x, num_components=1, seed=3)
    if hasattr(model, "infer"):
        codes = evaluation.posterior_draws(model, x, seed=3)[0]
    else:
        codes = model.codes(x)
    component = prior().components_distribution
    np.testing.assert_allclose(component.mean()[0], codes.mean(axis=0), rtol=1e-4, atol=1e-5)
    covariance = np.cov(codes.T, ddof=0)
    np.testing.assert_allclose(component.covariance()[0], covariance, rtol=1e-3, atol=1e-4)


def test_the_model_samples_from_it_and_does_the_rest_as_before(model, tmp_path):
    x = bits(64)
    prior = uses.fit_aggregate(model, x, num_components=3)
    found = model.with_prior(prior)
    drawn = found.sample(5, seed=7)
    np.testing.assert_allclose(drawn, model.decode(prior.sample(5, seed=7)), rtol=1e-5)
    np.testing.assert_array_equal(found.reconstruct(x), model.reconstruct(x))
    np.testing.assert_array_equal(found.codes(x), model.codes(x))
    found.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(5, seed=7), drawn)
    with pytest.raises(ValueError, match="needs a model that scores"):
        found.log_likelihood(x)
    found.compile("adam")
    with pytest.raises(ValueError, match="A ModelWithPrior is not trained"):
        found.fit(x, verbose=0)


def test_exported_files_draw_what_python_draws(model, tmp_path):
    found = model.with_prior(uses.fit_aggregate(model, bits(64), num_components=3))
    check_exported_draws(found, tmp_path)


def check_exported_draws(found, tmp_path):
    """A SavedModel and a TFLite file without other than built-in operations, from one seed."""
    from ai_edge_litert.interpreter import Interpreter

    drawn = found.sample(4, seed=11).numpy()
    decoder = next(s for s in servables_of(found) if s.name == "decoder")
    write(decoder(found), tmp_path / "decoder", MADE, warmup_batch_sizes=())
    served = tf.saved_model.load(str(tmp_path / "decoder")).signatures["sample"]
    columns = {"num_samples": [4], "first": [0], "seed": [11]}
    answer = served(temperature=tf.ones([1]), **{n: tf.constant(v) for n, v in columns.items()})
    np.testing.assert_allclose(answer["x"][0], drawn, rtol=1e-4, atol=1e-5)
    content = decoder_file(found, "float32", {}, sampler_file(found))
    run = Interpreter(model_content=content)
    operations = {op["op_name"] for op in run._get_ops_details()}
    assert not [op for op in operations if op.startswith("Flex") or op == "CUSTOM"]
    seeded = run.get_signature_runner("sample_seeded")
    answer = seeded(num_samples=np.int32(4), seed=np.int32(11))
    np.testing.assert_allclose(answer["x"], drawn, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: uses.fit_aggregate(digits_model(2), bits(3), 4), "num_components=4 and 3 examp"),
        (lambda: uses.fit_aggregate(digits_model(2), bits(3), 0), "num_components must be an int"),
        (lambda: uses.fit_aggregate(digits_model(2), bits(3), 1, "tied"), 'must be "diag" or "fu'),
        (lambda: uses.fit_aggregate(digits_model(2), bits(3), 1, seed=-1), "seed must be an int"),
        (
            lambda: uses.fit_aggregate(bits_as_codes(), bits(9), 1),
            "VAE are bits, and fit_aggregate",
        ),
        (lambda: digits_model(2).with_prior(priors.StandardNormal(3)), "vectors of 2 numbers, and"),
        (
            lambda: digits_model(2).with_prior(priors.VampPrior(2, (8, 8, 1), 2)),
            "VampPrior's distribution depends on encoder",
        ),
        (lambda: priors.MixtureOfGaussians(2, covariance="tied"), 'covariance must be "diag" or'),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
