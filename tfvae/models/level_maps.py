"""The levels of a convolutional hierarchy above the first: what a run chooses."""

import math
from collections.abc import Sequence
from typing import Any

from tfvae.checks import positive_int, positive_ints
from tfvae.errors import UserError
from tfvae.heads.base import LatentHead
from tfvae.heads.posteriors.inverse_autoregressive_flow import InverseAutoregressiveFlow
from tfvae.heads.posteriors.normal_map import NormalMap
from tfvae.models.level import Level
from tfvae.networks.nvae import NVAEConv, NVAEConvTranspose, scales


def conv_levels(
    latent_size: int,
    features_shape: Sequence[int],
    channels: Sequence[int] = (4, 8),
    filters: Sequence[int] = (64, 64),
    strides: Sequence[int] = (1, 2),
    num_cells: int = 1,
    expansion: int = 6,
    residual_scale: float = 1.0,
    zero_start: bool = False,
    spectral_weight: float = 0.0,
    top_constant: bool = False,
    num_flows: int = 0,
    dtype: Any = None,
) -> list[Level]:
    """Levels of residual cells and Normals, whose z are maps.

    Args:
        latent_size: Of the first level, a multiple of its places.
        features_shape: `(H, W, C)`, of the maps that come up to the first level.
        channels: Of z of the second level and those above.
        filters: Channels of the networks between each level and the one below it, as many.
        strides: By which each level's map is smaller than the one below it, 1 or 2, as many.
        num_cells: Cells of each network.
        expansion: Channels inside a downward cell for each of the map's.
        residual_scale: Of each cell's branch; 1 / sqrt(number of cells) for deep hierarchies.
        zero_start: Whether each cell starts as the identity, and p of each level but the top as the
            standard Normal.
        spectral_weight: Of a penalty on what convolutions stretch, 0 for none; 0.01 in NVAE.
        top_constant: Whether a learned map stands beside z of the top, where the way down begins.
        num_flows: Inverse autoregressive steps on q of each level, 0 for none.
        dtype: A Keras dtype policy.

    Returns:
        The levels from the second up.

    Raises:
        UserError: unless there are as many filters and strides as channels, the first level is a
            map, and no map is too small for its stride.

    Example:
        >>> levels = conv_levels(7 * 7 * 4, (7, 7, 64), (4, 8), strides=(1, 2))
        >>> [level.latent_size for level in levels]  # 7 x 7 x 4 and 4 x 4 x 8
        [196, 128]
    """
    channels, filters = positive_ints("channels", channels), positive_ints("filters", filters)
    strides = positive_ints("strides", strides, maximum=2)
    num_flows = positive_int("num_flows", num_flows, minimum=0, maximum=1000)
    if not len(channels) == len(filters) == len(strides):
        raise UserError(
            f"There are {len(channels)} channels of levels above the first, {len(filters)} filters "
            f"of networks and {len(strides)} strides. Give one of each for each level."
        )
    size = _first_map(latent_size, features_shape)
    common = {
        "num_cells": num_cells,
        "residual_scale": residual_scale,
        "zero_start": zero_start,
        "spectral_weight": spectral_weight,
        "dtype": dtype,
    }
    levels, below = [], latent_size
    for number, (depth, width, stride) in enumerate(
        zip(channels, filters, strides, strict=True), start=2
    ):
        above = scales(size, stride, 1)[-1]
        levels.append(
            Level(
                NVAEConv([width], strides=stride, name=f"upward_{number}", **common),
                _posterior(math.prod(above) * depth, num_flows, f"posterior_{number}"),
                NVAEConvTranspose(
                    [width],
                    size,
                    expansion,
                    constant=top_constant and number == 1 + len(channels),
                    strides=stride,
                    name=f"downward_{number}",
                    **common,
                ),
                NormalMap(below, zero_start=zero_start, name=f"prior_{number - 1}"),
                name=f"level_{number}",
            )
        )
        size, below = above, levels[-1].latent_size
    return levels


def _posterior(latent_size: int, num_flows: int, name: str) -> LatentHead:
    """The head of q of a level."""
    if not num_flows:
        return NormalMap(latent_size, name=name)
    return InverseAutoregressiveFlow(latent_size, num_flows, of_map=True, name=name)


def _first_map(latent_size: int, features_shape: Sequence[int]) -> tuple[int, int]:
    """The size of the map that the first level is."""
    if len(features_shape) != 3:
        raise UserError(
            f"Levels of maps take features [B, H, W, C] of the encoder, and its network makes "
            f"{tuple(features_shape)}. Choose --network nvae or residual, or --levels mlp."
        )
    height, width, _ = features_shape
    if latent_size % (height * width):
        raise UserError(
            f"{latent_size} dimensions of z1 cannot be laid over maps of {height}x{width}. Give a "
            f"multiple of {height * width} (--latent-size {height * width * 4})."
        )
    return height, width
