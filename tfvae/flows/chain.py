"""Steps one after the other, each with its part of the context."""

import contextlib
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfvae.checks import instance_of
from tfvae.distributions.pushforward import Moved
from tfvae.errors import UserError
from tfvae.flows.base import FlowStep


def checked_steps(steps: Sequence[FlowStep], latent_size: int) -> list[FlowStep]:
    """Returns the steps of a flow over D dimensions.

    Raises:
        UserError: for no steps, or a step that takes more dimensions.
        UserTypeError: for what is no step.
    """
    if not isinstance(steps, list | tuple) or not steps:
        raise UserError(f"steps must be a non-empty list of tfvae.flows steps, received {steps!r}.")
    for i, step in enumerate(steps):
        instance_of(f"steps[{i}]", step, FlowStep, "see tfvae.flows")
        step.check_size(latent_size)
    return list(steps)


class Chain:
    """f = f_T . ... . f_1, and log|det| of it, the sum of the steps'.

    Args:
        steps: f_1, ..., f_T, built.
        latent_size: D.
        context: `[..., B, C]`, the numbers of all steps, one step's after the other's; None where
            they take none.
        constant: whether weights are held constant in gradients.
    """

    def __init__(
        self,
        steps: Sequence[FlowStep],
        latent_size: int,
        context: tf.Tensor | None = None,
        constant: bool = False,
    ):
        self.steps, self.latent_size = steps, latent_size
        self.context, self.constant = context, constant
        sizes = [step.context_numbers(latent_size) for step in steps]
        parts = iter(() if context is None else tf.split(context, [s for s in sizes if s], axis=-1))
        self._pairs = [
            (step, next(parts) if size else None) for step, size in zip(steps, sizes, strict=True)
        ]

    @property
    def lacks_inverse(self) -> str:
        """The first step without an inverse, by name; "" if there is none."""
        return next((type(step).__name__ for step in self.steps if not step.invertible), "")

    @property
    def linear(self) -> bool:
        """Whether every step is."""
        return all(step.linear for step in self.steps)

    def forward(self, z: tf.Tensor) -> Moved:
        """Returns f(z) and log|det df/dz|."""
        log_dets = []
        with self._weights():
            for step, part in self._pairs:
                z, log_det = step.forward(z, part)
                log_dets.append(log_det)
        return Moved(z, tf.add_n(log_dets))

    def inverse(self, z: tf.Tensor) -> Moved:
        """Returns f^-1(z) and log|det df^-1/dz|."""
        log_dets = []
        with self._weights():
            for step, part in reversed(self._pairs):
                z, log_det = step.inverse(z, part)
                log_dets.append(log_det)
        return Moved(z, tf.add_n(log_dets))

    def held(self) -> "Chain":
        """Returns the same map, context and weights held constant in gradients."""
        context = None if self.context is None else tf.stop_gradient(self.context)
        return Chain(self.steps, self.latent_size, context, constant=True)

    def _weights(self) -> contextlib.AbstractContextManager:
        if not self.constant:
            return contextlib.nullcontext()
        weights = [weight for step in self.steps for weight in step.trainable_variables]
        return keras.StatelessScope(
            state_mapping=[(w, tf.stop_gradient(tf.convert_to_tensor(w))) for w in weights]
        )
