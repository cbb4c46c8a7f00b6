"""KL, rate, distortion and active units against NumPy's closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from tests.evaluation.models import LinearGaussian, bits, digits_model, images
from tfvae import evaluation
from tfvae.priors import MixtureOfGaussians


def spread_out(model, seed=1):
    """Random encoder weights, so that means, scales and correlations differ between images."""
    rng = np.random.default_rng(seed)
    for weight in model.encoder.head.trainable_variables:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape).astype("float32"))
    return model


def closed_form_kl(posterior):
    """KL(N(m, S) || N(0, I)) = (tr S + m'm - D - log det S) / 2, in float64."""
    mean = posterior.mean().numpy().astype("float64")
    covariance = posterior.covariance().numpy().astype("float64")
    trace = np.trace(covariance, axis1=1, axis2=2)
    log_det = np.linalg.slogdet(covariance)[1]
    return 0.5 * (trace + np.sum(mean**2, axis=1) - mean.shape[1] - log_det)


@pytest.mark.parametrize("full", [False, True])
def test_logged_kl_is_numpys_closed_form(full):
    """`python -m pytest tests/evaluation/test_latents.py -s -k logged` prints the numbers."""
    model, x = spread_out(digits_model(20, full)), bits(256)
    model.compile("adam")
    logged = model.evaluate(x, batch_size=64, verbose=0, return_dict=True)["kl"]
    expected = np.mean(closed_form_kl(model.encoder(x)))
    error = abs(logged - expected) / expected
    print(
        f"\n{type(model.encoder.head).__name__}: logged KL {logged:.6f}, NumPy {expected:.6f}, "
        f"relative error {error:.1e}"
    )
    assert expected > 1
    assert error < 1e-5


@pytest.mark.parametrize("full", [False, True])
def test_kl_of_each_dimension_adds_up_to_the_rate(full):
    model, x = spread_out(digits_model(5, full)), bits(50)
    kl = evaluation.kl_per_dimension(model, x, batch_size=16)
    assert kl.shape == (5,)
    assert np.all(kl >= 0)
    parts = evaluation.rate_and_distortion(model, x, num_samples=3)
    np.testing.assert_allclose(np.sum(kl), parts.rate.mean, rtol=1e-5)
    np.testing.assert_allclose(parts.rate.per_example, closed_form_kl(model.encoder(x)), rtol=1e-4)
    bound = evaluation.elbo(model, x, num_samples=3)
    np.testing.assert_allclose(parts.rate.mean + parts.distortion.mean, -bound.mean, rtol=1e-6)


def test_distortion_of_a_linear_gaussian_model():
    """E_q[-log N(x; Wz + b, s^2)] has the closed form (|x - Wm - b|^2 + tr W S W') / 2s^2 + c."""
    known, x = LinearGaussian(full=True, shift=0.2), images(8)
    result = evaluation.rate_and_distortion(known.model, x, num_samples=4000).distortion
    mean = known.model.encoder(x).mean().numpy().astype("float64")
    rest = x.reshape(8, -1) - known.b - mean @ known.W.T
    spread = np.trace(known.W @ known.L @ known.L.T @ known.W.T)
    expected = (np.sum(rest**2, axis=1) + spread) / (2 * 0.3**2) + 8 * np.log(2 * np.pi * 0.3**2)
    np.testing.assert_allclose(result.per_example, expected, atol=0.2)
    np.testing.assert_allclose(result.mean, np.mean(expected), atol=0.1)


def test_active_units_are_those_whose_mean_moves():
    known, x = LinearGaussian(full=False, latent_size=3), images(100)
    projection = known.model.encoder.head.projection
    kernel, bias = projection.get_weights()
    kernel[:, 1] = 0.0  # the second dimension says nothing about x, and has another mean
    bias[1] = 5.0
    projection.set_weights([kernel, bias])
    result = evaluation.active_units(known.model, x, batch_size=32)
    means = x.reshape(100, -1) @ kernel[:, :3] + bias[:3]
    np.testing.assert_allclose(result.variances, np.var(means, axis=0, ddof=1), atol=1e-5)
    np.testing.assert_array_equal(result.active, [True, False, True])
    assert result.count == 2
    assert evaluation.active_units(known.model, x, threshold=100.0).count == 0
    np.testing.assert_allclose(evaluation.latent_codes(known.model, x), means, atol=1e-4)


def test_what_cannot_be_computed_is_refused():
    mixture = digits_model(2, prior=MixtureOfGaussians(2, num_components=3))
    with pytest.raises(ValueError, match="NormalMixture"):
        evaluation.kl_per_dimension(mixture, bits(4))
    with pytest.raises(ValueError, match="at least 2 examples"):
        evaluation.active_units(mixture, bits(1))
    with pytest.raises(ValueError, match="threshold must be a finite number of at least 0"):
        evaluation.active_units(mixture, bits(4), threshold=-1.0)


def test_programs_are_compiled_once_and_die_with_their_model():
    import gc
    import weakref

    from tfvae.training import programs

    model = digits_model(2)
    evaluation.latent_codes(model, bits(4))
    (program,) = programs._PROGRAMS[model].values()
    evaluation.latent_codes(model, tf.data.Dataset.from_tensor_slices(bits(8)).batch(4))
    evaluation.latent_codes(model, bits(4, seed=1))
    assert program.experimental_get_tracing_count() == 2  # one for batches of 4, one for 128
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None
