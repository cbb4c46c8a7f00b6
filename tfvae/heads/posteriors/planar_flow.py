"""Posterior of planar flows."""

from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.planar import Planar
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class PlanarFlow(FlowHead):
    """q(z|x): a diagonal Normal, expanded and contracted along one direction at each step.

        z_t = z_{t-1} + u'_t tanh(w_t . z_{t-1} + b_t),   t = 1 .. T;   u, w, b of the encoder

    The first flow of the literature, for comparisons: steps are cheap, and many are needed. There
    is no formula for its inverse, so objectives that want log q of a given z are refused.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        num_steps: T, at least 1. Default 10, the paper's smallest.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T (2 D + 1)]`.

    Raises:
        UserError: if an argument is not a positive integer.

    Example:
        >>> import numpy as np
        >>> head = PlanarFlow(2, num_steps=3)
        >>> head.parameters(np.zeros((4, 8), "float32"))["context"].shape.as_list()
        [4, 15]

    References:
        D. J. Rezende and S. Mohamed, 2015, "Variational Inference with Normalizing Flows",
        arXiv:1505.05770, eq. 10 to 13. Departures: those of `tfvae.flows.Planar`.
    """

    def __init__(self, latent_size: int, num_steps: int = 10, **kwargs: Any):
        num_steps = positive_int("num_steps", num_steps)
        steps = [Planar(name=f"step_{i}") for i in range(num_steps)]
        super().__init__(MultivariateNormalDiag(latent_size, name="base"), steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_steps": self.num_steps}
