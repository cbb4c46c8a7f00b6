"""Refuse pixels that are not images in [0, 1], with a message that says what to do."""

import numpy as np
import tensorflow as tf

from tfvae.data.pipeline import provenance

_CHUNK = 1 << 22  # values a look: bounds the temporaries to some 20 MB


def check_images(images: np.ndarray, what: str = "images") -> None:
    """Check that an array is a batch of images as the models take them: `[N, H, W, C]`, float, [0, 1].

    Args:
        images: a NumPy array, or what `np.asarray` makes one of.
        what: names the array in the message, such as "x".

    Raises:
        TypeError: not floating point.
        ValueError: wrong rank, empty, NaN or infinite pixels, or values outside [0, 1].
    """
    images = np.asarray(images)
    check_layout(images.shape, what)
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(
            f"{what} has dtype {images.dtype}; expected float32 pixels in [0, 1]. "
            + (
                "Divide bytes by 255: x.astype('float32') / 255."
                if images.dtype == np.uint8
                else "Convert it: x.astype('float32'), scaled to [0, 1]."
            )
        )
    check_range(images, what)


def check_layout(shape: tuple, what: str) -> None:
    """Refuse a shape other than `[N, H, W, C]` with at least one image and one pixel.

    Raises:
        ValueError: says how to reshape.
    """
    shape = tuple(shape)
    if len(shape) == 4:
        if 0 in shape:
            raise ValueError(
                f"{what} is empty: its shape is {shape}. Expected at least one image [N, H, W, C]."
            )
        return
    advice = {
        2: "Rows of flat images need their height and width back: x.reshape(-1, H, W, C).",
        3: "Grey images need a channel axis, x[..., None]; a single colour image a batch axis, x[None].",
    }.get(len(shape), "Reshape it to [N, H, W, C].")
    raise ValueError(
        f"{what} has rank {len(shape)} (shape {shape}); expected images [N, H, W, C]. {advice}"
    )


def check_range(images: np.ndarray, what: str) -> None:
    """Refuse floats that are not finite or not in [0, 1].

    Raises:
        ValueError: names the offending value and, where one is likely, its cause.
    """
    flat = images.reshape(-1)
    low, high = np.inf, -np.inf
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        least, most = part.min(), part.max()  # both propagate NaN
        if not (np.isfinite(least) and np.isfinite(most)):
            _refuse_non_finite(images, what)
        low, high = min(low, least), max(high, most)
    if low >= 0 and high <= 1:
        return
    if low >= 0 and 1 < high <= 255:
        advice = "They look like bytes 0..255: divide by 255."
    elif -1 <= low and high <= 1:
        advice = "They look scaled to [-1, 1]: use (x + 1) / 2."
    else:
        advice = "Scale them: (x - x.min()) / (x.max() - x.min())."
    raise ValueError(
        f"{what} has values from {low:.6g} to {high:.6g}; expected pixels in [0, 1]. {advice}"
    )


def _refuse_non_finite(images: np.ndarray, what: str) -> None:
    bad = ~np.isfinite(images)
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    raise ValueError(
        f"{what} has {int(bad.sum())} NaN or infinite values, the first ({images[place]}) at index "
        f"{place}; expected finite pixels in [0, 1]. Find where they arise, or drop those images: "
        "x[np.isfinite(x).all(axis=(1, 2, 3))]."
    )


def checked(dataset: tf.data.Dataset, what: str = "the data set") -> tf.data.Dataset:
    """A user's data set with each batch of images checked as it passes, on the host.

    What `tfvae.data.load` made was checked when it was read and is returned as it is; what `map` and
    the like made of that is checked again.

    Args:
        dataset: batches of images, or tuples whose first entry is one.
        what: names the data set in messages.

    Raises:
        TypeError, ValueError: at once for a dtype or rank that is known beforehand; while iterating,
            `tf.errors.InvalidArgumentError` with the text of `check_images` for a bad pixel.
    """
    if provenance(dataset) is not None:
        return dataset
    structure = dataset.element_spec
    spec = structure[0] if isinstance(structure, tuple) else structure
    if not isinstance(spec, tf.TensorSpec):
        raise TypeError(
            f"{what} yields {structure}; expected image batches, or tuples whose first entry is one."
        )
    if not spec.dtype.is_floating:
        check_images(np.zeros([1, 1, 1, 1], spec.dtype.as_numpy_dtype), what)
    if spec.shape.rank not in (None, 4):
        batched = " A tf.data.Dataset needs .batch(...) as well." if spec.shape.rank == 3 else ""
        try:
            check_layout(tuple(spec.shape), what)
        except ValueError as error:
            raise ValueError(f"{error}{batched}") from None

    def refuse(images):
        check_images(images, what)
        return np.int64(0)

    def check(*element):
        images = element[0]
        fine = tf.logical_and(tf.reduce_min(images) >= 0, tf.reduce_max(images) <= 1)
        fine = tf.logical_and(fine, tf.equal(tf.rank(images), 4))
        verdict = tf.cond(
            fine,
            lambda: tf.constant(0, tf.int64),
            lambda: tf.numpy_function(refuse, [images], tf.int64),
        )
        with tf.control_dependencies([verdict]):
            images = tf.identity(images)
        return (images, *element[1:]) if isinstance(structure, tuple) else images

    return dataset.map(check)
