"""A PixelCNN with attention."""

from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.networks.causal_attention import CausalAttention
from tfvae.networks.pixel_cnn import GatedPixelCNN


@keras.saving.register_keras_serializable("tfvae")
class PixelSNAIL(GatedPixelCNN):
    """A gated PixelCNN whose horizontal stack attends to all positions before, now and then.

    Choose it over `GatedPixelCNN` where what is far apart belongs together, as in codes of images:
    a convolution sees as far as its kernels reach, attention all that comes before. It costs the
    square of the number of positions: for codes of 7 x 7 little, for images of 28 x 28 much.

    Args:
        num_levels: See `GatedPixelCNN`, as all but the last two.
        filters: See there; also the size of queries, keys and values.
        num_layers: See there.
        kernel_size: See there.
        first_kernel_size: See there.
        units: See there.
        every: Attention follows each so manieth layer, and the last where none does. Default 2.
        num_heads: Heads, which divide `filters`. Default 4.
        **kwargs: Keras layer arguments.

    Shapes: As of `GatedPixelCNN`.

    Raises:
        UserError: As of `GatedPixelCNN`, and if the heads do not divide the filters.

    Example:
        >>> import numpy as np
        >>> PixelSNAIL(16, filters=8)(np.zeros((3, 7, 7), "int32")).shape.as_list()
        [3, 7, 7, 16]

    References:
        X. Chen, N. Mishra, M. Rohaninejad, P. Abbeel, 2017, "PixelSNAIL: An Improved Autoregressive
        Generative Model", arXiv:1712.09763, figure 2. Departures: the convolutions are those of the
        gated PixelCNN, attention is added to the horizontal stack.
    """

    def __init__(
        self,
        num_levels: int = 2,
        filters: int = 32,
        num_layers: int = 5,
        kernel_size: int = 3,
        first_kernel_size: int = 7,
        units: int = 64,
        every: int = 2,
        num_heads: int = 4,
        **kwargs: Any,
    ):
        super().__init__(
            num_levels, filters, num_layers, kernel_size, first_kernel_size, units, **kwargs
        )
        self.every = positive_int("every", every)
        self.num_heads = positive_int("num_heads", num_heads)
        if self.filters % self.num_heads:
            raise UserError(
                f"num_heads={num_heads} does not divide filters={filters}, of which each head has "
                "a part."
            )
        after = range(self.every - 1, self.num_layers, self.every) or [self.num_layers - 1]
        self.blocks = [
            CausalAttention(
                self.filters, self.num_heads, dtype=self.dtype_policy, name=f"attention_{i}"
            )
            for i in after
        ]
        self._after = list(after)

    def block_after(self, layer: int) -> int | None:
        """Returns which of its blocks of attention follows a layer, if any."""
        return self._after.index(layer) if layer in self._after else None

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "every": self.every, "num_heads": self.num_heads}
