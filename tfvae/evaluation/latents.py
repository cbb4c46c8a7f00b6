"""What a model puts into its latent code: rate, distortion, and the dimensions it uses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import real
from tfvae.distributions import divergences
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.evaluation.estimates import Estimate
from tfvae.evaluation.likelihood import elbo
from tfvae.training.programs import compiled


@dataclass(frozen=True)
class RateDistortion:
    """The two parts of the negative ELBO, nats.

    Attributes:
        rate: KL(q(z|x) || p(z)), what a code costs.
        distortion: E_q[-log p(x|z)], what it leaves to be said about the image.
    """

    rate: Estimate
    distortion: Estimate


@dataclass(frozen=True)
class ActiveUnits:
    """The latent dimensions whose posterior mean moves with x.

    Attributes:
        variances: float64 `[D]`, Var_x E[z_i|x] over the examples (divided by N - 1).
        threshold: A dimension above it is active.
    """

    variances: np.ndarray
    threshold: float

    @property
    def active(self) -> np.ndarray:
        """Which dimensions are active, bool `[D]`."""
        return self.variances > self.threshold

    @property
    def count(self) -> int:
        """How many dimensions are active."""
        return int(np.sum(self.active))


def rate_and_distortion(
    model: Any, data: Any, num_samples: int = 1, seed: int = 0, **options: Any
) -> RateDistortion:
    """Splits the negative ELBO into rate and distortion, rate + distortion = -ELBO.

    Args, errors and randomness are those of `elbo`, which this calls.

    References:
        A. Alemi et al., 2018, "Fixing a Broken ELBO", arXiv:1711.00464, eq. 2 and 4.
    """
    bound = elbo(model, data, num_samples, seed, **options)
    return RateDistortion(Estimate(bound.kl, num_samples), Estimate(bound.nll, num_samples))


def kl_per_dimension(
    model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> np.ndarray:
    """Mean over the examples of the KL that each latent dimension adds, in closed form.

    See `tfvae.distributions.divergences.kl_per_dimension` for the formula. The entries are
    non-negative and sum to the mean KL. Deterministic.

    Args:
        model: A built VAE with Normal posteriors and a `StandardNormal` prior.
        data: Images `[N, H, W, C]` in [0, 1], or a `tf.data.Dataset` of batches of them.
        batch_size: Images of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        float64 `[D]`, nats.

    Raises:
        ValueError: for a prior or posterior whose KL does not split over dimensions (a mixture);
            `rate_and_distortion` has the sum.
    """
    return np.mean(_collect(model, data, _kl_per_dimension, batch_size, verbose), axis=0)


def latent_means(
    model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> np.ndarray:
    """The posterior mean E[z|x] of each example. Deterministic.

    Args:
        model: A built VAE.
        data: Images `[N, H, W, C]` in [0, 1], or a `tf.data.Dataset` of batches of them.
        batch_size: Images of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        float64 `[N, D]`.

    Raises:
        ValueError, TypeError: for data that `fit` would refuse.
        RuntimeError: if the model is not built.
    """
    return _collect(model, data, _means, batch_size, verbose)


def active_units(
    model: Any,
    data: Any,
    threshold: float = 0.01,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> ActiveUnits:
    """Finds the latent dimensions that the encoder uses.

        dimension i is active  <=>  Var_x E_q(z|x)[z_i] > threshold

    Args:
        model: A built VAE.
        data: Images, at least two, or a `tf.data.Dataset` of batches of them.
        threshold: At least 0. Default 0.01, the paper's: variances come out near 1 or near 0.
        batch_size: Images of one compiled step.
        verbose: 1 shows a progress bar.

    Raises:
        ValueError: for a single example, which has no variance.

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, arXiv:1509.00519, section 5.2.
    """
    real("threshold", threshold, minimum=0.0)
    means = latent_means(model, data, batch_size=batch_size, verbose=verbose)
    if len(means) < 2:
        raise UserError("active_units needs at least 2 examples, received 1.")
    return ActiveUnits(np.var(means, axis=0, ddof=1), threshold)


def _collect(model: Any, data: Any, function: Any, batch_size: int, verbose: int) -> np.ndarray:
    run = compiled(model, function)
    parts = [
        run(tf.constant(images)).numpy()[:count]
        for images, _, count in batches(model, data, batch_size, verbose)
    ]
    return np.concatenate(parts).astype(np.float64)


def _means(model: Any, images: tf.Tensor) -> tf.Tensor:
    return model.encoder(images).mean()


def _kl_per_dimension(model: Any, images: tf.Tensor) -> tf.Tensor:
    return divergences.kl_per_dimension(model.encoder(images), model.prior.distribution())
