"""Features of maps of codes at twice their size: what a level below them is given."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.networks.residual import ResidualConvTranspose


@keras.saving.register_keras_serializable("tfvae")
class CodesAbove(keras.layers.Layer):
    """Embedded codes, residual blocks, and a transposed convolution that doubles the map.

    Args:
        num_levels: K, the number of codes, at least 2.
        filters: Channels.
        image_size: (height, width) of the level below, each twice that of the codes.
        num_blocks: Of residual blocks, default 2.
        **kwargs: Keras layer arguments.

    Shapes: codes int32 `[B, H / 2, W / 2]`, and features `[B, H / 2, W / 2, G]` of the levels above
        them or none -> `[B, H, W, filters]`.

    Raises:
        UserError: if a size is out of range, or maps have another size.

    Example:
        >>> import numpy as np
        >>> CodesAbove(16, 8, (8, 8))(np.zeros((3, 4, 4), "int32")).shape.as_list()
        [3, 8, 8, 8]

    References:
        A. Razavi, A. van den Oord, O. Vinyals, 2019, arXiv:1906.00446, section 3.2 and table 1: the
        residual conditioning stack of the bottom's prior.
    """

    def __init__(
        self, num_levels: int, filters: int, image_size: Any, num_blocks: int = 2, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.num_levels = positive_int("num_levels", num_levels, minimum=2, maximum=LARGEST_SIZE)
        self.filters = positive_int("filters", filters, maximum=LARGEST_SIZE)
        self.image_size = positive_ints("image_size", list(image_size))
        self.num_blocks = positive_int("num_blocks", num_blocks, minimum=0, maximum=1000)
        self.network = ResidualConvTranspose(
            [self.filters],
            self.image_size,
            num_blocks=self.num_blocks,
            dtype=self.dtype_policy,
            name="network",
        )

    def build(self, codes_shape: Any, above_shape: Any = None) -> None:
        """Creates the weights."""
        self.table = self.add_weight(
            shape=(self.num_levels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="table",
        )
        given = 0 if above_shape is None else above_shape[-1]
        self.network.build((*codes_shape, self.filters + given))

    def call(self, codes: tf.Tensor, above: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the features."""
        e = tf.gather(tf.cast(self.table, self.compute_dtype), codes)
        return self.network(e if above is None else tf.concat([e, above], axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {name: getattr(self, name) for name in ("num_levels", "filters", "num_blocks")}
        return {**super().get_config(), **own, "image_size": list(self.image_size)}
