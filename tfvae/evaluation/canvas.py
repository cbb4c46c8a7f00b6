"""What the pictures share: tiled images, and a matplotlib figure that needs no window."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_INCHES = 0.6  # of a tile
_GAP = 0.08  # between tiles, as a share of a tile's smaller side


class Picture(Figure):
    """A matplotlib figure that shows itself in a notebook, whatever the backend.

    It is made without `matplotlib.pyplot`: no window opens and no global state changes, so that
    pictures can be drawn on a server and from a callback's thread.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **{**kwargs, "layout": "constrained", "dpi": 150})

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.write(buffer, format="png")
        return buffer.getvalue()

    def write(self, target: Any, **kwargs: Any) -> None:
        """Saves the figure, cut to what is drawn: long names of rows are not cut off."""
        self.savefig(target, bbox_inches="tight", pad_inches=0.05, **kwargs)

    def finish(self, save: str | os.PathLike | None) -> "Picture":
        """Writes the figure where a path is given, making its folder; returns the figure."""
        if save is not None:
            path = Path(save)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.write(path)
        return self


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """Lays images out in rows on white, with a gap between them.

    Args:
        images: `[N, H, W, C]` in [0, 1], C = 1 or 3 (others show their first channel).
        columns: Images in a row, at least 1; the last row is filled with white.

    Returns:
        float32 `[rows (H + gap) - gap, columns (W + gap) - gap, 3]`.
    """
    images = np.clip(np.asarray(images, np.float32), 0.0, 1.0)
    if images.shape[-1] != 3:
        images = np.repeat(images[..., :1], 3, axis=-1)
    count, height, width, _ = images.shape
    rows, gap = -(-count // columns), _gap(height, width)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.float32)
    for number, image in enumerate(images):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def show(
    images: np.ndarray,
    columns: int,
    title: str,
    row_names: Sequence[str] = (),
) -> tuple[Picture, Axes]:
    """Returns a figure of tiled images with a title and, if given, names of the rows; its axes."""
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    across = columns * _INCHES * width / height + (1.2 if row_names else 0.1)
    figure = Picture(figsize=(max(across, 3.0), rows * _INCHES + 0.4))
    axes = figure.subplots()
    axes.imshow(tile(images, columns), interpolation="nearest")
    axes.set_title(title, fontsize=9)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    step = height + _gap(height, width)
    places = [row * step + (height - 1) / 2 for row in range(len(row_names))]
    axes.set_yticks(places, row_names, fontsize=8)
    axes.tick_params(length=0)
    return figure, axes


def _gap(height: int, width: int) -> int:
    return max(1, round(_GAP * min(height, width)))
