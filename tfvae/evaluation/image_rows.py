"""Images of several kinds, a row for each."""

import os
from collections.abc import Mapping

import numpy as np

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.evaluation.canvas import Picture, show


def image_rows(
    rows: Mapping[str, np.ndarray],
    title: str = "",
    columns: int = 10,
    save: str | os.PathLike | None = None,
) -> Picture:
    """Draws the first images of each kind in a row of their own, one below the other.

    Args:
        rows: Name -> images `[N, H, W, C]`, as many and as large in every row.
        title: Above them.
        columns: Images of a row, at most.
        save: Where to write the figure.

    Raises:
        UserError: for no rows, or rows of different shapes.
    """
    shapes = {np.shape(images) for images in rows.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 4:
        found = {name: np.shape(images) for name, images in rows.items()}
        raise UserError(f"image_rows() takes images [N, H, W, C] of one shape, received {found}.")
    columns = min(positive_int("columns", columns), next(iter(shapes))[0])
    sheet = np.concatenate([np.asarray(images[:columns]) for images in rows.values()])
    return show(sheet, columns, title, list(rows))[0].finish(save)
