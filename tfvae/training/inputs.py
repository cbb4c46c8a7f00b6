"""What a model accepts as data, checked where it enters."""

import inspect
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.data.validate import check_images, checked
from tfvae.errors import UserError, UserTypeError


def refuse_extra(y: Any, sample_weight: Any) -> None:
    """Raises `ValueError` if there are targets or sample weights: they would have no effect."""
    if y is not None:
        raise UserError(
            "The model learns from images alone and received targets y as well. Pass the images "
            "only: fit(images), or dataset.map(lambda image, label: image)."
        )
    if sample_weight is not None:
        raise UserError(
            "sample_weight is not supported: the ELBO is a mean over examples. To weight examples, "
            "resample the data set (tf.data.Dataset.sample_from_datasets, or repeat rows)."
        )


def refuse_class_weight(class_weight: Any) -> None:
    """Raises `ValueError` if there are class weights: without targets they would have no effect."""
    if class_weight is not None:
        raise UserError(
            f"class_weight={class_weight!r} is not supported: the model learns from images alone. "
            "To weight classes, repeat or resample their images."
        )


def checked_inputs(x: Any, image_shape: Sequence[int], what: str) -> Any:
    """Returns x if it is images `[B, *image_shape]` in [0, 1]; batches are checked as they pass.

    Args:
        x: An array, a `tf.data.Dataset`, a `keras.utils.PyDataset` or a generator of batches, or a
            distributed data set, which is not looked at; in a tuple or list of its own, too.
        image_shape: `(H, W, C)`.
        what: Names x in messages.

    Raises:
        TypeError: for other types, and for pixels that are not floating point.
        ValueError: if shape, range or finiteness is wrong, there is more than images, or nothing.
    """
    if hasattr(image_shape, "values"):  # TODO
        image_shape = next(iter(image_shape.values())).shape
    if isinstance(x, tuple) or (isinstance(x, list) and (len(x) == 1 or what == "validation_data")):
        x = _images_alone(x)
    if isinstance(x, keras.utils.PyDataset):
        return _CheckedPyDataset(x, image_shape, what)
    if inspect.isgenerator(x):
        return (_checked_batch(batch, image_shape, what) for batch in x)
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        if isinstance(spec, tuple | list):
            spec = _images_alone(spec)
        if x.cardinality() == 0:
            raise UserError(
                f"{what} is a data set without a single batch. With batch(drop_remainder=True) "
                "fewer images than a batch give none: use a smaller batch or keep the remainder."
            )
        checked_set = checked(x)
        _check_shape(spec.shape, image_shape, what)
        return checked_set
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        check_images(x, what)
        _check_shape(tf.TensorShape(x.shape), image_shape, what)
    elif not isinstance(x, tf.distribute.DistributedDataset):
        raise UserTypeError(
            f"{what} is of type {type(x).__name__}; expected an array of images [N, H, W, C], a "
            "tf.data.Dataset of batches, a keras.utils.PyDataset or a generator of batches. A list "
            "of images becomes an array by np.stack(images)."
        )
    return x


class _CheckedPyDataset(keras.utils.PyDataset):
    """Somebody's batches, checked where they are made."""

    def __init__(self, batches: keras.utils.PyDataset, image_shape: Sequence[int], what: str):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches, self.image_shape, self.what = batches, image_shape, what

    def __getitem__(self, index: int) -> Any:
        return _checked_batch(self.batches[index], self.image_shape, self.what)

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()


def _checked_batch(batch: Any, image_shape: Sequence[int], what: str) -> tuple[Any]:
    images = _images_alone(batch) if isinstance(batch, tuple | list) else batch
    return (checked_inputs(images, image_shape, what),)  # Keras takes no bare array from generators


def _check_shape(shape: tf.TensorShape, image_shape: Sequence[int], what: str) -> None:
    if shape.rank is not None and not shape[1:].is_compatible_with(image_shape):
        raise UserError(
            f"{what} has images of shape {tuple(shape[1:])} and the decoder's head makes "
            f"{tuple(image_shape)}. Give the head the images' shape [H, W, C]; grey images "
            "need a last axis of size 1: images[..., None]."
        )


def _images_alone(elements: Sequence[Any]) -> Any:
    images, *extra = elements if len(elements) else (None,)
    if any(value is not None for value in extra):
        refuse_extra(extra[0], extra[1] if len(extra) > 1 else None)
    return images


def named_arrays(x, fields):  # TODO
    import numpy as np

    if isinstance(x, dict):
        return {k: np.asarray(v, fields[k].dtype) for k, v in x.items()}
    name = next(iter(fields))
    return {name: np.asarray(x, fields[name].dtype)}
