"""The importance-weighted bound on a linear-Gaussian model, and its two gradient estimators."""

import itertools

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.objectives import linear_gaussian as model
from tfvae.distributions.draws import draw
from tfvae.noise import training_noise
from tfvae.objectives import ELBO, ImportanceWeighted

tfd = tfp.distributions
ROWS = 4000
GRADIENTS = ["pathwise", "doubly_reparameterised"]


def evaluate(objective, posterior, **options):
    return objective.nats(model.inference(posterior, **options))


def bound(num_samples, rows=ROWS, gradient="pathwise"):
    objective = ImportanceWeighted(num_samples, gradient=gradient)
    nats = evaluate(objective, model.posterior(rows=rows))
    mean, error = model.per_image(nats.terms["negative_iw_elbo"], rows)
    return -mean, error


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_one_sample_is_the_monte_carlo_elbo(gradient):
    iw = evaluate(ImportanceWeighted(1, gradient=gradient), model.posterior())
    elbo = evaluate(ELBO(analytic_kl=False), model.posterior())
    np.testing.assert_allclose(-iw.terms["negative_iw_elbo"], elbo.watched["elbo"], rtol=1e-6)
    np.testing.assert_allclose(iw.watched["kl"], elbo.terms["kl"], rtol=1e-5)


def test_the_bound_rises_from_the_elbo_to_log_p_x():
    sizes = (1, 4, 16, 64)
    bounds, errors = zip(*(bound(size) for size in sizes), strict=True)
    assert np.all(np.abs(bounds[0] - model.exact_elbo()) < 4.5 * errors[0])
    for lower, higher in itertools.pairwise(bounds):
        assert np.all(higher > lower)
    assert np.all(model.LOG_PX - bounds[0] > 0.05), "the gap to close"
    # At K = 64 the gap is Var(w) / (2 K), about 1/64 of the ELBO's own.
    closed = (model.LOG_PX - bounds[-1]) / (model.LOG_PX - bounds[0])
    assert np.all(np.abs(closed) < 0.1)
    assert np.all(np.abs(model.LOG_PX - bounds[-1]) < 4.5 * errors[-1] + 0.02)


def test_converges_to_the_exact_log_likelihood():
    estimate, error = bound(4000, rows=10)
    np.testing.assert_allclose(estimate, model.LOG_PX, atol=4.5 * error.max() + 1e-3)


def test_the_bound_equals_numpys_logsumexp_of_the_weights():
    posterior = model.posterior()
    nats = evaluate(ImportanceWeighted(6), posterior)
    z = draw(posterior, training_noise(tf.constant((1, 2)), 6, 3)).z.numpy().astype("float64")
    log_likelihood = scipy.stats.norm.logpdf(model.X, z @ model.W.T + model.B, model.SIGMA)
    log_prior = scipy.stats.norm.logpdf(z).sum(axis=-1)
    log_q = scipy.stats.norm.logpdf(z, model.LOC, model.SCALE).sum(axis=-1)
    log_weights = log_likelihood.sum(axis=-1) + log_prior - log_q
    expected = scipy.special.logsumexp(log_weights, axis=0) - np.log(6)
    np.testing.assert_allclose(-nats.terms["negative_iw_elbo"], expected, rtol=1e-5)
    np.testing.assert_allclose(nats.watched["elbo"], log_weights.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        nats.watched["kl"], (log_q - log_prior).mean(axis=0), rtol=1e-4, atol=1e-5
    )
    assert list(nats.terms) == ["negative_iw_elbo"], "the ELBO's parts are watched, not minimised"


# --- Gradients -------------------------------------------------------------------------------


