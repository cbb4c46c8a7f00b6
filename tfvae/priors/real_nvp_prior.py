"""A learned prior of affine coupling steps."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tfvae.checks import positive_int
from tfvae.flows.affine_coupling import AffineCoupling
from tfvae.priors.flow import FlowPrior


@keras.saving.register_keras_serializable("tfvae")
class RealNVPPrior(FlowPrior):
    """p(z): z = f_T(... f_1(z_0)), z_0 ~ N(0, I), half of z moving at each step as the rest says.

        (a, b) -> (a, exp(s) b + t),   s, t of a network of a
        log p(z) = log N(f^-1(z); 0, I) + log|det df^-1/dz|

    Choose it where `StandardNormal` costs likelihood and `MixtureOfGaussians` is too stiff: it
    bends to the aggregate of all posteriors. Density and draws are one pass each. The KL is
    estimated.

    Args:
        latent_size: D, at least 2.
        num_steps: T, at least 1. Default 4.
        units: Widths of the hidden layers of each step's network.
        activation: Of these layers, a Keras activation.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if an argument is out of range, or D is 1.

    Example:
        >>> RealNVPPrior(3, num_steps=2, units=[16]).sample(4, seed=1).shape.as_list()
        [4, 3]

    References:
        L. Dinh, J. Sohl-Dickstein, S. Bengio, 2016, "Density estimation using Real NVP",
        arXiv:1605.08803, eq. 7 and 8. C.-W. Huang et al., 2017, "Learnable Explicit Density for
        Continuous Latent Space and Variational Inference", arXiv:1710.02248, for it as a prior.
        Departures: those of `tfvae.flows.AffineCoupling`.
    """

    def __init__(
        self,
        latent_size: int,
        num_steps: int = 4,
        units: Sequence[int] = (128,),
        activation: str = "relu",
        **kwargs: Any,
    ):
        num_steps = positive_int("num_steps", num_steps)
        steps = [
            AffineCoupling(units, activation, flipped=i % 2 == 1, name=f"step_{i}")
            for i in range(num_steps)
        ]
        super().__init__(latent_size, steps, **kwargs)
        self.num_steps = num_steps

    def start_at(self, mean: np.ndarray, stddev: np.ndarray) -> None:
        """Starts near these means and standard deviations.

        Every step widens the half that it moves by the same factor, and the last one shifts it. A
        half that no step moves stays.

        Args:
            mean: `[D]`.
            stddev: `[D]`.
        """
        for flipped in (False, True):
            own = [step for step in self.steps if step.flipped == flipped]
            for step in own:
                moves = step.moves(self.latent_size)
                scale = np.asarray(stddev)[moves] ** (1.0 / len(own))
                shift = np.asarray(mean)[moves] if step is own[-1] else np.zeros_like(scale)
                step.start_at(scale, shift)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        step = self.steps[0].get_config()
        return {
            **super().get_config(),
            "num_steps": self.num_steps,
            **{name: step[name] for name in ("units", "activation")},
        }
