"""Histograms over [0, 1], learned or uniform."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.distributions.piecewise_constant import UNIT_INTERVAL, PiecewiseConstant
from tfvae.priors.base import Prior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class PiecewisePrior(Prior):
    """p(z) = prod_d n rho_d,i(z_d), rho = softmax(logits): for `LatentPiecewise`.

    A prior with several modes, up to (n + 1) // 2 in each dimension. The KL of a `LatentPiecewise`
    to it is a finite sum, also if that has another number of pieces.

    Args:
        latent_size: D, at least 1.
        num_pieces: n, at least 2. Default 3.
        learned: Whether the masses are learned. Default True; otherwise they stay equal, and p(z)
            is uniform over the unit cube.
        **kwargs: Keras layer arguments.

    Weights: logits `[D, n]`, from 0: the uniform law.

    Raises:
        UserError: if a size is out of range.

    Example:
        >>> prior = PiecewisePrior(3, num_pieces=5)
        >>> prior().mean().numpy().tolist()
        [0.5, 0.5, 0.5]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377.
    """

    space = UNIT_INTERVAL

    def __init__(self, latent_size: int, num_pieces: int = 3, learned: bool = True, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.num_pieces = positive_int("num_pieces", num_pieces, minimum=2, maximum=LARGEST_SIZE)
        self.learned = bool(learned)

    def build(self, input_shape: Any = None) -> None:
        """Creates the logits, where they are learned."""
        if self.learned:
            self.logits = self.add_weight(
                shape=(self.latent_size, self.num_pieces),
                initializer="zeros",
                name="logits",
                dtype="float32",
            )

    def distribution(self) -> tfd.Independent:
        """Returns the histograms."""
        if self.learned:
            logits = tf.convert_to_tensor(self.logits)
        else:
            logits = tf.zeros([self.latent_size, self.num_pieces])
        return tfd.Independent(PiecewiseConstant(logits), 1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_pieces": self.num_pieces, "learned": self.learned}