def gradients(gradient, num_samples, rows, seed=(7, 8), full=False):
    """Gradient of the loss of image 0 with regard to (loc, scale, decoder's b), each row its own.

    Returns: `[rows, parameters]`.
    """
    loc = tf.Variable(tf.repeat(tf.constant(model.LOC[:1], tf.float32), rows, axis=0))
    bias = tf.Variable(tf.repeat(tf.constant(model.B[None], tf.float32), rows, axis=0))
    factor = np.array([[model.SCALE[0], 0.0], [0.2, model.SCALE[1]]], "float32")
    scale = factor if full else model.SCALE.astype("float32")
    scale = tf.Variable(tf.repeat(tf.constant(scale[None]), rows, axis=0))
    x = tf.repeat(tf.constant(model.X[:1], tf.float32), rows, axis=0)
    objective = ImportanceWeighted(num_samples, gradient=gradient)

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            family = tfd.MultivariateNormalTriL if full else tfd.MultivariateNormalDiag
            posterior = family(tf.convert_to_tensor(loc), tf.convert_to_tensor(scale))
            decoder = lambda z: model.decoder(z, bias=bias)  # noqa: E731
            nats = evaluate(objective, posterior, likelihood=decoder, x=x, seed=seed)
            loss = tf.reduce_sum(nats.terms["negative_iw_elbo"])
        return tape.gradient(loss, [loc, scale, bias])

    return np.concatenate([g.numpy().reshape(rows, -1) for g in compute()], axis=1)


@pytest.mark.parametrize("full", [False, True], ids=["diag", "tril"])
@pytest.mark.parametrize("num_samples", [1, 5])
def test_both_gradients_have_the_same_expectation(num_samples, full):
    """4.5 standard errors of the difference of means over 20,000 independent draws each."""
    rows = 20_000
    pathwise = gradients("pathwise", num_samples, rows, (1, 2), full).astype("float64")
    doubly = gradients("doubly_reparameterised", num_samples, rows, (3, 4), full).astype("float64")
    error = np.sqrt((pathwise.var(axis=0) + doubly.var(axis=0)) / rows)
    assert np.all(np.abs(pathwise.mean(axis=0) - doubly.mean(axis=0)) < 4.5 * error + 1e-5)
    signal = np.abs(pathwise.mean(axis=0))[: model.D]
    assert np.all(signal > 5 * error[: model.D]), "else the comparison would show nothing"


def test_pathwise_is_the_gradient_of_the_mean_bound():
    """Against a central difference of the exact ELBO at K = 1."""
    step, rows = 1e-4, 20_000
    measured = gradients("pathwise", 1, rows).astype("float64")
    for i in range(model.D):
        shift = step * np.eye(model.D)[i]
        higher, lower = (model.exact_elbo(loc=model.LOC + s)[0] for s in (shift, -shift))
        exact = -(higher - lower) / (2 * step)
        error = measured[:, i].std() / np.sqrt(rows)
        assert abs(measured[:, i].mean() - exact) < 4.5 * error


def signal_to_noise(gradient, num_samples):
    loc = gradients(gradient, num_samples, 4000)[:, : model.D].astype("float64")
    return np.abs(loc.mean(axis=0)) / loc.std(axis=0)


def test_doubly_reparameterised_has_lower_encoder_variance_at_large_k():
    """Tucker et al. 2019, section 4: DReG's signal-to-noise ratio rises with K, pathwise falls."""
    variance = {g: gradients(g, 64, 4000)[:, : 2 * model.D].var(axis=0) for g in GRADIENTS}
    assert np.all(variance["doubly_reparameterised"] < 0.2 * variance["pathwise"])
    few, many = ([signal_to_noise(g, k) for g in GRADIENTS] for k in (4, 64))
    assert many[0].max() < few[0].max()
    assert np.all(many[1] > few[1])


def test_the_decoders_gradient_is_the_same_for_both():
    same = [gradients(g, 5, 10)[:, 2 * model.D :] for g in GRADIENTS]
    np.testing.assert_allclose(*same, rtol=1e-4, atol=1e-6)


def test_doubly_reparameterised_needs_a_posterior_whose_parameters_it_can_hold():
    """A nested distribution's parameters would keep their gradient, and bias the estimator."""
    nested = tfd.Independent(tfd.Normal(tf.constant(model.LOC, tf.float32), 1.0), 1)
    with pytest.raises(ValueError, match=r"parameters constant .*Independent.*frozen.*pathwise"):
        evaluate(ImportanceWeighted(3, gradient="doubly_reparameterised"), nested)
    evaluate(ImportanceWeighted(3), nested)


def test_config_round_trip():
    objective = ImportanceWeighted(7, gradient="doubly_reparameterised")
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert clone.get_config() == objective.get_config()
    assert (clone.num_samples, clone.gradient) == (7, "doubly_reparameterised")


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"num_samples must be .*received 0"):
        ImportanceWeighted(0)
    with pytest.raises(ValueError, match=r"gradient must be one of .*pathwise.*received 'dreg'"):
        ImportanceWeighted(5, gradient="dreg")
