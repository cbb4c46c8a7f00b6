"""Posterior of inverse autoregressive steps."""

from collections.abc import Sequence
from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.inverse_autoregressive import InverseAutoregressive
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.heads.posteriors.normal_map import NormalMap


@keras.saving.register_keras_serializable("tfvae")
class InverseAutoregressiveFlow(FlowHead):
    """q(z|x): a diagonal Normal, each entry of which moves at each step as those before it say.

        z_t = sigma_t z_{t-1} + (1 - sigma_t) m_t,   sigma_t, m_t of MADE(z_{t-1}; context)

    The strongest flow here at equal steps, and one pass for draws with their density. The order of
    entries is reversed from step to step. log q of a given z takes D passes a step.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        num_steps: T, at least 1. Default 4.
        units: Widths of the hidden layers of each step's MADE.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder each step takes, at least 0.
        of_map: Whether the Normal is a `NormalMap`, of features that are maps. Default False.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T C]`.

    Raises:
        UserError: if an argument is out of range.

    Example:
        >>> import numpy as np
        >>> head = InverseAutoregressiveFlow(3, num_steps=2, units=[16], context_size=4)
        >>> head.parameters(np.zeros((4, 8), "float32"))["context"].shape.as_list()
        [4, 8]

    References:
        D. P. Kingma et al., 2016, "Improved Variational Inference with Inverse Autoregressive
        Flow", arXiv:1606.04934, eq. 10 to 14 and algorithm 1. Departures: those of
        `tfvae.flows.InverseAutoregressive`, and a context of its own for each step.
    """

    def __init__(
        self,
        latent_size: int,
        num_steps: int = 4,
        units: Sequence[int] = (128,),
        activation: str = "relu",
        context_size: int = 32,
        of_map: bool = False,
        **kwargs: Any,
    ):
        num_steps = positive_int("num_steps", num_steps)
        steps = [
            InverseAutoregressive(
                units, activation, context_size, reverse=i % 2 == 1, name=f"step_{i}"
            )
            for i in range(num_steps)
        ]
        base = NormalMap if of_map else MultivariateNormalDiag
        super().__init__(base(latent_size, name="base"), steps, **kwargs)
        self.of_map = bool(of_map)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        step = self.steps[0].get_config()
        names = ("units", "activation", "context_size")
        return {
            **super().get_config(),
            "num_steps": self.num_steps,
            "of_map": self.of_map,
            **{name: step[name] for name in names},
        }
