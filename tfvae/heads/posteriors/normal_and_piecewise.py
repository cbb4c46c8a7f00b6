"""Posterior of a Normal vector beside a histogram's."""

from typing import Any

import keras

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.heads.posteriors.joint import JointHead
from tfvae.heads.posteriors.latent_piecewise import LatentPiecewise
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class NormalAndPiecewise(JointHead):
    """q(z|x) = N(z_1; mu, diag(sigma^2)) prod_d n pi_d(z_2d): the hybrid of Serban et al.

    The first dimensions of z are Normal, the others have histograms over [0, 1]: both what varies
    by degrees and what is one of a few has a place. Its prior is `NormalAndPiecewisePrior`; the KL
    is exact. `JointPosterior` takes other parts and other shares.

    Args:
        latent_size: D, the number of latent dimensions of both parts, at least 2: D - D // 2 are
            Normal and D // 2 have histograms.
        num_pieces: n, at least 2. Default 3.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> `Blocks`, batch `[N]`, event `[D]`; parameters
        `normal_loc`, `normal_scale_diag [N, D - D // 2]`, `piecewise_logits [N, D // 2, n]`. The
        code is the mean.

    Raises:
        UserError: if a size is out of range.

    Example:
        >>> import numpy as np
        >>> NormalAndPiecewise(3)(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.0, 0.0, 0.5]]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377.
    """

    def __init__(self, latent_size: int, num_pieces: int = 3, **kwargs: Any):
        size = positive_int("latent_size", latent_size, minimum=2, maximum=LARGEST_SIZE)
        parts = {
            "normal": MultivariateNormalDiag(size - size // 2, name="normal"),
            "piecewise": LatentPiecewise(size // 2, num_pieces, name="piecewise"),
        }
        super().__init__(parts, **kwargs)
        self.latent_size, self.num_pieces = size, num_pieces

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"latent_size": self.latent_size, "num_pieces": self.num_pieces}
        return {**super().get_config(), **own}
