"""`load` and `arrays`: what users call."""

import os

import numpy as np
import tensorflow as tf

from tfvae.data import epochs, pipeline, sources
from tfvae.data.binarisation import check_name
from tfvae.data.catalogue import DYNAMIC, STATIC
from tfvae.data.images import ImageArrays
from tfvae.errors import UserError, UserTypeError


def load(
    name_or_path: str | os.PathLike,
    batch_size: int = 128,
    binarisation: str | None = None,
    seed: int = 0,
    *,
    first_epoch: int = 0,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
    drop_remainder: bool = False,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Training and test images as `tf.data` pipelines, ready for `fit` and `evaluate`.

    Each iteration over the training set is one epoch, shuffled anew. Order and noise of epoch e are
    functions of (seed, e), and of nothing else: a run that was killed and goes on with
    `load(..., first_epoch=e)` and `fit(..., initial_epoch=e)` sees the batches that it would have
    seen. An iteration that is dropped before its end (and before 16 batches) counts as a look, and
    the next one shows the same epoch. (With `steps_per_epoch`, Keras counts epochs of its own:
    `first_epoch` counts the data's.) The test set is always in stored order and its bits are drawn
    once from a fixed seed, whatever `seed` is, so that runs are comparable.

    Args:
        name_or_path: a name of `tfvae.data.names()`, a `.npy` or `.npz` file, or a folder of PNG
            and JPEG images. A path that is spelt like a name needs a leading "./".
        batch_size: at least 1. The last batch of an epoch is smaller where the count does not
            divide, and a set with fewer images than a batch is one small batch, as in Keras:
            every image counts in every epoch.
        binarisation: "dynamic" (fresh bits each time an image is shown), "static" (training bits
            drawn once from `seed`) or "none" (grey levels). None takes the default: dynamic for
            the named data sets, none for files, folders and `binarized_mnist`, which has bits.
        seed: of the order and of the training bits; from 0 to 2^32 - 1, as in Keras.
        first_epoch: the epoch that the first iteration shows, from 0.
        test_fraction: share of the images that are held out, for sources that have no test set;
            default 0.2 for digits, 0.1 for files and folders. The same images for all seeds.
        size: `(H, W)` to which a folder's images are resized; needed where they differ in size.
        drop_remainder: leave out the last, smaller batch of each training epoch (other images
            each time), so that all batches have one size and XLA compiles one program.

    Returns:
        `(train, test)`: float32 `[B, H, W, C]` in [0, 1].

    Raises:
        ValueError: an unknown name (with the nearest one) or option, or unusable pixels.
        FileNotFoundError: no such file, or a data set that is neither prepared nor reachable.

    Example:
        >>> train, test = load("digits", batch_size=32)
        >>> next(iter(train)).shape
        TensorShape([32, 8, 8, 1])
    """
    batch_size = _whole("batch_size", batch_size, 1)
    seed, first_epoch = _whole("seed", seed, 0), _whole("first_epoch", first_epoch, 0)
    binarisation = None if binarisation is None else check_name(binarisation)
    split = sources.read(name_or_path, test_fraction, size)
    binarisation = binarisation or split.spec.binarisation
    if drop_remainder and len(split.train) < batch_size:
        raise UserError(
            f"{name_or_path} has {len(split.train)} training images, fewer than batch_size="
            f"{batch_size}, and drop_remainder=True would leave none. Use a batch_size of at most "
            f"{len(split.train)}, or drop_remainder=False."
        )
    counter = epochs.EpochCounter(first_epoch)
    train = epochs.Provenance(split.train, binarisation, seed, batch_size, drop_remainder, counter)
    held_out = STATIC if binarisation == DYNAMIC else binarisation
    test = epochs.Provenance(split.test, held_out, pipeline.TEST_SEED, batch_size)
    return pipeline.training_set(pipeline.frozen(train)), pipeline.held_out_set(
        pipeline.frozen(test)
    )


def arrays(
    name_or_path: str | os.PathLike,
    *,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
) -> ImageArrays:
    """The same images as NumPy arrays with their labels, neither scaled nor binarised.

    For pictures and scatter plots. All pixels are read into memory.

    Args:
        name_or_path: as for `load`.
        test_fraction: as for `load`.
        size: as for `load`.

    Returns:
        `ImageArrays`: `train` and `test` `[N, H, W, C]`, uint8 or float32, and their labels, int64
        `[N]` or None.

    Raises:
        ValueError, TypeError, FileNotFoundError: as `load`.
    """
    split = sources.read(name_or_path, test_fraction, size)
    train, test = (rows.read(np.arange(len(rows))) for rows in (split.train, split.test))
    return ImageArrays(split.spec, train, test, split.train_labels, split.test_labels)


def mean_image(dataset: tf.data.Dataset) -> np.ndarray:
    """Mean of the images, float32 `[H, W, C]` in [0, 1], for the output bias.

    For a data set of `load` it is the mean of what is stored: grey levels for "dynamic" and "none",
    bits for "static". Any other data set of image batches is iterated over once.

    Raises:
        ValueError: the data set is empty.
    """
    source = epochs.provenance(dataset)
    if source is not None:
        return source.rows.mean()
    total, count = 0.0, 0
    for batch in dataset:
        images = batch[0] if isinstance(batch, tuple) else batch
        total, count = total + np.sum(images, axis=0, dtype=np.float64), count + len(images)
    if not count:
        raise UserError("The data set is empty; expected at least one batch of images.")
    return (total / count).astype(np.float32)


def _whole(what: str, value, least: int, most: int = 2**32 - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UserTypeError(
            f"{what} is {value!r} ({type(value).__name__}); expected a whole number."
        )
    if not least <= value <= most:
        raise UserError(f"{what} is {value}; expected {least} or more, up to 2^32 - 1.")
    return int(value)
