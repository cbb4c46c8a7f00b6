"""Where XLA pays."""

import keras

from tfvae.training.devices import accelerators
from tfvae.training.keras_private import (
    BaseConv,
    BaseConvTranspose,
    BaseDepthwiseConv,
    model_supports_jit,
)


def xla_pays(model: keras.Model) -> bool:
    """Whether a model's programs are compiled by XLA where the user leaves it open.

    On a CPU Keras never does. XLA is two to three times faster there than TensorFlow's own
    kernels, because it fuses the densities and the optimiser's updates; but it has no fast
    convolution, and `mnist-conv` trains many times slower through it (the last rows of
    `tests/benchmark/ablation.py`). That holds for depthwise ones too, and for sums over shifted
    maps in their place (`python -m tests.benchmark.depthwise`).
    """
    if not model_supports_jit(model):
        return False
    if accelerators():
        return True
    kinds = (BaseConv, BaseConvTranspose, BaseDepthwiseConv)
    return not any(isinstance(layer, kinds) for layer in model._flatten_layers())
