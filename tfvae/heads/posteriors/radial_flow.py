"""Posterior of radial flows."""

from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.radial import Radial
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class RadialFlow(FlowHead):
    """q(z|x): a diagonal Normal, drawn towards a point or away from it at each step.

        z_t = z_{t-1} + beta_t (z_{t-1} - c_t) / (alpha_t + |z_{t-1} - c_t|);   c, alpha, beta of the encoder

    About as strong as `PlanarFlow` at half its numbers, and with an inverse.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        num_steps: T, at least 1. Default 10.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T (D + 2)]`.

    Raises:
        UserError: if an argument is not a positive integer.

    Example:
        >>> import numpy as np
        >>> head = RadialFlow(2, num_steps=3)
        >>> head.parameters(np.zeros((4, 8), "float32"))["context"].shape.as_list()
        [4, 12]

    References:
        D. J. Rezende and S. Mohamed, 2015, "Variational Inference with Normalizing Flows",
        arXiv:1505.05770, eq. 14. Departures: those of `tfvae.flows.Radial`.
    """  # noqa: E501

    def __init__(self, latent_size: int, num_steps: int = 10, **kwargs: Any):
        num_steps = positive_int("num_steps", num_steps)
        steps = [Radial(name=f"step_{i}") for i in range(num_steps)]
        super().__init__(MultivariateNormalDiag(latent_size, name="base"), steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_steps": self.num_steps}
