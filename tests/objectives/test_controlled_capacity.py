"""Controlled capacity against the exact KL of a linear-Gaussian model, and in training."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.evaluation.models import bits, digits_model
from tests.objectives import linear_gaussian as model
from tfvae import VAE
from tfvae.callbacks import LinearCapacity, LinearWeight
from tfvae.objectives import ELBO, ControlledCapacity


def scipy_kl():
    """KL(q || N(0, I)) of each image, from SciPy's entropy and the second moments of q."""
    entropy = scipy.stats.multivariate_normal.entropy(np.zeros(model.D), np.diag(model.SCALE**2))
    squares = np.sum(model.LOC**2, axis=1) + np.sum(model.SCALE**2)
    return -entropy + 0.5 * squares + 0.5 * model.D * np.log(2 * np.pi)


@pytest.mark.parametrize("capacity", [0.0, 1.5, 40.0])
def test_the_gap_is_that_of_the_mean_kl(capacity):
    nats = ControlledCapacity(capacity).nats(model.inference(model.posterior()))
    assert list(nats.terms) == ["nll", "capacity_gap"]
    np.testing.assert_allclose(nats.watched["kl"], scipy_kl(), rtol=1e-5)
    expected = abs(np.mean(scipy_kl()) - capacity)
    np.testing.assert_allclose(nats.terms["capacity_gap"], expected, rtol=1e-5)


def test_what_is_reported_is_what_the_elbo_reports():
    gap = ControlledCapacity(3.0, gap_weight=50.0).nats(model.inference(model.posterior()))
    elbo = ELBO().nats(model.inference(model.posterior()))
    np.testing.assert_allclose(gap.watched["elbo"], elbo.watched["elbo"], rtol=1e-6)
    np.testing.assert_allclose(gap.terms["nll"], elbo.terms["nll"], rtol=1e-6)
    np.testing.assert_allclose(gap.watched["kl"], elbo.terms["kl"], rtol=1e-6)


@pytest.mark.parametrize(("capacity", "sign"), [(0.0, 1.0), (100.0, -1.0)])
def test_its_gradient_is_the_kls_from_above_and_its_negative_from_below(capacity, sign):
    """d KL / d loc = loc for a Normal against N(0, I)."""
    loc = tf.constant(model.LOC, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(loc)
        nats = ControlledCapacity(capacity).nats(model.inference(model.posterior(loc)))
        gap = nats.terms["capacity_gap"]
    expected = sign * model.LOC / len(model.LOC)
    np.testing.assert_allclose(tape.gradient(gap, loc), expected, rtol=1e-5)


def test_without_a_closed_form_the_kl_is_estimated():
    """4.5 standard errors over 4000 copies of each image."""
    nats = ControlledCapacity(1.0, analytic_kl=False).nats(
        model.inference(model.posterior(rows=4000))
    )
    mean, error = model.per_image(nats.watched["kl"], 4000)
    assert np.all(np.abs(mean - scipy_kl()) < 4.5 * error)
    assert np.all(error > 0)


def controlled(**options):
    base = digits_model(2)
    made = VAE(base.encoder, base.decoder, objective=ControlledCapacity(**options), seed=0)
    made.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    return made


@pytest.mark.parametrize("capacity", [0.5, 4.0])
def test_training_brings_the_kl_to_the_capacity(capacity):
    """These images are noise: the ELBO alone would end at a KL of 0."""
    trained = controlled(capacity=capacity, gap_weight=100.0)
    history = trained.fit(bits(256), batch_size=64, epochs=60, verbose=0).history
    # A step of 1e-2 in each weight moves the KL by some tenths.
    assert history["kl"][-1] == pytest.approx(capacity, abs=0.35)
    weighted = history["nll"][-1] + 100.0 * history["capacity_gap"][-1]
    assert history["loss"][-1] == pytest.approx(weighted, rel=1e-4)


def test_the_capacity_rises_epoch_by_epoch_and_is_logged():
    trained = controlled(capacity=6.0)
    history = trained.fit(
        bits(32), epochs=4, verbose=0, callbacks=[LinearCapacity(epochs=3, capacity=6.0)]
    ).history
    np.testing.assert_allclose(history["capacity"], [1.0, 3.0, 5.0, 6.0])
    resumed = controlled(capacity=6.0)
    history = resumed.fit(
        bits(32), epochs=3, initial_epoch=2, verbose=0, callbacks=[LinearCapacity(3, 6.0)]
    ).history
    np.testing.assert_allclose(history["capacity"], [5.0])


def test_what_has_no_capacity_is_refused_before_training():
    plain = digits_model(2)
    plain.compile("adam")
    with pytest.raises(ValueError, match=r"no 'capacity' to change over time"):
        plain.fit(bits(8), verbose=0, callbacks=[LinearCapacity(2, 1.0)])
    with pytest.raises(ValueError, match=r"no weight of a term 'kl'.*capacity_gap"):
        controlled().fit(bits(8), verbose=0, callbacks=[LinearWeight(2)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ControlledCapacity(-1.0), "capacity must be a finite number of at least 0"),
        (lambda: ControlledCapacity(float("inf")), "capacity must be a finite number"),
        (lambda: ControlledCapacity(gap_weight=-1.0), "gap_weight must be a finite number"),
        (lambda: ControlledCapacity(num_samples=0), "num_samples must be an integer"),
        (lambda: ControlledCapacity(analytic_kl="yes"), "analytic_kl must be None, True or False"),
        (lambda: LinearCapacity(0, 1.0), "epochs must be an integer of at least 1"),
        (lambda: LinearCapacity(2, -1.0), "capacity must be a finite number of at least 0"),
        (lambda: LinearCapacity(2, 1.0, start=-1.0), "start must be a finite number"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
