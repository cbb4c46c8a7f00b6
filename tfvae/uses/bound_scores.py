"""Scores that one model gives: its reconstruction, its bound, its likelihood."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfvae.models.capabilities import Batch
from tfvae.uses.anomaly_scores import AnomalyScore, checked_draws, sums_over_draws


@dataclass(frozen=True)
class ReconstructionProbability(AnomalyScore):
    """How improbable x is given its own codes.

        score = -E_q(z|x)[log p(x|z)],   nats, higher = less normal

    Without the KL: an example whose code is unusual, but which the decoder can make, is not
    strange. Choose it where what is abnormal shows in x and not in rare combinations of normal
    parts, and where the KL is a small part of the bound. The cheapest with `NegativeELBO`, which
    is the default.

    Args:
        num_samples: Draws of z, at least 1. Default 16.

    Raises:
        UserError: if that is no such number.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits", latent_size=2, units=(8,))
        >>> x = np.zeros((5, 8, 8, 1), "float32")
        >>> tfvae.uses.ReconstructionProbability()(model, x).shape
        (5,)

    References:
        J. An and S. Cho, 2015, "Variational Autoencoder based Anomaly Detection using
        Reconstruction Probability", SNU Data Mining Center, technical report 2015-2. There it is a
        probability, lower = less normal; here its logarithm's negative.
    """

    num_samples: int = 16

    def __post_init__(self) -> None:
        checked_draws(self, "num_samples")

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns -E_q[log p(x|z)], `[B]`."""
        return sums_over_draws(model, model.infer(batch), batch, self.num_samples, seed)["nll"]


@dataclass(frozen=True)
class NegativeELBO(AnomalyScore):
    """The negative of the bound that a VAE is trained on.

        score = -ELBO = -E_q(z|x)[log p(x|z)] + KL(q(z|x) || p(z)),   nats, higher = less normal

    The first to try: cheap, steady, and with few draws. `NegativeLogLikelihood` is nearer to
    -log p(x), for more time.

    Args:
        num_samples: Draws of z, at least 1. Default 16.

    Raises:
        UserError: if that is no such number.

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, eq. 3.
    """

    num_samples: int = 16

    def __post_init__(self) -> None:
        checked_draws(self, "num_samples")

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns -ELBO, `[B]`."""
        found = sums_over_draws(model, model.infer(batch), batch, self.num_samples, seed)
        return found["nll"] + found["kl"]


@dataclass(frozen=True)
class NegativeLogLikelihood(AnomalyScore):
    """How improbable x is under the model.

        score = -log 1/K sum_k p(x, z_k) / q(z_k|x),   z_k ~ q(z|x),   nats, higher = less normal

    -log p(x) from above in expectation, -ELBO at K = 1. Beware: complex models may find simple
    anomalies *more* probable than what they were trained on (a model of pictures of clothes those
    of digits): where anomalies may be simpler than normal data, take `LikelihoodRatio`,
    `LikelihoodRegret` or `Typicality`.

    Args:
        num_samples: K, at least 1. Default 128.

    Raises:
        UserError: if that is no such number.

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, arXiv:1509.00519, eq. 8. C. M. Bishop, 1994,
        "Novelty detection and neural network validation", for the use of densities. E. Nalisnick
        et al., 2018, "Do Deep Generative Models Know What They Don't Know?", arXiv:1810.09136, for
        the warning.
    """

    num_samples: int = 128

    def __post_init__(self) -> None:
        checked_draws(self, "num_samples")

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns -log p(x), `[B]`."""
        found = sums_over_draws(model, model.infer(batch), batch, self.num_samples, seed)
        return -found["log_likelihood"]
