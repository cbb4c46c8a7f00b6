"""All that this package takes from Keras' private modules; what it overrides is in `trainer.py`.

Keras accepts data adapters of others, and names no public class for them; and it says nowhere in
public which layers XLA cannot compile, or which are convolutions. Its callbacks look for the
direction of a metric in lists of its own class only.
"""

from keras.src.layers.convolutional.base_conv import BaseConv
from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose
from keras.src.trainers.compile_utils import MetricsList
from keras.src.trainers.data_adapters import get_data_adapter
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.src.trainers.trainer import model_supports_jit

__all__ = [
    "BaseConv",
    "BaseConvTranspose",
    "DataAdapter",
    "MetricsList",
    "get_data_adapter",
    "model_supports_jit",
]
