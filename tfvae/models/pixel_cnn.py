"""An autoregressive model of images of levels, or of codes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf

from tfvae.checks import instance_of, positive_ints
from tfvae.data.fields import Field
from tfvae.distributions.draws import Draw, NoTemperatureError
from tfvae.errors import UserError
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Proposal
from tfvae.models.autoencoding import NOTHING
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.models.conditions import as_numbers, checked_condition_fields, with_condition_fields
from tfvae.models.configuration import serialize_part
from tfvae.networks import GatedPixelCNN
from tfvae.networks.pixel_draws import draw_levels
from tfvae.noise import Noise
from tfvae.objectives.base import Nats
from tfvae.training.programs import compiled


@keras.saving.register_keras_serializable("tfvae")
class PixelCNN(LatentVariableModel):
    """p(x|c) = prod_i p(x_i | x_1 .. x_{i-1}, c): each level given those before it, row by row.

        log p(x|c) = sum_i log softmax(logits_i)_{x_i},   logits of one pass of a masked network

    It has no latent variables: log p(x) is exact, where a VAE has a bound, and a draw takes as many
    steps as x has positions, which compute only what is new. What it generates is x itself, so
    `decode` has nothing to do. Choose it for the likelihood of small images, and as the prior of
    codes: the further stage of a run whose first stage has whole numbers for codes.

    Args:
        conditionals: Logits from the levels before, `networks.GatedPixelCNN(num_levels)` or
            `networks.PixelSNAIL(num_levels)`; K is its own.
        event_shape: `(H, W, 1)` for images of K grey levels, multiples of 1 / (K - 1) in [0, 1]: 2
            for bits; `(H, W)` for codes, whole numbers of 0 .. K - 1.
        conditions: What c is, by the names of its fields: `{"label": Field.label(10)}`; vectors
            and images of H x W. None (default) for nothing.
        seed: See `LatentVariableModel`.
        **kwargs: Keras model arguments.

    Shapes: x `[B, *event_shape]`, or `{"x": x, "label": [B], ...}`.

    Raises:
        UserTypeError: if the network is another.
        UserError: for other shapes of x, images of several channels among them, or of conditions.

    Example:
        >>> import numpy as np
        >>> from tfvae import networks
        >>> model = PixelCNN(networks.GatedPixelCNN(2, filters=4, num_layers=2), (8, 8, 1))
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((32, 8, 8, 1), "float32"), verbose=0)
        >>> model.sample(4, seed=1).shape.as_list()
        [4, 8, 8, 1]
        >>> model.log_prob({"x": model.sample(4, seed=1)}).shape.as_list()
        [4]

    References:
        A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, 2016, "Pixel Recurrent Neural Networks",
        arXiv:1601.06759, eq. 1. A. van den Oord et al., 2016, "Conditional Image Generation with
        PixelCNN Decoders", arXiv:1606.05328.
    """

    remedies: ClassVar[dict[str, str]] = {
        "Encodes": "It has no latent variables: what it generates is x itself."
    }
    discrete = True
    reserved: ClassVar[tuple[str, ...]] = ("x", "z")
    """Names that no condition may have."""

    def __init__(
        self,
        conditionals: GatedPixelCNN,
        event_shape: Sequence[int],
        conditions: Mapping[str, Field] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        hint = "networks.GatedPixelCNN(num_levels=2), or networks.PixelSNAIL"
        instance_of("conditionals", conditionals, GatedPixelCNN, hint)
        super().__init__(("nll",), seed, **kwargs)
        self.conditionals = conditionals
        self.event_shape = positive_ints("event_shape", list(event_shape))
        self.check_event_shape()
        found = checked_condition_fields(conditions, self.reserved) if conditions else {}
        self.condition_fields = found

    def check_event_shape(self) -> None:
        """Refuses examples that it can't go through."""
        if len(self.event_shape) != 2 and self.event_shape[2:] != (1,):
            raise UserError(
                f"event_shape is {self.event_shape}; expected (height, width, 1) for images of one "
                "channel, or (height, width) for codes: a PixelCNN goes through rows and columns. "
                "Make colours grey, or train a VAE, such as with --likelihood "
                "discretised_logistic_mixture."
            )

    @property
    def num_levels(self) -> int:
        """K."""
        return self.conditionals.num_levels

    def build(self, input_shape: Any) -> None:
        """Makes the weights of the network; the shapes are those that the model declares."""
        shapes = {"x": (None, *self.event_shape[:2])}
        if not self.conditionals.built:
            shown = self.shown(self.given(zero_example(self)))
            shapes |= {name: (None, *c.shape[1:]) for name, c in shown.items()}
            self.conditionals.build(shapes)
        self.check_terms()

    def fields(self) -> dict[str, Field]:
        """Returns x, levels or codes, and the conditions."""
        last = self.num_levels - 1
        if len(self.event_shape) == 2:
            own = Field(self.event_shape, "int32", (0, last))
        else:
            own = Field(self.event_shape, spacing=1.0 / last)
        return {"x": own, **self.condition_fields}

    def conditions(self) -> dict[str, Field]:
        """Returns what c is, by name."""
        return dict(self.condition_fields)

    def logits(self, batch: Batch) -> tf.Tensor:
        """Returns the logits of each position given those before it, `[B, H, W, K]`."""
        levels = self._levels(batch["x"])
        return self.conditionals({"x": levels, **self.shown(self.given(batch))})

    def log_prob(self, batch: Batch) -> tf.Tensor:
        """Returns log p(x|c), `[B]`: exact."""
        return self.log_prob_of(self.logits(batch), batch)

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns -log p(x|c), beside what each position was expected to be."""
        logits = self.logits(batch)
        return Nats({"nll": -self.log_prob_of(logits, batch)}, self.expected(logits))

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns log p(x|c) as an inference without latent variables: every draw is x."""
        logits = self.logits(batch)
        log_prob, expected = self.log_prob_of(logits, batch), self.expected(logits)

        def joint(z: tf.Tensor) -> Joint:
            leading = tf.shape(z)[: z.shape.rank - len(self.event_shape)]
            means = tf.concat([leading[:1], tf.shape(expected)], axis=0)
            return Joint(
                tf.broadcast_to(log_prob, leading),
                tf.zeros(leading),
                tf.broadcast_to(expected, means),
            )

        return Inference(NoLatents(batch["x"]), joint)

    def generate(self, noise: Noise, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns x `[*leading, *event_shape]`, position by position, a function of the noise.

        Raises:
            NoTemperatureError: for a temperature other than 1.
        """
        if noise.temperature is not None:
            raise NoTemperatureError(
                "Draws of a PixelCNN are of levels, which have no scale that a temperature could "
                "be a factor on: the temperature must be 1."
            )
        uniform = noise.uniform(math.prod(self.event_shape))
        leading = tf.shape(uniform)[:-1]
        c = self.conditionals.joined(self.shown(conditions))
        if c is not None:
            whole = tf.broadcast_to(c, tf.concat([leading, c.shape[1:]], axis=0))
            c = tf.reshape(whole, [-1, *c.shape[1:]])
        flat = tf.reshape(uniform, [-1, uniform.shape[-1]])
        if tf.executing_eagerly():  # the loop in Python takes seconds
            x = compiled(self, _drawn, xla=False, any_rows=True)(flat, c)
        else:
            x = self.drawn(flat, c)
        return tf.reshape(self.values_of(x), tf.concat([leading, self.event_shape], axis=0))

    def drawn(self, uniform: tf.Tensor, c: tf.Tensor | None) -> tf.Tensor:
        """Returns levels of numbers in (0, 1), `[N, positions]`, given conditions as one."""
        return draw_levels(self.conditionals, uniform, c)

    def decode(self, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns z, which is x."""
        return tf.identity(z)

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns z as `x`."""
        return {"x": tf.identity(z)}

    def emit(self, noise: Noise, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns z, which is x: nothing is left to draw."""
        return z

    def shown(self, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns conditions as networks take them: classes one-hot, numbers as they are."""
        fields = self.condition_fields
        numbers = {name: as_numbers(c, fields[name]) for name, c in conditions.items()}
        # A single number an example is a vector of one.
        return {n: c[..., tf.newaxis] if c.shape.rank == 1 else c for n, c in numbers.items()}

    def _levels(self, x: tf.Tensor) -> tf.Tensor:
        """x as whole numbers `[B, H, W]`."""
        if x.dtype.is_integer:
            return tf.cast(x, tf.int32)
        return tf.cast(tf.round(x[..., 0] * (self.num_levels - 1)), tf.int32)

    def values_of(self, levels: tf.Tensor) -> tf.Tensor:
        """Returns whole numbers as x has them."""
        if len(self.event_shape) == 2:
            return levels
        return tf.cast(levels, tf.float32)[..., tf.newaxis] / (self.num_levels - 1)

    def log_prob_of(self, logits: Any, batch: Batch) -> tf.Tensor:
        """Returns log p(x|c) of what `logits` returned, `[B]`."""
        levels = self._levels(batch["x"])
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(levels, logits)
        return -tf.reduce_sum(nats, axis=[1, 2])

    def expected(self, logits: Any) -> tf.Tensor:
        """Returns E[x_i | x_1 .. x_{i-1}] of images, the most probable code of codes."""
        if len(self.event_shape) == 2:
            return tf.argmax(logits, axis=-1, output_type=tf.int32)
        values = tf.range(self.num_levels, dtype=tf.float32) / (self.num_levels - 1)
        return tf.reduce_sum(tf.nn.softmax(logits) * values, axis=-1, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        fields = {name: field.get_config() for name, field in self.condition_fields.items()}
        return {
            **super().get_config(),
            "conditionals": serialize_part(self.conditionals, self.built),
            "event_shape": list(self.event_shape),
            "conditions": fields or None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "PixelCNN":
        """Creates one from `get_config`."""
        network = keras.saving.deserialize_keras_object(config["conditionals"], custom_objects)
        if config["conditions"]:
            config = with_condition_fields(config)
        return cls(**{**config, "conditionals": network})


class NoLatents(Proposal):
    """q(z|x) of a model without latent variables: z is x, with probability 1.

    Args:
        x: `[B, ...]`.
    """

    def __init__(self, x: tf.Tensor):
        self.x = x

    @property
    def space(self) -> str:
        """x."""
        return "x itself"

    def draw(self, noise: Noise) -> Draw:
        """Returns x for each draw, and log 1."""
        leading = tf.shape(noise.words())
        whole = tf.broadcast_to(self.x, tf.concat([leading, tf.shape(self.x)[1:]], axis=0))
        return Draw(whole, tf.zeros(leading))

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """Returns log 1 for each z."""
        return tf.zeros(tf.shape(z)[: z.shape.rank - self.x.shape.rank + 1])


def _drawn(model: PixelCNN, uniform: tf.Tensor, c: tf.Tensor | None) -> tf.Tensor:
    return model.drawn(uniform, c)
