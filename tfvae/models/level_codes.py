"""The levels of a hierarchy of codes above the first: what a run chooses."""

from collections.abc import Callable, Sequence
from typing import Any

from tfvae.checks import positive_ints
from tfvae.errors import UserError
from tfvae.models.code_level import CodeLevel
from tfvae.networks.residual import ResidualConv, ResidualConvTranspose
from tfvae.quantisers.base import Quantiser


def residual_code_levels(
    features_shape: Sequence[int],
    quantiser: Callable[..., Quantiser],
    filters: Sequence[int] = (64,),
    num_blocks: int = 2,
    kernel_size: int = 4,
    dtype: Any = None,
) -> list[CodeLevel]:
    """Levels of residual convolutions, each a map of codes of half the height and width.

    Args:
        features_shape: `(H, W, C)`, of the encoder network's maps, which the first level is of.
        quantiser: Makes the quantiser of a level, of its name.
        filters: Channels of the networks of each level, as many as there are levels.
        num_blocks: Residual blocks of each network.
        kernel_size: Side of the kernels that halve and double, in pixels, at least 2.
        dtype: A Keras dtype policy.

    Returns:
        The levels from the second up.

    Raises:
        UserError: if the features are no maps, or maps that cannot be halved so often.

    Example:
        >>> from tfvae import quantisers
        >>> make = lambda name: quantisers.VectorQuantised(16, 8, name=name)
        >>> [level.downward.image_size for level in residual_code_levels((8, 8, 32), make, (32,))]
        [(8, 8)]
    """
    filters = positive_ints("filters", filters)
    size, factor = tuple(features_shape)[:2], 2 ** len(filters)
    if len(features_shape) != 3:
        raise UserError(
            "Levels of codes take features [B, H, W, C] of the encoder, and its network makes "
            f"{tuple(features_shape)}. Choose --network residual."
        )
    if size[0] % factor or size[1] % factor:
        raise UserError(
            f"The first level of codes is a map of {size[0]}x{size[1]}, which can't be halved "
            f"{len(filters)} times, once for each level above it: its height and width are no "
            f"multiples of {factor}. Give fewer levels (--levels.filters), a network that halves "
            "less often (--network.filters), or images of another size."
        )
    common = {"num_blocks": num_blocks, "kernel_size": kernel_size, "dtype": dtype}
    levels = []
    for number, width in enumerate(filters, start=2):
        levels.append(
            CodeLevel(
                ResidualConv([width], name=f"upward_{number}", **common),
                quantiser(name=f"quantiser_{number}"),
                ResidualConvTranspose([width], size, name=f"downward_{number}", **common),
                name=f"level_{number}",
            )
        )
        size = (size[0] // 2, size[1] // 2)
    return levels
