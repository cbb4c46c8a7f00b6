"""How much of x a code keeps, beside what principal components of the same number keep."""

from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.evaluation.collecting import collected
from tfvae.models.capabilities import Batch, Decodes, Encodes, require
from tfvae.models.codes import vector_size
from tfvae.training.programs import compiled


def reconstruction_errors(
    model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> np.ndarray:
    """The squared error of each example's reconstruction: deterministic.

        error = sum_i (x_i - E[x_i | z])^2,  z the code of x

    Args:
        model: A built model that encodes and decodes.
        data: What `fit` takes.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        float64 `[N]`, in the squared unit of x.

    Raises:
        UserError: for data that `fit` would refuse, or a model that lacks a capability.
    """
    require(model, "reconstruction_errors()", Encodes, Decodes)
    run = compiled(model, _squared_error)
    found = collected(model, data, lambda batch: run(batch.tensors()), batch_size, verbose)
    return found.astype(np.float64)


def pca_reconstruction_errors(
    model: Any, train: Any, data: Any, num_components: int | None = None
) -> np.ndarray:
    """The squared error of each example under PCA: what a code of a model has to be better than.

        error = |x - m - V V^T (x - m)|^2,  m the mean and V the first components of `train`

    Args:
        model: Whose fields the data have.
        train: What the components are computed from; what `fit` takes.
        data: The examples, likewise.
        num_components: At least 1. None (default): as many as the model's codes have numbers.

    Returns:
        float64 `[N]`, in the squared unit of x.

    Raises:
        UserError: for more components than there are examples or entries, and without a number
            where the codes are not one vector.
    """
    count = vector_size(model) if num_components is None else num_components
    if count is None:
        raise UserError(
            f"The codes of {type(model).__name__} are not one vector; say num_components."
        )
    examples, held_out = _rows(model, train), _rows(model, data)
    if positive_int("num_components", count) > min(examples.shape):
        raise UserError(
            f"num_components={count} of {len(examples)} examples of {examples.shape[1]} numbers; "
            "expected at most the smaller of the two."
        )
    found = PCA(count, random_state=0).fit(examples)
    difference = held_out - found.inverse_transform(found.transform(held_out))
    return np.sum(np.square(difference), axis=1)


def _squared_error(model: Any, batch: Batch) -> tf.Tensor:
    x = tf.cast(next(iter(batch.values())), tf.float32)
    squares = tf.square(x - model.reconstruction(batch))
    return tf.reduce_sum(squares, axis=list(range(1, x.shape.rank)))


def _rows(model: Any, data: Any) -> np.ndarray:
    """The modelled field of all examples, float64 `[N, F]`."""
    name = next(iter(model.fields()))
    parts = [batch.fields[name][: batch.count] for batch in batches(model, data)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts]).astype(np.float64)
