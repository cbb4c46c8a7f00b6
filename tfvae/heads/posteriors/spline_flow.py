"""Posterior of neural spline coupling steps."""

from collections.abc import Sequence
from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.spline_coupling import SplineCoupling
from tfvae.heads.posteriors.flow import FlowHead
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag


@keras.saving.register_keras_serializable("tfvae")
class SplineFlow(FlowHead):
    """q(z|x): a diagonal Normal, half of which moves at each step along splines of the other half.

        (a, b) -> (a, g(b)),   g a rational-quadratic spline in each entry, its knots of a network
                               of a and the encoder's context

    Choose it over `RealNVPFlow` where posteriors have several modes: one step can part a Normal in
    two. Both ways are one pass, at a few times the cost of a step.

    Args:
        latent_size: D, the number of latent dimensions, at least 2.
        num_steps: T, at least 1. Default 4.
        units: Widths of the hidden layers of each step's network.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder each step takes, at least 0.
        num_bins: K, bins of each spline, from 2 to 256. Default 8.
        bound: Splines move entries in [-bound, bound], above 0. Default 5.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters `loc [N, D]`,
        `scale_diag [N, D]`, `context [N, T C]`.

    Raises:
        UserError: if an argument is out of range, or D is 1.

    Example:
        >>> import numpy as np
        >>> head = SplineFlow(3, num_steps=2, units=[16], context_size=4)
        >>> head.parameters(np.zeros((4, 8), "float32"))["context"].shape.as_list()
        [4, 8]

    References:
        C. Durkan et al., 2019, "Neural Spline Flows", arXiv:1906.04032, eq. 4 to 8.
    """

    def __init__(
        self,
        latent_size: int,
        num_steps: int = 4,
        units: Sequence[int] = (128,),
        activation: str = "relu",
        context_size: int = 32,
        num_bins: int = 8,
        bound: float = 5.0,
        **kwargs: Any,
    ):
        num_steps = positive_int("num_steps", num_steps)
        steps = [
            SplineCoupling(
                units,
                activation,
                context_size,
                flipped=i % 2 == 1,
                num_bins=num_bins,
                bound=bound,
                name=f"step_{i}",
            )
            for i in range(num_steps)
        ]
        super().__init__(MultivariateNormalDiag(latent_size, name="base"), steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        step = self.steps[0].get_config()
        names = ("units", "activation", "context_size", "num_bins", "bound")
        return {
            **super().get_config(),
            "num_steps": self.num_steps,
            **{name: step[name] for name in names},
        }
