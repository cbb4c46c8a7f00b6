"""Pairs of networks, the decoder's mirroring the encoder's: what a run chooses by one name."""

from collections.abc import Sequence
from typing import Any, Literal

import keras

from tfvae.networks.conv import Conv, ConvTranspose
from tfvae.networks.joining import SideBySide
from tfvae.networks.mlp import MLP
from tfvae.networks.nvae import NVAEConv, NVAEConvTranspose
from tfvae.networks.residual import ResidualConv, ResidualConvTranspose
from tfvae.networks.unet import UNet

Activation = Literal[
    "relu", "tanh", "elu", "gelu", "leaky_relu", "selu", "silu", "softplus", "sigmoid"
]
Pair = tuple[keras.layers.Layer, keras.layers.Layer]


def mlp(
    units: Sequence[int] = (200, 200),
    activation: Activation = "relu",
    batch_normalisation: bool = False,
    dtype: Any = None,
) -> Pair:
    """Dense layers on the flattened input: what to reach for first.

    Args:
        units: Widths of the encoder's layers; the decoder's are the same backwards.
        activation: Of the hidden layers.
        batch_normalisation: Whether each layer is normalised over the batch.
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> encoder, decoder = mlp((200, 100))
        >>> decoder.units
        (100, 200)
    """
    down, up = tuple(units), tuple(units)[::-1]
    return (
        MLP(down, activation, batch_normalisation, name="encoder_mlp", dtype=dtype),
        MLP(up, activation, batch_normalisation, name="decoder_mlp", dtype=dtype),
    )


def linear(dtype: Any = None) -> Pair:
    """No layers: the heads project the flattened inputs, as in a sigmoid belief network.

    Args:
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> import numpy as np
        >>> encoder, decoder = linear()
        >>> encoder(np.zeros((2, 8, 8, 1), "float32")).shape.as_list()
        [2, 64]
    """
    return (
        SideBySide(name="encoder_flatten", dtype=dtype),
        SideBySide(name="decoder_flatten", dtype=dtype),
    )


def conv(
    event_shape: Sequence[int],
    filters: Sequence[int] = (32, 64),
    kernel_size: int = 3,
    strides: int = 2,
    units: Sequence[int] = (200, 200),
    activation: Activation = "relu",
    dtype: Any = None,
) -> Pair:
    """Strided convolutions, then dense layers: better on images, at more time a step.

    Args:
        event_shape: `(H, W, C)`, of the images.
        filters: Channels of each convolution, at least one; the decoder's are the same backwards.
        kernel_size: Side of the kernels in pixels.
        strides: Step of every convolution.
        units: Widths of the dense layers between convolutions and latent; "none" for none.
        activation: Of the hidden layers.
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> encoder, decoder = conv((28, 28, 1), (8, 16), units=(32,))
        >>> [layer.name for layer in encoder.layers]
        ['encoder_conv', 'encoder_mlp']
    """
    dense = mlp(units, activation, dtype=dtype) if units else (None, None)
    common = {
        "kernel_size": kernel_size,
        "strides": strides,
        "activation": activation,
        "dtype": dtype,
    }
    down = Conv(filters, name="encoder_conv", **common)
    up = ConvTranspose(
        tuple(filters)[::-1], image_size=tuple(event_shape)[:2], name="decoder_conv", **common
    )
    return _chain("encoder_network", down, dense[0]), _chain("decoder_network", dense[1], up)


def unet(
    filters: Sequence[int] = (16, 32, 64),
    num_convolutions: int = 2,
    kernel_size: int = 3,
    strides: int = 2,
    units: Sequence[int] = (64,),
    activation: Activation = "relu",
    dtype: Any = None,
) -> Pair:
    """A U-Net of the image that is given, for masks: of conditional models alone.

    Args:
        filters: Channels of each scale of the U-Net, the finest first, and of the encoder's
            strided convolutions.
        num_convolutions: Convolutions of each scale of the U-Net.
        kernel_size: Side of the kernels in pixels.
        strides: By how much each scale is coarser than the one before.
        units: Widths of the encoder's dense layers; "none" for none.
        activation: Of the hidden layers.
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> encoder, decoder = unet((8, 16))
        >>> decoder.filters
        (8, 16)
    """
    common = {
        "kernel_size": kernel_size,
        "strides": strides,
        "activation": activation,
        "dtype": dtype,
    }
    dense = mlp(units, activation, dtype=dtype)[0] if units else None
    down = _chain("encoder_network", Conv(filters, name="encoder_conv", **common), dense)
    return down, UNet(filters, num_convolutions, name="decoder_unet", **common)


def residual_conv(
    event_shape: Sequence[int],
    filters: Sequence[int] = (32, 64),
    num_blocks: int = 2,
    kernel_size: int = 4,
    activation: Activation = "relu",
    dtype: Any = None,
) -> Pair:
    """Convolutions that halve the image, and residual blocks: for maps of codes.

    Args:
        event_shape: `(H, W, C)`, of the images.
        filters: Channels of each convolution, which halves the image; the decoder's are the same
            backwards.
        num_blocks: Residual blocks of each of the two.
        kernel_size: Side of the kernels in pixels, at least 2.
        activation: Of the hidden layers.
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> encoder, decoder = residual_conv((28, 28, 1))
        >>> decoder.map_size
        (7, 7)
    """
    common = {
        "num_blocks": num_blocks,
        "kernel_size": kernel_size,
        "activation": activation,
        "dtype": dtype,
    }
    size = tuple(event_shape)[:2]
    return (
        ResidualConv(filters, name="encoder_residual", **common),
        ResidualConvTranspose(
            tuple(filters)[::-1], image_size=size, name="decoder_residual", **common
        ),
    )


def nvae(
    event_shape: Sequence[int],
    filters: Sequence[int] = (32, 64),
    num_cells: int = 1,
    expansion: int = 6,
    residual_scale: float = 1.0,
    zero_start: bool = False,
    spectral_weight: float = 0.0,
    dtype: Any = None,
) -> Pair:
    """Residual cells, normalised over the batch, with squeeze-and-excitation: for maps of z.

    Args:
        event_shape: `(H, W, C)`, of the images.
        filters: Channels of each scale, which halves the image; the decoder's are the same
            backwards.
        num_cells: Cells of each scale of each of the two.
        expansion: Channels inside a cell of the decoder for each of the map's.
        residual_scale: Of each cell's branch; 1 / sqrt(number of cells) for deep ones.
        zero_start: Whether each cell starts as the identity.
        spectral_weight: Of a penalty on what convolutions stretch, 0 for none; 0.01 in NVAE.
        dtype: A Keras dtype policy.

    Returns:
        (the encoder's network, the decoder's).

    Example:
        >>> encoder, decoder = nvae((28, 28, 1))
        >>> decoder.map_size
        (7, 7)
    """
    common = {
        "num_cells": num_cells,
        "residual_scale": residual_scale,
        "zero_start": zero_start,
        "spectral_weight": spectral_weight,
        "dtype": dtype,
    }
    up, size = tuple(filters)[::-1], tuple(event_shape)[:2]
    return (
        NVAEConv(filters, name="encoder_nvae", **common),
        NVAEConvTranspose(up, size, expansion, name="decoder_nvae", **common),
    )


def _chain(name: str, *layers: keras.layers.Layer | None) -> keras.layers.Layer:
    present = [layer for layer in layers if layer is not None]
    return present[0] if len(present) == 1 else keras.Sequential(present, name=name)
