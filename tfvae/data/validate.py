"""Refuse pixels that are not images in [0, 1], with a message that says what to do."""

import numpy as np
import tensorflow as tf

from tfvae.data.epochs import provenance
from tfvae.errors import UserError, UserTypeError

_CHUNK = 1 << 22  # values a look: bounds the temporaries to some 20 MB


def check_images(images: np.ndarray, what: str = "images") -> None:
    """Check that an array is images as the models take them: `[N, H, W, C]`, floats in [0, 1].

    Args:
        images: a NumPy array, or what `np.asarray` makes one of.
        what: names the array in the message, such as "x".

    Raises:
        TypeError: not floating point.
        ValueError: wrong rank, empty, NaN or infinite pixels, or values outside [0, 1].
    """
    images = np.asarray(images)
    check_layout(images.shape, what)
    check_floating(images.dtype, what)
    check_range(images, what)


def check_layout(shape: tuple, what: str) -> None:
    """Refuse a shape other than `[N, H, W, C]` with at least one image and one pixel.

    Raises:
        ValueError: says how to reshape.
    """
    shape = tuple(shape)
    if len(shape) == 4 and 0 not in shape:
        return
    if 0 in shape:
        raise UserError(
            f"{what} is empty: its shape is {shape}. Expected at least one image, [N, H, W, C]."
        )
    advice = {
        2: "Rows of flat images need their height and width back: x.reshape(-1, H, W, C).",
        3: "Grey images need a channel axis, x[..., None]; one colour image a batch axis, x[None].",
    }.get(len(shape), "Reshape it to [N, H, W, C].")
    raise UserError(
        f"{what} has rank {len(shape)} (shape {shape}); expected images [N, H, W, C]. {advice}"
    )


def check_floating(dtype: np.dtype, what: str) -> None:
    """Refuse whole numbers: whether 1 is black or white among them cannot be told.

    Raises:
        TypeError: says how to convert.
    """
    if np.issubdtype(dtype, np.floating) or dtype == tf.bfloat16.as_numpy_dtype:
        return
    advice = "Convert it: x.astype('float32'), scaled to [0, 1]."
    if dtype == np.uint8:
        advice = "Divide bytes by 255: x.astype('float32') / 255."
    raise UserTypeError(f"{what} has dtype {dtype}; expected float32 pixels in [0, 1]. {advice}")


def check_range(images: np.ndarray, what: str) -> None:
    """Refuse floats that are not finite or not in [0, 1].

    Raises:
        ValueError: names the offending values and, where one is likely, their cause.
    """
    flat = images.reshape(-1)
    low, high = np.inf, -np.inf
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        least, most = part.min(), part.max()  # both propagate NaN
        if not (np.isfinite(least) and np.isfinite(most)):
            _refuse_non_finite(images, what)
        low, high = min(low, float(least)), max(high, float(most))
    if low >= 0 and high <= 1:
        return
    if low >= -1e-3 and high <= 1 + 1e-3:
        advice = "They miss it by a rounding error: use x.clip(0, 1)."
    elif low >= 0 and 2 <= high <= 255:
        advice = "They look like bytes 0..255: divide by 255."
    elif low >= -1 and high <= 1:
        advice = "They look scaled to [-1, 1]: use (x + 1) / 2."
    else:
        advice = "Scale them: (x - x.min()) / (x.max() - x.min())."
    raise UserError(
        f"{what} has values from {low:.9g} to {high:.9g}; expected pixels in [0, 1]. {advice}"
    )


def _refuse_non_finite(images: np.ndarray, what: str) -> None:
    bad = ~np.isfinite(images)
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    raise UserError(
        f"{what} has {int(bad.sum())} NaN or infinite values, the first ({images[place]}) at index "
        f"{place}; expected finite pixels in [0, 1]. Find where they arise, or drop those images: "
        "x[np.isfinite(x).all(axis=(1, 2, 3))]."
    )


def checked(dataset: tf.data.Dataset, what: str = "the data set") -> tf.data.Dataset:
    """A user's data set whose batches of images are checked as they pass, on the host.

    What `tfvae.data.load` made was checked when it was read and is returned as it is; what `map`
    and the like made of that is checked again. 128 images of 784 pixels cost some 50 microseconds.

    Args:
        dataset: batches of images, or tuples whose first entry is one.
        what: names the data set in messages.

    Raises:
        TypeError: at once, for elements that are not floating-point tensors.
        ValueError: at once, for a rank other than 4.
        tf.errors.InvalidArgumentError: while iterating, with the text of `check_images`.
    """
    if provenance(dataset) is not None:
        return dataset
    structure = dataset.element_spec
    paired = isinstance(structure, tuple) and len(structure) > 0
    _check_spec(structure[0] if paired else structure, what)

    def check(*element):
        images = element[0]
        with tf.control_dependencies([_in_range(images, what)]):
            images = tf.identity(images)
        return (images, *element[1:]) if paired else images

    return dataset.map(check)


def _check_spec(spec, what: str) -> None:
    """Refuse what is known to be wrong before the first batch is made."""
    if not isinstance(spec, tf.TensorSpec):
        raise UserTypeError(
            f"{what} yields {spec}; expected batches of images, or tuples whose first entry is one."
        )
    check_floating(np.dtype(spec.dtype.as_numpy_dtype), what)
    if spec.shape.rank == 3:
        raise UserError(
            f"{what} yields tensors of rank 3 (shape {spec.shape}); expected batches of images "
            "[B, H, W, C]. Single images need .batch(batch_size); grey images need a channel axis, "
            ".map(lambda x: x[..., None])."
        )
    if spec.shape.rank not in (None, 4):
        check_layout(tuple(spec.shape), what)


def _in_range(images: tf.Tensor, what: str) -> tf.Operation:
    """An operation that fails with the text of `check_images` unless all pixels are in [0, 1]."""

    def explain(array) -> bytes:
        try:
            check_images(array, what)
        except (TypeError, ValueError) as error:
            return str(error).encode()
        return b""

    def refuse():
        text = tf.numpy_function(explain, [images], tf.string)
        with tf.control_dependencies([tf.debugging.Assert(tf.equal(text, ""), [text])]):
            return tf.constant(False)

    # NaN compares as false with everything, and both reductions propagate it.
    fine = (tf.reduce_min(images) >= 0) & (tf.reduce_max(images) <= 1) & (tf.rank(images) == 4)
    return tf.cond(fine, lambda: tf.constant(True), refuse).op
