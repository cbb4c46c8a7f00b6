"""A user's data as equal batches of checked images, with a progress bar."""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfvae.errors import UserError, UserRuntimeError, UserTypeError
from tfvae.training.inputs import checked_inputs

BATCH_SIZE = 128


class Batch(NamedTuple):
    """Images of one compiled call.

    Attributes:
        images: float32 `[batch_size, H, W, C]`; the last batch is filled with copies of its last
            image, so that one program serves all.
        first: Number of the first image in the data set.
        count: How many images are not filling.
    """

    images: np.ndarray
    first: int
    count: int


def batches(
    model: Any, data: Any, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> Iterator[Batch]:
    """Yields the data in order, each example once.

    Args:
        model: A built model; its `image_shape` is what the data must have.
        data: Images `[N, H, W, C]` in [0, 1], or a `tf.data.Dataset` of batches of them.
        batch_size: Images of one batch, at least 1.
        verbose: 1 shows a progress bar, counted in images, on standard output; 0 does not.

    Raises:
        RuntimeError: for a model that is not built.
        TypeError: for data that are neither an array nor a data set.
        ValueError: for images that `fit` would refuse, no images, or an endless data set.
    """
    if not model.built:
        raise UserRuntimeError(
            f"The model is not built. Train or load it first, or call "
            f"build({(None, *model.image_shape)})."
        )
    data = checked_inputs(data, model.fields(), "data")
    if isinstance(data, tf.data.Dataset):
        chunks, total = _from_dataset(data, batch_size), None
    elif hasattr(data, "shape") and hasattr(data, "dtype"):
        data = np.asarray(data)
        batch_size, total = min(batch_size, len(data)), len(data)
        chunks = (data[i : i + batch_size] for i in range(0, total, batch_size))
    else:
        raise UserTypeError(
            "data must be an array of images [N, H, W, C] or a tf.data.Dataset of batches, "
            f"received {type(data).__name__}."
        )
    return _padded(chunks, batch_size, _Progress(total, verbose))


def _from_dataset(data: tf.data.Dataset, batch_size: int) -> Iterator[np.ndarray]:
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise UserError("The data set is endless: pass data.take(number_of_batches).")
    if isinstance(data.element_spec, tuple | list):
        data = data.map(lambda images, *_: images)
    return data.rebatch(batch_size).as_numpy_iterator()


def _padded(chunks: Iterator[np.ndarray], batch_size: int, progress: "_Progress") -> Iterator:
    first = 0
    for images in chunks:
        count = len(images)
        filling = np.repeat(images[-1:], batch_size - count, axis=0)
        full = np.concatenate([images, filling]).astype(np.float32, copy=False)
        yield Batch(full, first, count)
        first += count
        progress.at(first)
    progress.end(first)
    if not first:
        raise UserError("The data set is empty; expected at least one image.")


class _Progress:
    """Keras' progress bar, or nothing."""

    def __init__(self, total: int | None, verbose: int):
        self.bar = keras.utils.Progbar(total, unit_name="image") if verbose else None

    def at(self, images: int) -> None:
        if self.bar is not None:
            self.bar.update(images, finalize=False)

    def end(self, images: int) -> None:
        if self.bar is not None:
            self.bar.target = images
            self.bar.update(images, finalize=True)
            sys.stdout.flush()
