"""What a model puts into its latent code: rate, distortion, and the dimensions it uses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.estimates import Estimate
from tfvae.evaluation.likelihood import elbo
from tfvae.models.capabilities import Batch, Encodes, Scores, require
from tfvae.models.codes import code_draws
from tfvae.training.programs import compiled


@dataclass(frozen=True)
class RateDistortion:
    """The two parts of the negative ELBO, nats.

    Attributes:
        rate: KL(q(z|x) || p(z)), what a code costs.
        distortion: E_q[-log p(x|z)], what it leaves to be said about the example.
    """

    rate: Estimate
    distortion: Estimate


@dataclass(frozen=True)
class ActiveUnits:
    """The latent dimensions whose posterior mean moves with x.

    Attributes:
        variances: float64 `[D]`, Var_x E[z_i|x] over the examples (divided by N - 1).
        threshold: A dimension above it is active.
        draws: How many draws each mean is from; 0 where it has a closed form. Their noise is the
            same for every example, and adds little to the variances.
    """

    variances: np.ndarray
    threshold: float
    draws: int = 0

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
        data: What `fit` takes.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        float64 `[D]`, nats.

    Raises:
        UserError: for a prior or posterior whose KL does not split over dimensions (a mixture);
            `rate_and_distortion` has the sum.
    """
    require(model, "kl_per_dimension()", Scores)
    return np.mean(_collect(model, data, _kl_per_dimension, batch_size, verbose), axis=0)


def latent_codes(model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0) -> Any:
    """The point estimate of z of each example: of a Normal posterior its mean. Deterministic.

    Where a posterior's mean has no closed form it is that of 256 draws from fixed noise; see
    `tfvae.distributions.moments`. `tfvae.models.codes.code_draws` says how many they are.

    Args:
        model: A built model that encodes.
        data: What `fit` takes.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        float64 `[N, D]`, or the nest of such that the model's z is; codes that are whole numbers
        in their own type.

    Raises:
        UserError: for data that `fit` would refuse, or a model that does not encode.
        UserRuntimeError: if the model is not built.
    """
    require(model, "latent_codes()", Encodes)
    return _collect(model, data, _codes, batch_size, verbose)


def flat_codes(model: Any, data: Any, **options: Any) -> np.ndarray:
    """The numbers of `latent_codes` in one row an example, `[N, D]`, level after level."""
    levels = tf.nest.flatten(latent_codes(model, data, **options))
    return np.concatenate([level.reshape(len(level), -1) for level in levels], axis=1)


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
        model: A built model that encodes.
        data: What `fit` takes, at least two examples.
        threshold: At least 0. Default 0.01, the paper's: variances come out near 1 or near 0.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Raises:
        UserError: for a single example, which has no variance.

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, arXiv:1509.00519, section 5.2.
    """
    real("threshold", threshold, minimum=0.0)
    means = flat_codes(model, data, batch_size=batch_size, verbose=verbose)
    if len(means) < 2:
        raise UserError("active_units needs at least 2 examples, received 1.")
    return ActiveUnits(np.var(means, axis=0, ddof=1), threshold, code_draws(model))


def _collect(model: Any, data: Any, function: Any, batch_size: int, verbose: int) -> Any:
    run = compiled(model, function)
    found = collected(model, data, lambda batch: run(batch.tensors()), batch_size, verbose)
    return tf.nest.map_structure(_in_float64, found)


def _in_float64(values: np.ndarray) -> np.ndarray:
    """Real numbers in float64; whole numbers, such as indices of codes, stay what they are."""
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def _codes(model: Any, batch: Batch) -> Any:
    return model.encode(batch)


def _kl_per_dimension(model: Any, batch: Batch) -> tf.Tensor:
    return model.infer(batch).proposal.kl_per_dimension()
