"""What priors of normalizing flows share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.pushforward import Pushforward
from tfvae.flows.base import FlowStep
from tfvae.flows.chain import Chain, checked_steps
from tfvae.priors.base import Prior

tfd = tfp.distributions


class FlowPrior(Prior):
    """p(z): the law of f(z_0), z_0 ~ N(0, I), f made of steps that have an inverse.

    A temperature is a factor on the scale of z_0.

    Args:
        latent_size: D.
        steps: f_1, ..., f_T.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, latent_size: int, steps: Sequence[FlowStep], **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.steps = checked_steps(steps, self.latent_size)

    def build(self, input_shape: Any = None) -> None:
        """Builds the steps."""
        for step in self.steps:
            step.build((None, self.latent_size))

    def start_at(self, mean: np.ndarray, stddev: np.ndarray) -> None:
        """Starts near these means and standard deviations, where a flow knows how.

        Args:
            mean: `[D]`.
            stddev: `[D]`.
        """

    def distribution(self) -> Pushforward:
        """Returns the law of f(z_0)."""
        size = self.latent_size
        base = tfd.MultivariateNormalDiag(tf.zeros(size), tf.ones(size))
        return Pushforward(base, Chain(self.steps, size))
