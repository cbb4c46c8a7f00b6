"""The hierarchical vector-quantised autoencoder: maps of codes, each half as large as the last."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.models.capabilities import Batch
from tfvae.models.code_level import CodeLevel, checked_code_levels
from tfvae.models.code_maps import in_maps, in_row
from tfvae.models.codes import zero_example
from tfvae.models.configuration import serialize_part
from tfvae.models.encoder_decoder import Decoder
from tfvae.models.level import level_names
from tfvae.models.vq_vae import VQVAE
from tfvae.noise import Noise
from tfvae.quantisers.base import Quantised, Quantiser, code_counts

_NOISE = 16  # where the parts of a step's noise begin that are of levels: quantisers have others


@keras.saving.register_keras_serializable("tfvae")
class VQVAE2(VQVAE):
    """Levels of codes, the top one first: each is given those above it, the decoder has all.

        d_1 = f(x),  d_l = upward_l(d_(l-1));     from the top, l = L .. 1:
        c_l = quantiser_l([d_l, a_(l+1)]),        a_l = downward_l([e_l(c_l), a_(l+1)])
        elbo = log p(x | e_1(c_1), a_2) - P log K  <=  log p(x),     P codes of all levels, of K

    Choose it over a `VQVAE` for larger images: the top, a small map, has what is far apart, the
    bottom what is left, and a prior of the codes goes through the top before it goes through the
    bottom (`LevelsPixelCNN`). Each level has a quantiser of its own, with its own code book.

    The codes of an example are one row of whole numbers, the top map first, each row by row: the
    order in which the prior draws them. `maps` lays them out.

    Logged: as of `VQVAE`, the bottom's terms and perplexity under their names, and those of level l
    with `_l` behind, such as `commitment_2`, `perplexity_2`.

    Args:
        network: f, of images to the maps `[B, H, W, F]` that the bottom codes are of, such as
            `networks.ResidualConv([32, 64])`.
        quantiser: Of the bottom.
        decoder: p(x|c), whose network takes maps `[B, H, W, D + F]`, such as
            `networks.ResidualConvTranspose`.
        levels: The second level and those above, at least one `CodeLevel`, of as many codes.
        seed: See `VQVAE`.
        **kwargs: Keras model arguments.

    Shapes: x `[B, *event]` -> reconstruction of the same shape; codes int32 `[B, P]`, from 0 to
        K - 1: of a bottom of 8 x 8 and a top of 4 x 4, P = 80.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: as of `VQVAE`, for no levels, levels of another number of codes, and maps that
            don't have half the size of those below, or twice that of those above.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks, quantisers
        >>> model = VQVAE2(
        ...     networks.ResidualConv([8, 16]),
        ...     quantisers.VectorQuantised(num_codes=16, vector_size=4),
        ...     Decoder(
        ...         networks.ResidualConvTranspose([16, 8], (16, 16)),
        ...         heads.IndependentBernoulli((16, 16, 1)),
        ...     ),
        ...     [
        ...         CodeLevel(
        ...             networks.ResidualConv([16]),
        ...             quantisers.VectorQuantised(num_codes=16, vector_size=4),
        ...             networks.ResidualConvTranspose([16], (4, 4)),
        ...         )
        ...     ],
        ... )
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((32, 16, 16, 1), "float32"), verbose=0)
        >>> codes = model.encode(np.zeros((5, 16, 16, 1), "float32"))
        >>> {name: codes.shape for name, codes in model.maps(codes).items()}
        {'z2': TensorShape([5, 2, 2]), 'z1': TensorShape([5, 4, 4])}

    References:
        A. Razavi, A. van den Oord, O. Vinyals, 2019, "Generating Diverse High-Fidelity Images with
        VQ-VAE-2", arXiv:1906.00446, section 3.1 and figure 2a. Departure: the decoder is given the
        top through the same network as the bottom's encoder, where it has one of its own there.
    """

    def __init__(
        self,
        network: keras.layers.Layer,
        quantiser: Quantiser,
        decoder: Decoder,
        levels: Sequence[CodeLevel],
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(network, quantiser, decoder, seed=seed, **kwargs)
        self.levels = checked_code_levels(levels, quantiser.num_codes)
        self.map_sizes: dict[str, tuple[int, int]] = {}
        for number, level in enumerate(self.levels, start=2):
            for term, factor in level.quantiser.term_factors.items():
                self.track(f"{term}_{number}")
                self.add_term_weight(f"{term}_{number}", factor)
            self.track_codes(f"perplexity_{number}", quantiser.num_codes)

    @property
    def asks_for_first_batch(self) -> bool:
        """Whether codes of a level begin at the vectors of the first batch."""
        return any(quantiser.starts_at_data for quantiser in self.quantisers)

    def check_first_batch(self, rows: int) -> None:
        """Refuses a first batch of too few vectors for a level to begin with."""
        for number, quantiser in enumerate(self.quantisers, start=1):
            quantiser.check_start(rows * math.prod(self.map_sizes[f"z{number}"]))

    @property
    def quantisers(self) -> list[Quantiser]:
        """Of all levels, the bottom's first."""
        return [self.quantiser, *(level.quantiser for level in self.levels)]

    def build(self, input_shape: Any) -> None:
        """Builds every part for examples of this shape, `(None, H, W, C)`."""
        if isinstance(input_shape, Mapping):
            input_shape = input_shape["x"]
        self.decoder.checked_examples(input_shape)
        sizes = [_size(d, self.network) for d in self._upwards(self.features(zero_example(self)))]
        for number, (below, size) in enumerate(itertools.pairwise(sizes), start=2):
            if below != (2 * size[0], 2 * size[1]):
                raise UserError(
                    f"Level {number} makes maps of {size[0]}x{size[1]} of those of "
                    f"{below[0]}x{below[1]}; expected half the height and half the width. Give it "
                    "a network that halves once, and images of a size that can be halved so often."
                )
        self.map_sizes = dict(zip(level_names(len(sizes)), sizes, strict=True))
        for level in self.levels:
            level.build()
        super().build(input_shape)

    def _upwards(self, features: tf.Tensor, training: bool = False) -> list[tf.Tensor]:
        """d_1 .. d_L."""
        found = [features]
        for level in self.levels:
            found.append(tf.cast(level.upward(found[-1], training=training), tf.float32))
        return found

    def _downwards(
        self, vectors: Callable[[int, tf.Tensor | None], tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """What the decoder takes, from the top down.

        Args:
            vectors: (level from 0, what came down to it) -> e of its codes, `[B, H, W, D]`.
            training: Whether networks train.
        """
        above = None
        for number in reversed(range(len(self.quantisers))):
            joined = _joined(vectors(number, above), above)
            if number == 0:
                return joined
            down = self.levels[number - 1].downward(joined, training=training)
            above = tf.cast(down, tf.float32)
            below = self.map_sizes[f"z{number}"]
            if tuple(above.shape[1:3]) != below:
                raise UserError(
                    f"Level {number + 1} comes down as maps of shape {tuple(above.shape[1:])}; "
                    f"expected {below[0]}x{below[1]}, the size of the level below. Give its "
                    f"downward network that size: networks.ResidualConvTranspose([64], {below})."
                )
        raise AssertionError("there is always a first level")

    def quantised_features(
        self,
        features: tf.Tensor,
        noise: Noise | None = None,
        num_rows: Any = None,
        training: bool = False,
    ) -> Quantised:
        """Returns the codes of all levels in a row, and the maps that the decoder takes."""
        upwards, indices, terms = self._upwards(features, training), {}, {}

        def vectors(number: int, above: tf.Tensor | None) -> tf.Tensor:
            own = noise if noise is None or not number else noise.part(_NOISE + number)
            found = self.quantisers[number](
                _joined(upwards[number], above), noise=own, num_rows=num_rows, training=training
            )
            indices[f"z{number + 1}"] = found.indices
            terms.update({f"{n}{_behind(number)}": term for n, term in found.terms.items()})
            return found.vectors

        decoded = self._downwards(vectors, training)
        return Quantised(in_row(indices), decoded, terms)

    def maps(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns codes `[..., P]` by level, `{"z2": [..., H / 2, W / 2], "z1": [..., H, W]}`."""
        return in_maps(tf.convert_to_tensor(z), self.map_sizes)

    def lookup(self, z: tf.Tensor) -> tf.Tensor:
        """Returns the maps that the decoder takes for codes `[..., P]`."""
        leading = tf.shape(z)[:-1]
        maps = self.maps(tf.reshape(z, [-1, z.shape[-1] or math.prod(self.code_shape)]))

        def vectors(number: int, above: tf.Tensor | None) -> tf.Tensor:
            return self.quantisers[number].lookup(maps[f"z{number + 1}"])

        found = self._downwards(vectors)
        return tf.reshape(found, tf.concat([leading, found.shape[1:]], axis=0))

    def code_tallies(self, z: tf.Tensor, num_rows: Any) -> dict[str, tf.Tensor]:
        """Returns how often each code of each level occurs."""
        return {
            f"perplexity{_behind(int(name[1:]) - 1)}": code_counts(codes, self.num_codes, num_rows)
            for name, codes in self.maps(z).items()
        }

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the network, the levels and the bottom's quantiser."""
        return [self.network, *self.levels, self.quantiser]

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the codes as `decode` takes them, and the map of each level by its name."""
        z = self.quantised(batch).indices
        return {"z": z, **self.maps(z)}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        levels = [serialize_part(level, self.built) for level in self.levels]
        return {**super().get_config(), "levels": levels}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VQVAE2":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        levels = [read(level, custom_objects) for level in config["levels"]]
        return super().from_config({**config, "levels": levels}, custom_objects)


def _joined(own: tf.Tensor, above: tf.Tensor | None) -> tf.Tensor:
    return own if above is None else tf.concat([own, above], axis=-1)


def _behind(number: int) -> str:
    """What stands behind the names of a level's terms, by its number from 0."""
    return f"_{number + 1}" if number else ""


def _size(features: tf.Tensor, network: keras.layers.Layer) -> tuple[int, int]:
    if features.shape.rank != 4:
        raise UserError(
            f"The network {network.name!r} returns shape {features.shape}; levels of codes take "
            "maps [B, H, W, F], such as networks.ResidualConv([32, 64]) makes."
        )
    return int(features.shape[1]), int(features.shape[2])
