"""Posterior of affine coupling steps."""

from collections.abc import Sequence
from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.affine_coupling import AffineCoupling
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class RealNVPFlow(FlowHead):
    """q(z|x): a diagonal Normal, half of which moves at each step as the other half says.

        (a, b) -> (a, exp(s) b + t),   s, t of a network of a and the encoder's context

    The flow to try first: far stronger than `PlanarFlow`, both ways in one pass, so every objective
    and estimate takes it. `InverseAutoregressiveFlow` is stronger at equal steps.

    Args:
        latent_size: D, the number of latent dimensions, at least 2.
        num_steps: T, at least 1. Default 4.
        units: Widths of the hidden layers of each step's network.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder each step takes, at least 0.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T C]`.

    Raises:
        UserError: if an argument is out of range, or D is 1.

    Example:
        >>> import numpy as np
        >>> head = RealNVPFlow(3, num_steps=2, units=[16], context_size=4)
        >>> head.parameters(np.zeros((4, 8), "float32"))["context"].shape.as_list()
        [4, 8]

    References:
        L. Dinh, J. Sohl-Dickstein, S. Bengio, 2016, "Density estimation using Real NVP",
        arXiv:1605.08803, eq. 7 and 8. Departures: those of `tfvae.flows.AffineCoupling`.
    """

    def __init__(
        self,
        latent_size: int,
        num_steps: int = 4,
        units: Sequence[int] = (128,),
        activation: str = "relu",
        context_size: int = 32,
        **kwargs: Any,
    ):
        num_steps = positive_int("num_steps", num_steps)
        steps = [
            AffineCoupling(units, activation, context_size, flipped=i % 2 == 1, name=f"step_{i}")
            for i in range(num_steps)
        ]
        super().__init__(MultivariateNormalDiag(latent_size, name="base"), steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        step = self.steps[0].get_config()
        names = ("units", "activation", "context_size")
        return {
            **super().get_config(),
            "num_steps": self.num_steps,
            **{name: step[name] for name in names},
        }
