"""The aggregate posterior of inputs that are learned."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int, positive_ints
from tfvae.distributions.normal_mixture import NormalMixture
from tfvae.errors import UserError, UserRuntimeError
from tfvae.noise import Noise
from tfvae.priors.base import Prior

tfd = tfp.distributions

_COMPONENT = 0  # of the parts of noise


@keras.saving.register_keras_serializable("tfvae")
class VampPrior(Prior):
    """p(z) = 1/K sum_k q(z|u_k), with pseudo-inputs u_k that are learned, or are training examples.

    The prior that maximises the ELBO is the aggregate posterior, the mean of q(z|x) over all x;
    this is that of K examples of its own. Choose it where a rigid prior costs KL; `sample` then
    draws z where codes of data are. Its KL has no closed form, so `ELBO` estimates it.

    Each step encodes the pseudo-inputs too, and evaluates K densities for each z: at K = 500 that
    is four batches of 128 beside the one of the data.

    Args:
        latent_size: D, at least 1.
        event_shape: Of an example x.
        num_components: K, at least 1. Default 500, the paper's for MNIST.
        learn_inputs: Whether the pseudo-inputs train. False keeps them where `adapt` has put them.
        interval: Where pseudo-inputs lie; None for all real numbers. Default [0, 1], of images.
        **kwargs: Keras layer arguments.

    Weights: pseudo-inputs `[K, *event_shape]`, at first uniform in the interval, or standard
        normal without one; `adapt` puts training examples there, as `tfvae train` does.

    Raises:
        UserError: if a size is no positive integer, the interval is empty, or the encoder takes
            something of another shape.

    Example:
        >>> VampPrior(2, (8, 8, 1), num_components=16).num_examples
        16

    References:
        J. M. Tomczak and M. Welling, 2018, "VAE with a VampPrior", arXiv:1705.07120, eq. 9, and
        section 2 for "training examples". Departure: pseudo-inputs are put back into the interval
        after each step, where the paper has a hardtanh, whose gradient ends outside.
    """

    def __init__(
        self,
        latent_size: int,
        event_shape: Sequence[int],
        num_components: int = 500,
        learn_inputs: bool = True,
        interval: tuple[float, float] | None = (0.0, 1.0),
        **kwargs: Any,
    ):
        super().__init__(latent_size, **kwargs)
        self.event_shape = positive_ints("event_shape", event_shape)
        self.num_components = positive_int("num_components", num_components)
        self.learn_inputs = bool(learn_inputs)
        self.interval = None if interval is None else tuple(map(float, interval))
        if self.interval is not None and not self.interval[0] < self.interval[1]:
            raise UserError(f"interval must be (low, high) with low < high, received {interval!r}.")

    @property
    def num_examples(self) -> int:
        """How many training examples `adapt` wants: K."""
        return self.num_components

    def build(self, input_shape: Any = None) -> None:
        """Creates the pseudo-inputs."""
        initial = keras.initializers.RandomNormal(stddev=1.0)
        if self.interval is not None:
            initial = keras.initializers.RandomUniform(*self.interval)
        self.inputs = self.add_weight(
            shape=(self.num_components, *self.event_shape),
            initializer=initial,
            trainable=self.learn_inputs,
            constraint=self._inside if self.interval is not None else None,
            name="inputs",
            dtype="float32",
        )

    def adapt(self, examples: np.ndarray) -> None:
        """Puts training examples in the pseudo-inputs' place.

        Args:
            examples: `[K, *event_shape]`.

        Raises:
            UserRuntimeError: if the prior is not built.
            UserError: for other shapes, and values outside of the interval.
        """
        if not self.built:
            raise UserRuntimeError(
                f"{self.name}.adapt() needs a built prior. Call the model once, or "
                "model.build((None, *shape of one x)), and then adapt."
            )
        examples = np.asarray(examples, "float32")
        if examples.shape != self.inputs.shape:
            raise UserError(
                f"adapt() expects examples of shape {tuple(self.inputs.shape)}, received "
                f"{examples.shape}: num_components is how many."
            )
        low, high = self.interval or (-np.inf, np.inf)
        if not np.all(np.isfinite(examples) & (examples >= low) & (examples <= high)):
            raise UserError(
                f"adapt() expects finite examples in [{low:g}, {high:g}], received values between "
                f"{examples.min():g} and {examples.max():g}. interval=None takes all real numbers."
            )
        self.inputs.assign(examples)

    def distribution(self, encoder: Any) -> tfd.MixtureSameFamily:
        """Returns the mixture of the posteriors of the pseudo-inputs."""
        if encoder.input_event != self.event_shape:
            raise UserError(
                f"VampPrior's pseudo-inputs have shape {self.event_shape}, and the encoder takes "
                f"{encoder.input_event}. Give the prior the shape of what the encoder takes."
            )
        components = encoder(tf.convert_to_tensor(self.inputs))
        return NormalMixture(tfd.Categorical(logits=tf.zeros([self.num_components])), components)

    def generate(self, noise: Noise, encoder: Any) -> tf.Tensor:
        """Draws `z [*leading, D]`: a pseudo-input, then from its posterior."""
        uniform = noise.part(_COMPONENT).uniform(1)[..., 0]
        component = tf.cast(uniform * self.num_components, tf.int32)
        of_inputs = encoder.parameters(tf.convert_to_tensor(self.inputs))
        chosen = {
            name: tf.gather(value, tf.minimum(component, self.num_components - 1))
            for name, value in of_inputs.items()
        }
        return encoder.head.draw(encoder.head.distribution(**chosen), noise).z

    def _inside(self, inputs: tf.Tensor) -> tf.Tensor:
        assert self.interval is not None
        return tf.clip_by_value(inputs, *self.interval)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "event_shape": list(self.event_shape),
            "num_components": self.num_components,
            "learn_inputs": self.learn_inputs,
            "interval": self.interval,
        }
