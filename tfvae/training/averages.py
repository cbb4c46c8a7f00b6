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
        UserError: for another optimizer, and before its first step, when there is nothing to
            average.
    """
    check_averages(model)
    if not all(int(own.iterations) for own in _optimizers(model)):
        raise UserError(
            "The averages of the weights are of none yet: the optimizer has made no step. Train "
            "the model with fit first, or evaluate it without AveragedWeights."
        )
    for weight, average in _pairs(model):
        value = tf.identity(weight.value)
        weight.assign(average.value)
        average.assign(value)


def keeps_averages(model: keras.Model) -> bool:
    """Whether the optimizer of a built and compiled model keeps averages of its weights."""
    return bool(_pairs(model))


def check_averages(model: keras.Model) -> None:
    """Refuses a model whose optimizer keeps no averages.

    Args:
        model: Built and compiled.

    Raises:
        UserError: saying how to compile it.
    """
    if not keeps_averages(model):
        raise UserError(
            "The optimizer keeps no averages of the weights. Compile with one that does, such as "
            "keras.optimizers.Adam(use_ema=True, ema_momentum=0.999)."
        )


def _optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """Those that train a model, each its own weights."""
    optimizer = model.optimizer
    phased = isinstance(optimizer, PhasedOptimizer)
    return list(optimizer.by_phase.values()) if phased else [optimizer]


def _pairs(model: keras.Model) -> list[tuple[keras.Variable, keras.Variable]]:
    """Each weight with its average."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [pair for own in _optimizers(model) for pair in moving_averages(own)]
