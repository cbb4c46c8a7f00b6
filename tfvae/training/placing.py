"""From what a user passes to what Keras' loops take: checked, on the device, on every replica."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.data.fields import checked_fields, input_shapes
from tfvae.errors import UserTypeError
from tfvae.training.inputs import are_arrays, check_counts, checked_inputs
from tfvae.training.parts import parts, parts_of_batch
from tfvae.training.resident import as_resident, on_device
from tfvae.training.streaming import ahead


def accepted(model: keras.Model, x: Any, batch_size: int | None = None) -> Any:
    """Returns x, checked against the model's fields, and builds the model.

    Weights that are made while a step is traced stay without values if the trace fails.
    """
    check_counts({"batch_size": batch_size}, "batch_size")
    x = checked_inputs(x, checked_fields(model.fields(), type(model).__name__), "x")
    if not model.built:
        with model.distribute_strategy.scope():
            model.build(input_shapes(model.fields()))
    return x


def one_batch(model: keras.Model, x: Any) -> Any:
    """Returns one batch of arrays, checked, and cut into parts where there are replicas."""
    x = accepted(model, x)
    if not are_arrays(x):
        raise UserTypeError(
            f"x is of type {type(x).__name__}; expected one batch: an array, or a dict of "
            "arrays by name."
        )
    strategy = model.distribute_strategy
    return parts_of_batch(strategy, x) if is_distributed(model) else x


def placed(
    model: keras.Model, x: Any, batch_size: int | None, whole: bool, shuffled: bool = False
) -> Any:
    """Returns checked data on the device if whole epochs are asked for and they fit.

    Args:
        model: a built model.
        x: as `accepted` returned it.
        batch_size: rows of a batch of arrays.
        whole: whether epochs go through all of x.
        shuffled: whether epochs of arrays are shuffled.
    """
    # Workers have to agree on the order of arrays, whatever their own seeds are.
    seed = int(model.seed_state[0])
    if is_distributed(model):
        return as_resident(x, model.fields(), batch_size, shuffled, seed) if are_arrays(x) else x
    if not model.compiled or model.run_eagerly:
        return x
    data = on_device(x, model.fields(), batch_size, shuffled, seed) if whole else None
    if data is None:
        return ahead(x) if isinstance(x, tf.data.Dataset) else x
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return data


def distributed(model: keras.Model, x: Any, shuffle: bool = False) -> Any:
    """Returns placed data, distributed to the replicas where there are any."""
    return parts(model.distribute_strategy, x, shuffle) if is_distributed(model) else x


def is_distributed(model: keras.Model) -> bool:
    """Whether the model was made under a strategy."""
    return model._distribute_strategy is not None
