"""Moving averages of the weights, which an optimizer with `use_ema` keeps."""

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.training.keras_private import moving_averages
from tfvae.training.phased_optimizer import PhasedOptimizer


def swap_averages(model: keras.Model) -> None:
    """Exchanges the weights that train and their moving averages; twice is nothing.

    Keras' own `SwapEMAWeights` does so by sums, which round.

    Args:
        model: Built, and compiled with an optimizer that has `use_ema=True`.

    Raises:
        UserError: for another optimizer.
    """
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    phased = isinstance(optimizer, PhasedOptimizer)
    pairs = [
        pair
        for own in (optimizer.by_phase.values() if phased else [optimizer])
        for pair in moving_averages(own)
    ]
    if not pairs:
        raise UserError(
            "The optimizer keeps no averages of the weights. Compile with one that does, such as "
            "keras.optimizers.Adam(use_ema=True, ema_momentum=0.999)."
        )
    for weight, average in pairs:
        value = tf.identity(weight.value)
        weight.assign(average.value)
        average.assign(value)
