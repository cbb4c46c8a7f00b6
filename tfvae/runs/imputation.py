"""Rows with holes that a run's model fills."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfvae import data
from tfvae.data.loaded import LoadedSet
from tfvae.data.missing import ENTRIES, SEEN
from tfvae.data.rows import Columns
from tfvae.data.sources import numpy_file, tables
from tfvae.data.standardising import mean_and_scale
from tfvae.errors import UserError
from tfvae.runs.files import write_text
from tfvae.runs.restoration import save_arrays, save_image_rows, shows_images
from tfvae.settings.settings import Settings
from tfvae.uses.imputation import impute

_TABLES, _ARRAYS = (".csv", ".parquet"), (".npy", ".npz")
_RESIDENT = 2**33  # bytes of a file that is read whole
_SHOWN, _DRAWN = 10, 3  # images of a picture, and random fillings of each
_TITLE = "Images with holes, and what may have been there"


class Holed(NamedTuple):
    """Rows of which some entries are missing, in the data's own units.

    Attributes:
        x: float64 `[N, *event]`, NaN where it is missing.
        names: Of the columns; empty where they have none.
        truth: What was there, if it is known.
    """

    x: np.ndarray
    names: Sequence[str] = ()
    truth: np.ndarray | None = None


def save_imputed(
    model: Any,
    settings: Settings,
    source: Path | None,
    path: Path,
    num_samples: int = 1000,
    imputations: int | None = None,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> None:
    """Writes rows with their holes filled, in the data's own units, and reports how many.

    Of images in `.npz` files a picture is drawn beside: the first of them with their holes, filled
    by expectations, and at random.

    Args:
        model: Of the run.
        settings: Of the run: columns that it standardises are brought to its units and back.
        source: A `.csv` or `.parquet` table with empty entries or NaN, or a `.npy` or `.npz` file
            with NaN or, in the latter, a mask `seen`; None for the run's held-out rows, whose holes
            it knows.
        path: Of a `.csv` file, rows as they came, each of M imputations after the other with its
            number in the first column; or of a `.npz` file with `x`, `seen` and, of several,
            `imputations`.
        num_samples: K, draws of z for each row.
        imputations: M, how many random fillings; None for the one by expectations.
        seed: Of the draws.
        report: Called with lines for people.

    Raises:
        UserError: for a file that can't be read, rows of another shape, or without any entry, or a
            model of rows without holes.
    """
    fields = model.fields()
    if SEEN not in fields:
        raise UserError(
            "tfvae impute is for runs of rows that are partly seen, and the run has a "
            f"{type(model).__name__}. Train one: tfvae train --model missing_data --missing 0.3."
        )
    shape = fields["x"].shape
    if path.suffix == ".csv" and len(shape) != 1:
        raise UserError(f"Examples of shape {shape} make no table: give --output a name.npz.")
    holed = _held_out(settings) if source is None else _read(source, shape)
    seen = ~np.isnan(holed.x)
    empty = np.flatnonzero(~seen.reshape(len(seen), -1).any(axis=1))
    if empty.size:
        raise UserError(
            f"Row {empty[0]} (counted from 0) of {source or 'the held-out rows'} has no entry at "
            "all, so that nothing is known of it. Leave it out."
        )
    mean, scale = _units(settings)
    x = np.where(seen, (holed.x - mean) / scale, 0.0).astype(np.float32)
    given = {"x": x, SEEN: seen.astype(np.float32)}
    found = impute(model, given, num_samples, imputations, seed)
    filled = np.where(seen, holed.x, found.astype(np.float64) * scale + mean)
    if path.suffix == ".csv":
        write_text(path, _as_csv(filled, holed.names, imputations))
    elif imputations is None:
        save_arrays(path, {"x": filled, SEEN: seen})
    else:
        save_arrays(path, {"x": filled.mean(axis=0), SEEN: seen, "imputations": filled})
    if path.suffix != ".csv" and shows_images(fields["x"]):
        drawn = impute(model, {n: v[:_SHOWN] for n, v in given.items()}, num_samples, _DRAWN, seed)
        expected = found if imputations is None else found.mean(axis=0)
        report(str(save_image_rows(path, _rows(given, holed.truth, expected, drawn), _TITLE)))
    report(f"filled {np.count_nonzero(~seen)} of {seen.size} entries of {len(seen)} rows")
    if holed.truth is not None and not seen.all():
        errors = ((filled - holed.truth) / scale)[np.broadcast_to(~seen, filled.shape)]
        error = float(np.sqrt(np.mean(np.square(errors))))
        of = "" if imputations is None else " of one of them"
        unit = "the columns' standard deviations" if scale.ndim else "the units of x"
        report(f"root mean squared error{of} {error:.4f} in {unit}")


def _rows(
    given: Mapping[str, np.ndarray],
    truth: np.ndarray | None,
    expected: np.ndarray,
    drawn: np.ndarray,
) -> dict[str, np.ndarray]:
    """Images by the names of their rows, grey where they have holes."""
    rows = {} if truth is None else {"truth": truth}
    rows |= {"seen": np.where(given[SEEN] > 0, given["x"], 0.5), "expected": expected}
    rows |= {f"filled {number + 1}": images for number, images in enumerate(drawn)}
    return {name: np.clip(images[:_SHOWN], 0.0, 1.0) for name, images in rows.items()}


def _held_out(settings: Settings) -> Holed:
    """The run's held-out rows: with the holes that it makes, and whole."""
    if settings.group("data").get("missing") is None:
        raise UserError(
            "The run's own data have their holes already, and what was there is not known. Give a "
            "file: tfvae impute RUN rows.csv."
        )
    whole = _columns(settings, missing=None, missing_pattern=ENTRIES)[1].read()
    holed = _columns(settings)[1].read()
    x = np.where(holed[SEEN] > 0, holed["x"], np.nan).astype(np.float64)
    return Holed(x, truth=whole["x"].astype(np.float64))


