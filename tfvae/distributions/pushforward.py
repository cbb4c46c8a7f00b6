"""The law of a function of a random vector: what flows are."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw, draw_of
from tfvae.errors import UserError
from tfvae.noise import Noise

tfd = tfp.distributions


class Moved(NamedTuple):
    """Vectors, moved by a map.

    Attributes:
        z: `[..., D]`.
        log_det: log of the absolute determinant of the map's Jacobian, `[...]`.
    """

    z: tf.Tensor
    log_det: tf.Tensor


class Transport(Protocol):
    """A differentiable map of vectors with a Jacobian whose determinant is known."""

    @property
    def lacks_inverse(self) -> str:
        """Which part of it has no inverse that can be computed, by name; "" where there is one."""

    @property
    def linear(self) -> bool:
        """Whether it is z -> A z."""

    def forward(self, z: tf.Tensor) -> Moved:
        """Returns f(z) and log|det df/dz|."""

    def inverse(self, z: tf.Tensor) -> Moved:
        """Returns f^-1(z) and log|det df^-1/dz|."""

    def held(self) -> "Transport":
        """Returns the same map, what it is made of held constant in gradients."""


class Pushforward(tfd.Distribution):
    """The law of z = f(z_0), z_0 ~ base.

        log q(f(z_0)) = log base(z_0) - log|det df/dz_0|

    A draw and its density are one pass through f (`tfvae.distributions.draws.draw`); the density of
    a given z takes f^-1. TFP's `TransformedDistribution` of a `Bijector` does the same in two
    passes, wants an inverse of every map, and has no mean of a linear one.

    Args:
        base: The law of z_0, event shape `[D]`.
        transport: f.
        name: of the distribution.

    Raises:
        UserError: from `log_prob`, if f has no inverse.
    """

    def __init__(self, base: tfd.Distribution, transport: Transport, name: str = "Pushforward"):
        parameters = {"base": base, "transport": transport}
        self.base, self.transport = base, transport
        super().__init__(
            dtype=base.dtype,
            reparameterization_type=base.reparameterization_type,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name=name,
        )

    def held(self, base: tfd.Distribution) -> "Pushforward":
        """Returns the same law on another base, the map held constant in gradients."""
        return Pushforward(base, self.transport.held())

    def _batch_shape(self) -> tf.TensorShape:
        return self.base.batch_shape

    def _batch_shape_tensor(self) -> tf.Tensor:
        return self.base.batch_shape_tensor()

    def _event_shape(self) -> tf.TensorShape:
        return self.base.event_shape

    def _event_shape_tensor(self) -> tf.Tensor:
        return self.base.event_shape_tensor()

    def _sample_n(self, n: tf.Tensor, seed: Any = None) -> tf.Tensor:
        return self.transport.forward(self.base.sample(n, seed=seed)).z

    def _sample_and_log_prob(
        self, sample_shape: Any, seed: Any, **kwargs: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        before, log_prob = self.base.experimental_sample_and_log_prob(sample_shape, seed=seed)
        moved = self.transport.forward(before)
        return moved.z, log_prob - moved.log_det

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        if self.transport.lacks_inverse:
            raise UserError(
                "The density of a given z takes the inverse of the flow, and "
                f"{self.transport.lacks_inverse} has none that can be computed. What is drawn from "
                "it comes with its density; for others use a flow with an inverse."
            )
        whole = tf.broadcast_dynamic_shape(
            tf.shape(value), tf.concat([self.batch_shape_tensor(), self.event_shape], axis=0)
        )
        before = self.transport.inverse(tf.broadcast_to(value, whole))
        return self.base.log_prob(before.z) + before.log_det

    def _mean(self) -> tf.Tensor:
        self._refuse_unless_linear("mean")
        return self.transport.forward(self.base.mean()).z

    def _variance(self) -> tf.Tensor:
        """Of A z_0, z_0 with independent entries: sum_i (A s_i e_i)^2."""
        self._refuse_unless_linear("variance")
        columns = tf.linalg.diag(self.base.stddev())
        axes = [self.base.batch_shape.rank, *range(self.base.batch_shape.rank)]
        columns = tf.transpose(columns, [*axes, self.base.batch_shape.rank + 1])
        return tf.reduce_sum(tf.square(self.transport.forward(columns).z), axis=0)

    def _stddev(self) -> tf.Tensor:
        return tf.sqrt(self._variance())

    def _refuse_unless_linear(self, what: str) -> None:
        if not (self.transport.linear and isinstance(self.base, tfd.MultivariateNormalDiag)):
            raise NotImplementedError(f"The {what} of a flow has no closed form.")


@draw_of.register(Pushforward)
def _(distribution: Pushforward, noise: Noise, shape: tuple) -> Draw:
    before = draw_of(distribution.base, noise, shape)
    moved = distribution.transport.forward(before.z)
    return Draw(moved.z, before.log_prob - moved.log_det)
