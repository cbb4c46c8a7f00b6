"""One level of a hierarchy above the first."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import instance_of
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import LatentHead
from tfvae.models.configuration import serialize_part
from tfvae.models.network_and_head import NetworkAndHead

_PARTS = ("upward", "posterior", "downward", "prior")


@keras.saving.register_keras_serializable("tfvae")
class Level(keras.layers.Layer):
    """Level l of a hierarchy, l at least 2: the way up to z_l, and the way down to z_(l-1).

        d_l = upward(d_(l-1)),  q from posterior(d_l)          p(z_(l-1)|z_l) = prior(downward(z_l))

    What goes up is features of x in a `LadderVAE`, and z_(l-1) itself in a `HierarchicalVAE`.

    Args:
        upward: A network, any Keras layer or model.
        posterior: Head of q over z_l.
        downward: A network of z_l.
        prior: Head of p(z_(l-1)|z_l), of the size of the level below.
        **kwargs: Keras layer arguments.

    Raises:
        UserTypeError: if a part is of the wrong kind.

    Example:
        >>> from tfvae import heads, networks
        >>> level = Level(
        ...     networks.MLP([32]), heads.MultivariateNormalDiag(4),
        ...     networks.MLP([32]), heads.MultivariateNormalDiag(8),
        ... )
        >>> level.latent_size, level.size_below
        (4, 8)
    """

    def __init__(
        self,
        upward: keras.layers.Layer,
        posterior: LatentHead,
        downward: keras.layers.Layer,
        prior: LatentHead,
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        for name, head in (("posterior", posterior), ("prior", prior)):
            instance_of(name, head, LatentHead, "tfvae.heads.MultivariateNormalDiag(size)")
        self.up = NetworkAndHead(upward, posterior, name="up")
        self.down = NetworkAndHead(downward, prior, name="down")

    @property
    def latent_size(self) -> int:
        """The size of z_l."""
        return self.up.event_shape[0]

    @property
    def size_below(self) -> int:
        """The size of z_(l-1)."""
        return self.down.event_shape[0]

    def build_for(self, below: tf.Tensor) -> tf.Tensor:
        """Builds both ways for what comes up, `[B, ...]`; returns the features that go on up."""
        if not self.up.built:
            self.up.build_for(below)
        if not self.down.built:
            self.down.build_for(tf.zeros([1, self.latent_size]))
        self.built = True
        return self.up.features(below)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = dict(
            zip(
                _PARTS,
                (self.up.network, self.up.head, self.down.network, self.down.head),
                strict=True,
            )
        )
        built = self.up.built
        return {**super().get_config(), **{n: serialize_part(p, built) for n, p in parts.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Level":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        return cls(**{**config, **{name: read(config[name]) for name in _PARTS}})


def checked_levels(levels: Any, first_size: int) -> list[Level]:
    """Returns the levels of a hierarchy whose first one has this size.

    Raises:
        UserTypeError: for anything but levels.
        UserError: for none, or sizes that do not meet.
    """
    if not isinstance(levels, Sequence) or not all(isinstance(lv, Level) for lv in levels):
        raise UserTypeError(
            f"levels must be a list of tfvae.models.Level, from the second up; received {levels!r}."
        )
    if not levels:
        raise UserError(
            "levels is empty, and a hierarchy of one level is a VAE: use tfvae.VAE, or give it at "
            "least one Level."
        )
    below = first_size
    for number, level in enumerate(levels, start=2):
        if level.size_below != below:
            raise UserError(
                f"Level {number} makes p(z{number - 1}|z{number}) over {level.size_below} numbers, "
                f"and z{number - 1} has {below}. Give its prior head that size."
            )
        below = level.latent_size
    return list(levels)


def level_names(count: int) -> list[str]:
    """`z1` (next to x) to `zL`, the top."""
    return [f"z{number + 1}" for number in range(count)]


def normal_parameters(distribution: Any, what: str) -> Mapping[str, tf.Tensor]:
    """Returns `loc` and `scale_diag` of a diagonal Normal.

    Raises:
        UserError: for anything else.
    """
    found = distribution.parameters
    if not {"loc", "scale_diag"} <= set(found):
        raise UserError(
            f"{what} is a {type(distribution).__name__}; merging two distributions of a level "
            "takes diagonal Normals, heads.MultivariateNormalDiag. Use merge='none' for others."
        )
    return {name: found[name] for name in ("loc", "scale_diag")}
