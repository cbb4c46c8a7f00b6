"""All that this package takes from Keras' private modules; what it overrides is in `trainer.py`.

Keras accepts data adapters of others, and names no public class for them; and it says nowhere in
public which layers XLA cannot compile, or which are convolutions. Its callbacks look for the
direction of a metric in lists of its own class only, and averages of weights are an optimizer's own
affair. What reads a file is handed from layer to
layer, and only in private says to which.
"""

from typing import Any

import h5py
import keras
from keras.src.layers.convolutional.base_conv import BaseConv
from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose
from keras.src.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv
from keras.src.saving.saving_lib import H5IOStore
from keras.src.trainers.compile_utils import MetricsList
from keras.src.trainers.data_adapters import get_data_adapter
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.src.trainers.trainer import model_supports_jit

__all__ = [
    "BaseConv",
    "BaseConvTranspose",
    "BaseDepthwiseConv",
    "DataAdapter",
    "MetricsList",
    "get_data_adapter",
    "model_supports_jit",
    "moving_averages",
    "whole_file",
]


def moving_averages(optimizer: Any) -> list[tuple[keras.Variable, keras.Variable]]:
    """Returns each weight that an optimizer trains with its moving average; none without `use_ema`.

    Args:
        optimizer: Built.
    """
    own = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales losses
    averages = getattr(own, "_model_variables_moving_average", [])
    return list(zip(own._trainable_variables, averages, strict=True)) if averages else []


def whole_file(store: Any) -> h5py.File | None:
    """The HDF5 file that a model reads its weights from, or writes them to.

    None if the model is a part of another one, or the file of another kind.
    """
    whole = isinstance(store, H5IOStore) and not store._h5_entry_path
    return store.h5_file if whole else None
