"""What a model accepts as data, checked where it enters."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfvae.data.validate import check_images, checked


def refuse_extra(y: Any, sample_weight: Any) -> None:
    """Raises `ValueError` if there are targets or sample weights: they would have no effect."""
    if y is not None:
        raise ValueError(
            "The model learns from images alone and received targets y as well. Pass the images "
            "only: fit(images), or dataset.map(lambda image, label: image)."
        )
    if sample_weight is not None:
        raise ValueError(
            "sample_weight is not supported: the ELBO is a mean over examples. To weight examples, "
            "resample the data set (tf.data.Dataset.sample_from_datasets, or repeat rows)."
        )


def refuse_class_weight(class_weight: Any) -> None:
    """Raises `ValueError` if there are class weights: without targets they would have no effect."""
    if class_weight is not None:
        raise ValueError(
            f"class_weight={class_weight!r} is not supported: the model learns from images alone. "
            "To weight classes, repeat or resample their images."
        )


def checked_inputs(x: Any, image_shape: Sequence[int], what: str) -> Any:
    """Returns x if it is images `[B, *image_shape]` in [0, 1]; data sets are checked as they run.

    Raises:
        ValueError: if shape, range or finiteness is wrong, there is more than images, or nothing.
    """
    if isinstance(x, tuple | list) and what == "validation_data":
        x = _images_alone(x)
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        if isinstance(spec, tuple | list):
            spec = _images_alone(spec)
        if x.cardinality() == 0:
            raise ValueError(
                f"{what} is a data set without a single batch. With batch(drop_remainder=True) "
                "fewer images than a batch give none: use a smaller batch or keep the remainder."
            )
        checked_set = checked(x)
        _check_shape(spec.shape, image_shape, what)
        return checked_set
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        check_images(x, what)
        _check_shape(tf.TensorShape(x.shape), image_shape, what)
    return x


def _check_shape(shape: tf.TensorShape, image_shape: Sequence[int], what: str) -> None:
    if shape.rank is not None and not shape[1:].is_compatible_with(image_shape):
        raise ValueError(
            f"{what} has images of shape {tuple(shape[1:])} and the decoder's head makes "
            f"{tuple(image_shape)}. Give the head the images' shape [H, W, C]; grey images "
            "need a last axis of size 1: images[..., None]."
        )


def _images_alone(elements: Sequence[Any]) -> Any:
    images, *extra = elements
    if any(value is not None for value in extra):
        refuse_extra(extra[0], extra[1] if len(extra) > 1 else None)
    return images
