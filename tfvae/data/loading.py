"""`load` and `arrays`: what users call."""

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE
from tfvae.data import pipeline, sources
from tfvae.data.binarisation import check_name
from tfvae.data.catalogue import DYNAMIC, NONE, STATIC
from tfvae.data.dequantising import (
    MOST_LEVELS,
    check_levels,
    dequantised_mean,
    level_volume,
)
from tfvae.data.epochs import EpochCounter
from tfvae.data.few_labels import with_few_labels
from tfvae.data.fields import check_field_names, listed
from tfvae.data.hiding import hiding, made_by
from tfvae.data.labelled_batches import labelled_batches
from tfvae.data.loaded import LoadedSet, Recipe
from tfvae.data.missing import SEEN
from tfvae.data.rows import Columns
from tfvae.data.splits import Arrays
from tfvae.data.standardising import standardised
from tfvae.errors import UserError, UserTypeError
from tfvae.suggestions import nearest


def load(
    name_or_path: str | os.PathLike,
    batch_size: int = 128,
    binarisation: str | None = None,
    seed: int = 0,
    *,
    fields: Sequence[str] | None = None,
    labels: int | None = None,
    labelled_per_batch: int | None = None,
    first_epoch: int = 0,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
    background: str | None = None,
    standardise: bool = False,
    dequantise: int | None = None,
    missing: float | None = None,
    missing_pattern: Literal["entries", "block", "large"] = "entries",
    quadrants: int | None = None,
    low_resolution: int | None = None,
    drop_remainder: bool = False,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Training and test examples as `tf.data` pipelines, ready for `fit` and `evaluate`.

    Each iteration over the training set is one epoch, shuffled anew. Order and noise of epoch e are
    functions of (seed, e), and of nothing else: a run that was killed and goes on with
    `load(..., first_epoch=e)` and `fit(..., initial_epoch=e)` sees the batches that it would have
    seen. An iteration that is dropped before its end (and before 16 batches) counts as a look, and
    the next one shows the same epoch. (With `steps_per_epoch`, Keras counts epochs of its own:
    `first_epoch` counts the data's.) The test set is always in stored order and its bits are drawn
    once from a fixed seed, whatever `seed` is, so that runs are comparable.

    Args:
        name_or_path: a name of `tfvae.data.names()`; a `.npy`, `.npz`, `.csv` or `.parquet` file;
            or a folder of PNG and JPEG images. A path that is spelt like a name needs a leading
            "./".
        batch_size: at least 1. The last batch of an epoch is smaller where the count does not
            divide, and a set with fewer rows than a batch is one small batch, as in Keras: every
            example counts in every epoch.
        binarisation: of the pixels of x: "dynamic" (fresh bits each time an image is shown),
            "static" (training bits drawn once from `seed`) or "none" (grey levels). None takes the
            default: dynamic for the named data sets, none for files, folders and
            `binarized_mnist`, which has bits.
        seed: of the order and of the training bits; from 0 to 2^32 - 1, as in Keras.
        fields: names of columns, such as ("x", "label"): batches are then dicts by name. None
            (default): batches are the bare tensor x. `x` is the images, the only array of a file,
            or the vector of a table's numeric columns that are not named themselves; `label` are
            the classes, for a folder its subfolders in alphabetical order; a file's other arrays
            or columns go by their own names.
        labels: how many training examples keep their label, as many of each class as of any other,
            chosen by `seed`; the others have -1, unknown. Held-out examples keep theirs. None
            (default): all.
        labelled_per_batch: how many rows of each training batch have a label, from 1 to
            batch_size - 1, for data of which few have: all batches are full, an epoch shows each
            row without a label once (some twice, to fill the last batch) and the labelled ones go
            round, as often as that takes. `SemiSupervisedVAE` weighs rows so that its loss stays
            that of the data. None (default): an epoch shows each row once, labelled or not.
        first_epoch: the epoch that the first iteration shows, from 0.
        test_fraction: share of the rows that are held out, for sources that have no test set;
            default 0.2 for digits, 0.1 for files and folders. The same rows for all seeds.
        size: `(H, W)` to which a folder's images are resized; needed where they differ in size.
        background: "white" or "black": what is seen behind the transparent images of a folder,
            which are refused without it.
        standardise: of tables: each entry of x less its mean over the training rows, in units of
            its standard deviation over these. Models then report densities in those units, runs
            and `tfvae evaluate` those of x as it is: `tfvae.data.log_jacobian` is the difference.
        dequantise: of images, the number L of their levels, 256 of bytes and 17 of the digits: x is
            (k + u) / L for a level k of 0 .. L - 1 and fresh uniform noise u each time an image is
            shown, held-out images have theirs once. Densities then have the unit of a level, and
            their mean is a lower bound of the log-probability of levels; runs and `tfvae evaluate`
            report that, `tfvae.data.log_jacobian` is the difference.
        missing: share of the entries of x that are taken away, for models of
            rows that are partly seen: between 0 and 1. x is 0 there, and a column `seen` is 1 where
            it is not; at least one entry of each example stays. Training examples lose theirs by
            `seed`, held-out ones by a fixed one. With `standardise`, what is seen decides.
        missing_pattern: which entries `missing` takes: "entries" (default) completely at random;
            "block", of images a rectangle of that share of the pixels, at a random place; "large",
            in that share of the columns (of the pixels, from the top) all that is above its mean:
            missing because of what it is, which a model of data missing at random gets wrong.
        quadrants: of images, how many of their four quadrants are given, 1 to 3 (the bottom left,
            the left half, all but the top right), for models of the rest: a column `visible` is x
            with 1/2 in the rest, `counted` is 1 in the rest and 0 elsewhere. Both are made of the
            bits that x has in the same batch.
        low_resolution: of images, a number f from 2 on that divides their height and width, for
            super-resolution: a column `low` holds the means of blocks of f x f pixels, made of the
            bits or grey levels that x has in the same batch.
        drop_remainder: leave out the last, smaller batch of each training epoch (other rows each
            time), so that all batches have one size and XLA compiles one program.

    Returns:
        `(train, test)`: of x `[B, *shape]` as float32, pixels in [0, 1], or of dicts by name.
        `tfvae.data.fields_of` says what the columns are.

    Raises:
        UserError: an unknown name (with the nearest one) or option, or unusable values.
        FileNotFoundError: no such file, or a data set that is neither prepared nor reachable.

    Example:
        >>> train, test = load("digits", batch_size=32)
        >>> next(iter(train)).shape
        TensorShape([32, 8, 8, 1])
        >>> train, test = load("digits", batch_size=32, fields=("x", "label"))
        >>> next(iter(train))["label"].shape
        TensorShape([32])
    """
    batch_size = _whole("batch_size", batch_size, 1, LARGEST_SIZE)
    seed, first_epoch = _whole("seed", seed, 0), _whole("first_epoch", first_epoch, 0)
    binarisation = None if binarisation is None else check_name(binarisation)
    names = None if fields is None else check_field_names(fields)
    hidden = hiding(missing, quadrants, low_resolution, dequantise, names, missing_pattern)
    names = hidden.names
    split = sources.read(name_or_path, test_fraction, size, background, hidden.stored)
    rows, held_out_rows = (
        _chosen(part, hidden.stored or ("x",), name_or_path) for part in (split.train, split.test)
    )
    if labels is not None:
        rows = with_few_labels(rows, _whole("labels", labels, 1), seed, name_or_path)
    labelled = None
    if labelled_per_batch is not None:
        count = _whole("labelled_per_batch", labelled_per_batch, 1)
        labelled = labelled_batches(rows, count, batch_size, name_or_path)
    rows = hidden.applied(rows, seed, name_or_path)
    held_out_rows = hidden.applied(held_out_rows, pipeline.TEST_SEED, name_or_path)
    levels, default = None, split.spec.binarisation
    if dequantise is not None:
        levels, default = _whole("dequantise", dequantise, 2, MOST_LEVELS), NONE
        check_levels((rows, held_out_rows), levels, binarisation, name_or_path)
    binarisation, change = _binarisation(binarisation, default, rows), 0.0
    if levels is not None:
        change = level_volume(rows.fields["x"].shape, levels)
    changes = (change, change)
    if standardise:
        rows, held_out_rows, changes = standardised(rows, held_out_rows, name_or_path)
    if drop_remainder and len(rows) < batch_size:
        raise UserError(
            f"{name_or_path} has {len(rows)} training examples, fewer than batch_size="
            f"{batch_size}, and drop_remainder=True would leave none. Use a batch_size of at most "
            f"{len(rows)}, or drop_remainder=False."
        )
    bare, counter = names is None, EpochCounter(first_epoch)
    train = Recipe(
        rows,
        binarisation,
        seed,
        batch_size,
        drop_remainder,
        bare,
        counter,
        changes[0],
        levels,
        hidden.derived,
        hidden.made,
        labelled=labelled,
    )
    held_out = STATIC if binarisation == DYNAMIC else binarisation
    test = Recipe(
        held_out_rows,
        held_out,
        pipeline.TEST_SEED,
        batch_size,
        bare=bare,
        log_jacobian=changes[1],
        levels=levels,
        derived=hidden.derived,
        made=hidden.made,
    )
    return pipeline.training_set(pipeline.frozen(train)), pipeline.held_out_set(
        pipeline.frozen(test)
    )


def _chosen(columns: Columns, names: Sequence[str], source: str | os.PathLike) -> Columns:
    """The columns of these names."""
    for name in names:
        if name not in columns.rows:
            raise UserError(
                f"{source} has no column {name!r}.{nearest(name, columns.rows)} It has "
                f"{listed(columns.fields)}: choose with fields=(...).{made_by(name)}"
            )
    return Columns({name: columns.rows[name] for name in names})


def _binarisation(asked: str | None, default: str, columns: Columns) -> str:
    """The binarisation of the column x, which is refused where that has no pixels."""
    x = columns.fields.get("x")
    if x is not None and x.of_pixels:
        return asked or default
    if asked not in (None, NONE):
        found = "no column x is loaded" if x is None else f"x has {x.values}"
        raise UserError(
            f'binarisation is {asked!r}, which is for pixels in [0, 1], and {found}. Use "none".'
        )
    return NONE


def arrays(
    name_or_path: str | os.PathLike,
    *,
    fields: Sequence[str] | None = None,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
    background: str | None = None,
) -> Arrays:
    """The same columns as NumPy arrays, neither scaled nor binarised.

    For pictures and scatter plots. All rows are read into memory.

    Args:
        name_or_path: as for `load`.
        fields: as for `load`; None takes all columns that there are.
        test_fraction: as for `load`.
        size: as for `load`.
        background: as for `load`.

    Returns:
        `Arrays`: `train` and `test`, name -> `[N, *shape]`: x as uint8 or float32, labels as int32.

    Raises:
        ValueError, TypeError, FileNotFoundError: as `load`.
    """
    names = None if fields is None else check_field_names(fields)
    split = sources.read(name_or_path, test_fraction, size, background, names)
    train, test = (
        _chosen(part, names or tuple(part.rows), name_or_path).read()
        for part in (split.train, split.test)
    )
    return Arrays(split.spec, train, test)


def first_examples(dataset: tf.data.Dataset, count: int) -> Any:
    """The first so many examples of a data set of batches, or all there are; bare or by name."""
    batches, found = [], 0
    for batch in dataset.as_numpy_iterator():
        batches.append(batch)
        found += len(tf.nest.flatten(batch)[0])
        if found >= count:
            break
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts)[:count], *batches)


def mean(dataset: tf.data.Dataset, field: str = "x") -> np.ndarray:
    """Mean of a field over the examples, float32 `[*shape]`, for the output bias.

    For a data set of `load` it is the mean of what is stored: grey levels for "dynamic" and "none",
    bits for "static"; with `dequantise` that of the noise is added. Any other data
    set of batches is iterated over once. With `missing` it is that of what is seen.

    Args:
        dataset: of bare batches, of tuples whose first entry is one, or of dicts by name.
        field: which one, where batches are dicts.

    Raises:
        UserError: the data set is empty, or lacks the field.
    """
    if isinstance(dataset, LoadedSet):
        recipe = dataset.recipe
        stored = _chosen(recipe.columns, (field,), "The data set").rows[field].mean()
        if field == "x" and recipe.levels is not None:
            return dequantised_mean(stored, recipe.levels)
        if field == "x" and SEEN in recipe.columns.rows:  # x is 0 where it is not seen
            seen = recipe.columns.rows[SEEN].mean()
            return np.divide(stored, seen, out=np.zeros_like(stored), where=seen > 0)
        return stored
    total: Any = 0.0
    count = 0
    for batch in dataset:
        batch = batch[0] if isinstance(batch, tuple) else batch
        values = batch[field] if isinstance(batch, dict) else batch
        total, count = total + np.sum(values, axis=0, dtype=np.float64), count + len(values)
    if not count:
        raise UserError("The data set is empty; expected at least one batch.")
    return (total / count).astype(np.float32)


def _whole(what: str, value: Any, least: int, most: int = 2**32 - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UserTypeError(
            f"{what} is {value!r} ({type(value).__name__}); expected a whole number."
        )
    if not least <= value <= most:
        raise UserError(f"{what} is {value}; expected {least} or more, up to {most:,}.")
    return int(value)
