"""Posterior of histograms over [0, 1]."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.distributions.piecewise_constant import UNIT_INTERVAL, PiecewiseConstant
from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class LatentPiecewise(LatentHead):
    """q(z|x) = prod_d n pi_d,i(z_d): each z_d in [0, 1] has a histogram of n equal pieces.

        z_d = (i + (u - sum_j<i pi_dj) / pi_di) / n,   i the piece that u, uniform, falls in

    Choose it where a latent dimension has several modes: an answer out of a few, and a place within
    it. Draws have a gradient, through the place within the piece and through the masses, and the KL
    to a `PiecewisePrior` is a finite sum. `GaussianMixture` draws from every mode instead, at as
    many times the decoder's cost, and z is any real number there. Objectives that follow the path
    through log q (`ImportanceWeighted` with its pathwise gradients, `analytic_kl=False`) are
    refused: a density of steps has no slope to follow.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        num_pieces: n, at least 2. Default 3.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> independent `PiecewiseConstant`, batch `[N]`, event
        `[D]`; parameters `logits [N, D, n]`. The code is the mean.

    Raises:
        UserError: if a size is out of range.

    Example:
        >>> import numpy as np
        >>> head = LatentPiecewise(2, num_pieces=5)
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.5, 0.5]]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377.
    """

    smooth = False
    space = UNIT_INTERVAL
    interval = (0.0, 1.0)

    def __init__(self, latent_size: int, num_pieces: int = 3, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.num_pieces = positive_int("num_pieces", num_pieces, minimum=2, maximum=LARGEST_SIZE)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            latent_size * num_pieces, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, D, n]`."""
        logits = self.projection(self.flatten(features))
        return {"logits": tf.reshape(logits, [-1, self.latent_size, self.num_pieces])}

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns independent histograms with these logits."""
        return tfd.Independent(PiecewiseConstant(logits), 1)

    def frozen(self, distribution: tfd.Independent) -> tfd.Independent:
        """Returns the same q, its parameters held constant in gradients."""
        return self.distribution(tf.stop_gradient(distribution.distribution.logits))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_pieces": self.num_pieces}
