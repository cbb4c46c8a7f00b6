"""Scores that compare: with another model, with several, or with what normal data score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.models.capabilities import Batch
from tfvae.uses.anomaly_scores import AnomalyScore, checked_draws
from tfvae.uses.bound_scores import NegativeLogLikelihood


@dataclass(frozen=True)
class LikelihoodRatio(AnomalyScore):
    """How much more probable a background model finds x than the model does.

        score = log p_background(x) - log p(x),   nats, higher = less normal

    The background model learns what all data share, such as how many pixels are dark: train it as
    the model on examples some of whose entries were replaced (`perturbed`). What both find easy
    then cancels. Choose it where anomalies may be simpler than normal data.

    Args:
        background: A trained model of the same fields, which scores.
        num_samples: Draws of z for each likelihood, at least 1. Default 128.

    Raises:
        UserError: if that is no such number.

    References:
        J. Ren et al., 2019, "Likelihood Ratios for Out-of-Distribution Detection",
        arXiv:1906.02845, eq. 2, there with the other sign. Departure: of VAEs, whose likelihoods
        are estimates.
    """

    background: Any
    num_samples: int = 128

    def __post_init__(self) -> None:
        checked_draws(self, "num_samples")

    def others(self) -> tuple[Any, ...]:
        """Returns the background model."""
        return (self.background,)

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns log p_background(x) - log p(x), `[B]`."""
        nll = NegativeLogLikelihood(self.num_samples)
        return nll.of_batch(model, batch, seed) - nll.of_batch(self.background, batch, seed)


@dataclass(frozen=True)
class WAIC(AnomalyScore):
    """How improbable x is to an ensemble, and how little its members agree.

        score = Var_m[log p_m(x)] - E_m[log p_m(x)],   nats (and nats^2), higher = less normal

    over M models that differ by their seeds: away from the training data they disagree. The
    variance is over the M models as a population. Choose it where there is time to train several.

    Args:
        ensemble: The other models, one at least, trained as the model is with other seeds.
        num_samples: Draws of z for each likelihood, at least 1. Default 128.

    Raises:
        UserError: for no other models, or a number below 1.

    References:
        H. Choi, E. Jang, A. A. Alemi, 2018, "WAIC, but Why? Generative Ensembles for Robust
        Anomaly Detection", arXiv:1810.01392, section 2: E[log p] - Var[log p], lower = less normal.
        Departure: of VAEs, whose likelihoods are estimates.
    """

    ensemble: Sequence[Any]
    num_samples: int = 128

    def __post_init__(self) -> None:
        object.__setattr__(self, "ensemble", tuple(self.ensemble))
        checked_draws(self, "num_samples")
        if not self.ensemble:
            raise UserError("ensemble is empty; expected one other trained model at least.")

    def others(self) -> tuple[Any, ...]:
        """Returns the further models of the ensemble."""
        return tuple(self.ensemble)

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns the variance less the mean of log p(x) over the models, `[B]`."""
        score = NegativeLogLikelihood(self.num_samples)
        nll = tf.stack([score.of_batch(m, batch, seed) for m in (model, *self.ensemble)])
        return tf.math.reduce_variance(nll, axis=0) + tf.reduce_mean(nll, axis=0)


@dataclass(frozen=True)
class Typicality(AnomalyScore):
    """How far the likelihood of x is from what it is for normal data, to either side.

        score = |-log p(x) - H|,   H = mean of -log p(x_n) over normal data,   nats, higher = less normal

    An example that is too probable is as strange as one that is too improbable. Choose it where
    anomalies may be simpler than normal data and there is no second model.

    Args:
        entropy: H, nats. None (default): the mean over the normal data that `AnomalyDetector.fit`,
            or `calibrated`, is given.
        num_samples: Draws of z for each likelihood, at least 1. Default 128.

    Raises:
        UserError: for arguments that are no such numbers, and if it is used before H is known.

    References:
        E. Nalisnick, A. Matsukawa, Y. W. Teh, B. Lakshminarayanan, 2019, "Detecting
        Out-of-Distribution Inputs to Deep Generative Models Using Typicality", arXiv:1906.02994,
        section 3, for a batch of one example.
    """  # noqa: E501

    entropy: float | None = None
    num_samples: int = 128

    def __post_init__(self) -> None:
        checked_draws(self, "num_samples")
        if self.entropy is not None:
            object.__setattr__(self, "entropy", real("entropy", self.entropy))

    def calibrated(self, model: Any, normal: Any, seed: int = 0) -> "Typicality":
        """Returns the score with H of normal data, if it has none."""
        if self.entropy is not None:
            return self
        nll = NegativeLogLikelihood(self.num_samples)(model, normal, seed)
        return replace(self, entropy=float(nll.mean()))

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns |-log p(x) - H|, `[B]`."""
        if self.entropy is None:
            raise UserError(
                "Typicality compares with normal data and was given none. Fit an AnomalyDetector "
                "with it, or use Typicality().calibrated(model, normal_examples)."
            )
        nll = NegativeLogLikelihood(self.num_samples).of_batch(model, batch, seed)
        return tf.abs(nll - self.entropy)
