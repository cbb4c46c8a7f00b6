"""Posteriors of normalizing flows."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.distributions.pushforward import Pushforward
from tfvae.errors import UserError
from tfvae.flows.base import FlowStep
from tfvae.flows.chain import Chain, checked_steps
from tfvae.heads.base import REALS, LatentHead
from tfvae.networks.conditioner import SMALL

tfd = tfp.distributions


class FlowHead(LatentHead):
    """What heads of flows share: `Flow`, which takes any steps, and those that have a name.

    Args:
        base: The head of z_0.
        steps: f_1, ..., f_T, at least one.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, base: LatentHead, steps: Sequence[FlowStep], **kwargs: Any):
        _check_base(base)
        super().__init__(base.latent_size, **kwargs)
        self.base, self.steps = base, checked_steps(steps, base.latent_size)
        numbers = sum(step.context_numbers(base.latent_size) for step in self.steps)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.context = numbers and keras.layers.Dense(
            numbers,
            kernel_initializer=keras.initializers.VarianceScaling(SMALL),
            dtype=self.dtype_policy,
            name="context",
        )

    @property
    def evaluates(self) -> bool:
        """Whether the base does, and every step has an inverse."""
        return self.base.evaluates and all(step.invertible for step in self.steps)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Builds the base, the steps and the projection for features of this shape."""
        if not self.base.built:
            self.base.build(features_shape)
        for step in self.steps:
            if not step.built:
                step.build((None, self.latent_size))
        if self.context:
            self.context.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns those of the base, and `context [N, C]`: the numbers of all steps."""
        found = self.base.parameters(features)
        if self.context:
            found = {**found, "context": self.context(self.flatten(features))}
        return found

    def distribution(self, context: tf.Tensor | None = None, **of_base: tf.Tensor) -> Pushforward:
        """Returns the law of f(z_0; context)."""
        base = self.base.distribution(**of_base)
        return Pushforward(base, Chain(self.steps, self.latent_size, context))

    def from_outputs(self, outputs: Mapping[str, tf.Tensor]) -> Pushforward:
        """Returns the distribution that a served file's `outputs` describe."""
        names = inspect.signature(self.base.distribution).parameters
        of_base = {name: outputs[name] for name in names}
        return self.distribution(outputs.get("context"), **of_base)

    def frozen(self, distribution: Pushforward) -> Pushforward:
        """Returns the same flow, its weights and parameters held constant in gradients.

        Raises:
            UserError: if a step has no inverse: what asks for this asks for log q of a given z.
        """
        if not self.evaluates:
            raise UserError(
                f"log q(z|x) of a given z takes the inverse of the flow, and the "
                f"{distribution.transport.lacks_inverse} steps of {type(self).__name__} have none "
                'that can be computed. Use gradient="pathwise", or a flow with an inverse, such as '
                "RealNVPFlow."
            )
        return distribution.held(self.base.frozen(distribution.base))


@keras.saving.register_keras_serializable("tfvae")
class Flow(FlowHead):
    """q(z|x): z = f_T(... f_1(z_0)), z_0 ~ base(x), each f_t a `tfvae.flows` step.

        log q(z|x) = log base(z_0|x) - sum_t log|det df_t / dz_{t-1}|

    Choose it where the true posterior is not Normal: it is bent, skewed, or has several modes. A
    draw and its density are one pass through all steps; there is no closed form of the KL, so
    `ELBO` estimates it, and none of the mean (but for linear steps), so codes are the mean of 256
    draws. Steps take what they need of the encoder, `context`, by one projection of the features.

    Args:
        base: The head of z_0, such as `MultivariateNormalDiag(latent_size)`.
        steps: Of `tfvae.flows`, in the order in which z_0 goes through them.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`; parameters those of the base, and
        `context [N, C]`.

    Raises:
        UserError: if there are no steps, a step takes more latent dimensions, or the base is a
            flow itself or not over real numbers.
        UserTypeError: if the base is no latent head, or a step no `FlowStep`.

    Example:
        >>> import numpy as np
        >>> from tfvae import flows, heads
        >>> head = Flow(heads.MultivariateNormalDiag(3), [flows.Radial(), flows.AffineCoupling()])
        >>> head(np.zeros((4, 8), "float32")).event_shape.as_list()
        [3]

    References:
        D. J. Rezende and S. Mohamed, 2015, "Variational Inference with Normalizing Flows",
        arXiv:1505.05770, eq. 6 and 7.
    """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["latent_size"]  # the base's
        return {
            **config,
            "base": _serialized(self.base),
            "steps": list(map(_serialized, self.steps)),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Flow":
        """Creates one from `get_config`."""
        deserialize = keras.saving.deserialize_keras_object
        parts = {
            "base": deserialize(config["base"]),
            "steps": [deserialize(step) for step in config["steps"]],
        }
        return cls(**{**config, **parts})


def _check_base(base: LatentHead) -> None:
    instance_of("base", base, LatentHead, "tfvae.heads.MultivariateNormalDiag(latent_size)")
    if isinstance(base, FlowHead):
        raise UserError(
            f"The base of a flow is a {type(base).__name__}, a flow itself: give its base, and its "
            "steps before the others."
        )
    if not base.reparameterised or base.space != REALS:
        raise UserError(
            f"A flow moves real numbers that are differentiable functions of noise; the base "
            f"{type(base).__name__} makes {base.space}. Use one such as MultivariateNormalDiag."
        )


def _serialized(part: keras.layers.Layer) -> dict[str, Any]:
    config = keras.saving.serialize_keras_object(part)
    config.pop("build_config", None)  # the flow builds its parts
    return config
