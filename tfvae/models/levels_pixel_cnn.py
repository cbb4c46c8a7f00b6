"""An autoregressive model of several maps of codes, the top one first."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf

from tfvae.checks import instance_of, positive_ints
from tfvae.data.fields import Field
from tfvae.errors import UserError, UserTypeError
from tfvae.models.capabilities import Batch
from tfvae.models.code_maps import in_maps, in_row
from tfvae.models.codes import zero_example
from tfvae.models.configuration import serialize_part
from tfvae.models.level import level_names
from tfvae.models.pixel_cnn import PixelCNN
from tfvae.networks import GatedPixelCNN
from tfvae.networks.codes_above import CodesAbove
from tfvae.networks.pixel_draws import draw_levels
from tfvae.objectives.base import Nats

ABOVE = "codes_above"
"""The condition that the codes of the levels above are of a level's network."""


@keras.saving.register_keras_serializable("tfvae")
class LevelsPixelCNN(PixelCNN):
    """p(z|c) = p(z_L|c) prod_l p(z_l | z_(l+1) .. z_L, c): maps of codes, each by a PixelCNN.

        log p(z|c) = sum_l sum_i log p(z_l,i | z_l,1 .. z_l,i-1, z_(l+1) .. z_L, c)

    Each map has twice the height and the width of the one above, which enters its network through
    residual blocks, at each place. log p(z) is exact, and draws go through the top map before they
    go through the next. Choose it as the prior of a `VQVAE2`'s codes, as the further stage of a
    run. Logged beside `nll`: `nll_l` of each level, `nll_1` that of the bottom.

    Args:
        conditionals: Of the top level, `networks.GatedPixelCNN(num_levels)` or
            `networks.PixelSNAIL(num_levels)`; K is its own, of all levels.
        event_shape: `(P,)`: how many codes all levels have together.
        top_shape: (height, width) of the top map; how many levels there are follows from P.
        below: Networks of the levels below the top, from the second up to down to the bottom. None
            (default): networks like that of the top, with weights of their own.
        conditions: What c is, by the names of its fields: `{"label": Field.label(10)}`; vectors.
            None (default) for nothing.
        seed: See `LatentVariableModel`.
        **kwargs: Keras model arguments.

    Shapes: x int32 `[B, P]`, the top map first, each row by row, as `VQVAE2.encode` returns it; or
        `{"x": x, "label": [B], ...}`.

    Raises:
        UserTypeError: if a network is another.
        UserError: if P codes are not those of a top map and of maps twice as large below it, or
            networks are too many, too few, or of another number of codes.

    Example:
        >>> from tfvae import networks
        >>> model = LevelsPixelCNN(
        ...     networks.GatedPixelCNN(16, filters=4, num_layers=2, first_kernel_size=3), (20,), (2, 2)
        ... )
        >>> model.build(None)
        >>> model.sample(3, seed=1).shape.as_list()
        [3, 20]

    References:
        A. Razavi, A. van den Oord, O. Vinyals, 2019, "Generating Diverse High-Fidelity Images with
        VQ-VAE-2", arXiv:1906.00446, section 3.2 and algorithm 2.
    """  # noqa: E501

    reserved: ClassVar[tuple[str, ...]] = ("x", "z", ABOVE)

    def __init__(
        self,
        conditionals: GatedPixelCNN,
        event_shape: Sequence[int],
        top_shape: Sequence[int],
        below: Sequence[GatedPixelCNN] | None = None,
        conditions: Mapping[str, Field] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(conditionals, event_shape, conditions, seed, **kwargs)
        self.top_shape = positive_ints("top_shape", top_shape)
        if len(self.top_shape) != 2:
            raise UserError(f"top_shape must be (height, width), received {top_shape!r}.")
        sizes = _sizes(self.event_shape, self.top_shape)
        self.map_sizes = dict(zip(level_names(len(sizes)), reversed(sizes), strict=True))
        for name in self.map_sizes:
            self.track(_nll(name))
        self.below = _checked(below, conditionals, len(sizes) - 1)
        policy = conditionals.dtype_policy
        self.above = [
            CodesAbove(self.num_levels, network.filters, size, dtype=policy, name=f"above_{number}")
            for number, (network, size) in enumerate(zip(self.below, sizes[1:], strict=True))
        ]

    def check_event_shape(self) -> None:
        """Refuses what is no row of codes."""
        if len(self.event_shape) != 1:
            raise UserError(
                f"event_shape is {self.event_shape}; expected (P,): how many codes all levels have "
                "together. For images, and codes of one map, use a PixelCNN."
            )

    def build(self, input_shape: Any) -> None:
        """Makes the weights of all networks; the shapes are those that the model declares."""
        if not self.conditionals.built:
            self.logits({"x": zero_example(self)["x"], **self.given(zero_example(self))})
        self.check_terms()

    def fields(self) -> dict[str, Field]:
        """Returns x, the codes of all levels, and the conditions."""
        own = Field(self.event_shape, "int32", (0, self.num_levels - 1))
        return {"x": own, **self.condition_fields}

    def maps(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns codes `[..., P]` by level, from the top down."""
        return in_maps(tf.cast(x, tf.int32), self.map_sizes)

    def logits(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the logits of each code of each level given those before it, `[B, h, w, K]`."""
        shown, maps = self.shown(self.given(batch)), list(self.maps(batch["x"]).items())
        found, above = {}, None
        for number, (name, codes) in enumerate(maps):
            if number:
                above = self.above[number - 1](maps[number - 1][1], above)
                shown = {**shown, ABOVE: above}
            found[name] = self._networks()[number]({"x": codes, **shown})
        return found

    def _networks(self) -> list[GatedPixelCNN]:
        """Of each level, from the top down."""
        return [self.conditionals, *self.below]

    def log_prob_by_level(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns log p of each level's codes given those above, `[B]`, from the top down."""
        return self._by_level(self.logits(batch), batch)

    def _by_level(self, logits: Mapping[str, tf.Tensor], batch: Batch) -> dict[str, tf.Tensor]:
        maps = self.maps(batch["x"])
        return {
            name: -tf.reduce_sum(
                tf.nn.sparse_softmax_cross_entropy_with_logits(maps[name], of_level), axis=[1, 2]
            )
            for name, of_level in logits.items()
        }

    def log_prob_of(self, logits: Any, batch: Batch) -> tf.Tensor:
        """Returns log p(x|c) of what `logits` returned, `[B]`."""
        return tf.add_n(list(self._by_level(logits, batch).values()))

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns -log p(x|c), and that of each level."""
        logits = self.logits(batch)
        levels = self._by_level(logits, batch)
        nll = -tf.add_n(list(levels.values()))
        watched = {_nll(name): -log_prob for name, log_prob in levels.items()}
        return Nats({"nll": nll}, self.expected(logits), watched=watched)

    def expected(self, logits: Any) -> tf.Tensor:
        """Returns the most probable code at each place, `[B, P]`."""
        return in_row({n: tf.argmax(of, axis=-1, output_type=tf.int32) for n, of in logits.items()})

    def values_of(self, levels: tf.Tensor) -> tf.Tensor:
        """Returns codes, which are whole numbers already."""
        return levels

    def drawn(self, uniform: tf.Tensor, c: tf.Tensor | None) -> tf.Tensor:
        """Returns codes `[N, P]` of numbers in (0, 1), `[N, P]`: the top map, then those below."""
        found: dict[str, tf.Tensor] = {}
        above = None
        for number, (name, own) in enumerate(in_maps(uniform, self.map_sizes).items()):
            given = c
            if number:
                *_, codes = found.values()
                above = self.above[number - 1](codes, above)
                given = above
                if c is not None:
                    tiled = tf.tile(c, [1, *self.map_sizes[name], 1])
                    given = tf.concat([above, tiled], axis=-1)
            flat = tf.reshape(own, [-1, own.shape[1] * own.shape[2]])
            codes = draw_levels(self._networks()[number], flat, given)
            codes.set_shape([None, *self.map_sizes[name]])
            found[name] = codes
        return in_row(found)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "top_shape": list(self.top_shape),
            "below": [serialize_part(network, self.built) for network in self.below],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LevelsPixelCNN":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        below = [read(network, custom_objects) for network in config["below"]]
        return super().from_config({**config, "below": below}, custom_objects)


def _nll(name: str) -> str:
    """What is logged of a level, `nll_1` of `z1`."""
    return f"nll_{name[1:]}"


def _sizes(event_shape: Sequence[int], top_shape: Sequence[int]) -> list[tuple[int, int]]:
    """Of the maps, from the top down."""
    (count,), (height, width) = event_shape, top_shape
    sizes: list[tuple[int, int]] = []
    left = count
    while left > 0:
        scale = 2 ** len(sizes)
        sizes.append((height * scale, width * scale))
        left -= height * width * scale**2
    if left or len(sizes) < 2:
        raise UserError(
            f"{count} codes are not those of a top map of {height}x{width} and of maps below it, "
            f"each twice as high and wide: two levels have {5 * height * width}, three "
            f"{21 * height * width}. Give the top map's height and width as top_shape "
            "(--top-shape); for codes of one map, use a PixelCNN."
        )
    return sizes


def _checked(below: Any, top: GatedPixelCNN, count: int) -> list[GatedPixelCNN]:
    """The networks of the levels below the top."""
    if below is None:
        config = top.get_config()
        return [
            type(top).from_config({**config, "name": f"{top.name}_below_{number}"})
            for number in range(count)
        ]
    if not isinstance(below, list | tuple):
        raise UserTypeError(
            f"below must be a list of networks, from the second map down, received {below!r}."
        )
    for network in below:
        hint = "networks.GatedPixelCNN(num_levels), or networks.PixelSNAIL"
        instance_of("below", network, GatedPixelCNN, hint)
        if network.num_levels != top.num_levels:
            raise UserError(
                f"A network of below has {network.num_levels} levels, and that of the top has "
                f"{top.num_levels}. Codes of all maps are of one number."
            )
    if len(below) != count:
        raise UserError(
            f"below has {len(below)} networks, and there are {count} maps below the top. Give one "
            "for each."
        )
    return list(below)