def _columns(settings: Settings, **changes: Any) -> tuple[Columns, Columns]:
    """The run's training and held-out rows in their own units."""
    options = {**settings.group("data"), "standardise": False, **changes}
    train, test = data.load(seed=settings["seed"], **options)
    assert isinstance(train, LoadedSet)
    assert isinstance(test, LoadedSet)
    return train.recipe.columns, test.recipe.columns


def _units(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """What a run shifts and scales its columns by: 0 and 1, of no column, where it does not."""
    if not settings.group("data").get("standardise"):
        return np.zeros(()), np.ones(())
    return mean_and_scale(_columns(settings)[0])


def _read(path: Path, shape: tuple[int, ...]) -> Holed:
    """Rows of a file, whose shape has to be the model's."""
    names: Sequence[str] = ()
    if path.suffix.lower() in _TABLES:
        names, x = tables.read_with_holes(path)
    elif path.suffix.lower() in _ARRAYS:
        x = _array(path)
    else:
        raise UserError(
            f"{path} is of no known kind; expected one of {', '.join(_TABLES + _ARRAYS)}."
        )
    if x.shape[1:] != shape or not len(x):
        raise UserError(
            f"{path} has the shape {x.shape}; expected (N, {', '.join(map(str, shape))}), rows as "
            "the run's own, with nothing or NaN where an entry is missing."
        )
    if np.isinf(x).any():
        raise UserError(f"{path} has an infinite entry. Expected numbers, and NaN for a hole.")
    return Holed(x, names)


def _array(path: Path) -> np.ndarray:
    """The numbers of a file of arrays, float64."""
    held = numpy_file.read(path, _RESIDENT)
    if isinstance(held, dict) and "x" not in held:
        raise UserError(f"{path} holds {', '.join(held) or 'nothing'}; expected an array x.")
    x = held["x"] if isinstance(held, dict) else held
    if x.dtype.kind not in "fiub":
        raise UserError(f"{path} has dtype {x.dtype}; expected numbers, NaN where one is not.")
    x = x.astype(np.float64)
    if not isinstance(held, dict) or SEEN not in held:
        return x
    seen = held[SEEN]
    if seen.shape != x.shape or not np.isin(seen, (0, 1)).all():
        raise UserError(
            f"{path} has a mask {SEEN} of shape {seen.shape} beside x of shape {x.shape}; expected "
            "ones and zeros of the same shape, 0 where an entry is missing."
        )
    return np.where(seen == 1, x, np.nan)


def _as_csv(filled: np.ndarray, names: Sequence[str], imputations: int | None) -> str:
    """Rows, or those of each imputation with its number in front."""
    names = [*names] or [f"x{column}" for column in range(filled.shape[-1])]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(["imputation"] if imputations else []), *names])
    for number, rows in enumerate(filled if imputations else filled[np.newaxis]):
        for row in rows.tolist():
            writer.writerow([*([number] if imputations else []), *row])  # whole, as they came
    return text.getvalue()
