"""One level of codes above the first: a map of half the size."""

from collections.abc import Sequence
from typing import Any

import keras

from tfvae.checks import instance_of
from tfvae.errors import UserError, UserTypeError
from tfvae.models.configuration import serialize_part
from tfvae.quantisers.base import Quantiser

_PARTS = ("upward", "quantiser", "downward")


@keras.saving.register_keras_serializable("tfvae")
class CodeLevel(keras.layers.Layer):
    """Level l of a hierarchy of codes, l at least 2: the way up to c_l, and the way down from it.

        d_l = upward(d_(l-1)),   c_l = quantiser(d_l, a_(l+1)),   a_l = downward(e(c_l), a_(l+1))

    a_l are features of the size of level l - 1, of all codes from c_l up; the top has no a_(l+1).

    Args:
        upward: A network of maps to maps of half the size, such as `networks.ResidualConv([64])`.
        quantiser: One of `tfvae.quantisers`.
        downward: A network of maps to maps of twice the size, such as
            `networks.ResidualConvTranspose([64], image_size)`, of the size of the level below.
        **kwargs: Keras layer arguments.

    Raises:
        UserTypeError: if a part is of the wrong kind.

    Example:
        >>> from tfvae import networks, quantisers
        >>> level = CodeLevel(
        ...     networks.ResidualConv([32]),
        ...     quantisers.VectorQuantised(16, 8),
        ...     networks.ResidualConvTranspose([32], (8, 8)),
        ... )
        >>> level.quantiser.num_codes
        16
    """

    def __init__(
        self,
        upward: keras.layers.Layer,
        quantiser: Quantiser,
        downward: keras.layers.Layer,
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        instance_of("upward", upward, keras.layers.Layer, "tfvae.networks.ResidualConv([64])")
        instance_of("quantiser", quantiser, Quantiser, "see tfvae.quantisers")
        hint = "tfvae.networks.ResidualConvTranspose([64], image_size)"
        instance_of("downward", downward, keras.layers.Layer, hint)
        self.upward, self.quantiser, self.downward = upward, quantiser, downward

    def build(self, input_shape: Any = None) -> None:
        """Notes that the parts are built, as they are used."""
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = {name: serialize_part(getattr(self, name), self.built) for name in _PARTS}
        return {**super().get_config(), **parts}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CodeLevel":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        return cls(**{**config, **{name: read(config[name]) for name in _PARTS}})


def checked_code_levels(levels: Any, num_codes: int) -> list[CodeLevel]:
    """Returns the levels above a first one of so many codes.

    Raises:
        UserTypeError: for anything but levels of codes.
        UserError: for none, or another number of codes.
    """
    if not isinstance(levels, Sequence) or not all(isinstance(lv, CodeLevel) for lv in levels):
        raise UserTypeError(
            "levels must be a list of tfvae.models.CodeLevel, from the second up; received "
            f"{levels!r}."
        )
    if not levels:
        raise UserError(
            "levels is empty, and a hierarchy of one level of codes is a VQVAE: use tfvae.VQVAE, "
            "or give it at least one CodeLevel."
        )
    for number, level in enumerate(levels, start=2):
        if level.quantiser.num_codes != num_codes:
            raise UserError(
                f"Level {number} has {level.quantiser.num_codes} codes, and the first has "
                f"{num_codes}. Give the quantisers of all levels as many codes."
            )
    return list(levels)
