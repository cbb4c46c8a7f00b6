"""A learned prior of masked autoregressive steps."""

from collections.abc import Sequence
from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.flows.masked_autoregressive import MaskedAutoregressive
from tfvae.priors.flow import FlowPrior


@keras.saving.register_keras_serializable("tfvae")
class AutoregressivePrior(FlowPrior):
    """p(z): z = f_T(... f_1(z_0)), z_0 ~ N(0, I), each entry Normal given those before it.

        f_t^-1(z) = (z - m) exp(-a),   m, a of MADE(z)
        log p(z) = log N(f^-1(z); 0, I) + sum_t log|det df_t^-1/dz_t|

    Choose it over `RealNVPPrior` for a better likelihood at equal steps, where sampling need not be
    fast: the density is one pass, a draw D passes a step. Orders are reversed from step to step.

    Args:
        latent_size: D, at least 1.
        num_steps: T, at least 1. Default 4.
        units: Widths of the hidden layers of each step's MADE.
        activation: Of these layers, a Keras activation.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if an argument is out of range.

    Example:
        >>> AutoregressivePrior(3, num_steps=2, units=[16]).sample(4, seed=1).shape.as_list()
        [4, 3]

    References:
        X. Chen et al., 2017, "Variational Lossy Autoencoder", arXiv:1611.02731, section 3.2.
        G. Papamakarios, T. Pavlakou, I. Murray, 2017, "Masked Autoregressive Flow for Density
        Estimation", arXiv:1705.07057, eq. 3 and 5. Departures: those of
        `tfvae.flows.MaskedAutoregressive`.
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
            MaskedAutoregressive(units, activation, reverse=i % 2 == 1, name=f"step_{i}")
            for i in range(num_steps)
        ]
        super().__init__(latent_size, steps, **kwargs)
        self.num_steps = num_steps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        step = self.steps[0].get_config()
        return {
            **super().get_config(),
            "num_steps": self.num_steps,
            **{name: step[name] for name in ("units", "activation")},
        }
