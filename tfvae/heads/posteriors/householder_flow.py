"""Posterior of Householder flows."""

from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.householder import Householder
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class HouseholderFlow(FlowHead):
    """q(z|x) = N(z; H mu, H diag(sigma^2) H^T), H = H_T ... H_1: a diagonal Normal, reflected.

        H_t = I - 2 v_t v_t^T / |v_t|^2,   v_t of the encoder

    A Normal whose covariance has the eigenvectors H: D steps reach any, at D^2 outputs, and few
    steps many at less. `MultivariateNormalTriL` reaches all at D^2 / 2 outputs and has the KL in
    closed form; choose this one for a D at which that is too many. Mean and standard deviation
    are exact.

    Args:
        latent_size: D, the number of latent dimensions, at least 2.
        num_steps: T, at least 1. Default 10, the paper's largest.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T D]`.

    Raises:
        UserError: if an argument is not a positive integer, or D is 1.

    Example:
        >>> import numpy as np
        >>> HouseholderFlow(3, num_steps=2)(np.zeros((4, 8), "float32")).mean().shape.as_list()
        [4, 3]

    References:
        J. Tomczak and M. Welling, 2016, "Improving Variational Auto-Encoders using Householder
        Flow", arXiv:1611.09630, eq. 8. Departure: that of `tfvae.flows.Householder`.
    """

    def __init__(self, latent_size: int, num_steps: int = 10, **kwargs: Any):
        num_steps = positive_int("num_steps", num_steps)
        steps = [Householder(name=f"step_{i}") for i in range(num_steps)]
        super().__init__(MultivariateNormalDiag(latent_size, name="base"), steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_steps": self.num_steps}
