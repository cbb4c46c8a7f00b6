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


def checked_inputs(x: Any, image_shape: Sequence[int], what: str) -> Any:
    """Returns x if it is images `[B, *image_shape]` in [0, 1]; data sets are checked as they run.

    Raises:
        ValueError: if shape, range or finiteness is wrong, or there is more than images.
    """
    if isinstance(x, tuple | list) and what == "validation_data":
        x = _images_alone(x)
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        if isinstance(spec, tuple | list):
            _images_alone(spec)
        return checked(x)
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        check_images(x, what)
        if tuple(x.shape[1:]) != tuple(image_shape):
            raise ValueError(
                f"{what} has images of shape {tuple(x.shape[1:])} and the decoder's head makes "
                f"{tuple(image_shape)}. Give the head the images' shape [H, W, C]; grey images "
                "need a last axis of size 1: images[..., None]."
            )
    return x


def _images_alone(elements: Sequence[Any]) -> Any:
    images, *extra = elements
    if any(value is not None for value in extra):
        refuse_extra(extra[0], extra[1] if len(extra) > 1 else None)
    return images
