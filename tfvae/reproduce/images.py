"""Samples of the rows of a table, side by side.

A result holds its samples as text, so that a page and its pictures are made of results alone: grey
levels of images that stand side by side, a PNG in base64.
"""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfvae.errors import UserError
from tfvae.evaluation.canvas import Picture, tile
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable, Section

_ACROSS = 4.0  # inches of a panel's images
_DPI = 80


def images_as_text(images: np.ndarray) -> str:
    """Grey images `[N, H, W, 1]` in [0, 1], rounded to bytes, as a PNG in base64.

    Raises:
        UserError: for anything but grey images.
    """
    from PIL import Image

    if images.ndim != 4 or images.shape[-1] != 1:
        raise UserError(
            f"A row shows grey images [N, H, W, 1]; its samples have shape {images.shape}."
        )
    strip = np.concatenate(images[..., 0], axis=1)
    levels = np.rint(255 * np.clip(strip, 0.0, 1.0)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def images_of_text(text: str, count: int) -> np.ndarray:
    """The images of `images_as_text`, float32 `[N, H, W, 1]`, of which there are `count`."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        strip = np.asarray(picture, np.float32) / 255.0
    return np.stack(np.split(strip, count, axis=1))[..., np.newaxis]


def draw_images(
    table: ComparisonTable, results: Mapping[str, Sequence[RowResult]], path: Path
) -> None:
    """Draws the samples of each row that has some, a panel for each section.

    Args:
        table: Its rows.
        results: Row -> its runs; one at least has images.
        path: Of the picture, `.png`; `shown_images` is its description.
    """
    from PIL import Image, PngImagePlugin

    panels = [
        (section.title, sheets)
        for section in table.sections
        if (sheets := _of_section(section, results))
    ]
    heights = [0.3 + _ACROSS * _rows_high(sheets) for _, sheets in panels]
    figure = Picture(figsize=(_ACROSS + 2.2, sum(heights) + 0.2))
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, sheets) in zip(grid, panels, strict=True):
        columns = len(next(iter(sheets.values())))
        axes.imshow(tile(np.concatenate([*sheets.values()]), columns), interpolation="nearest")
        axes.set_title(title, fontsize=9, loc="left")
        bottom, top = axes.get_ylim()
        step = (bottom - top) / len(sheets)
        axes.set_yticks([top + (n + 0.5) * step for n in range(len(sheets))], sheets, fontsize=8)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    buffer = io.BytesIO()
    figure.write(buffer, dpi=_DPI, format="png")
    described = PngImagePlugin.PngInfo()
    described.add_text("Description", shown_images(results))
    with Image.open(buffer) as picture:  # grey takes a third of the colours' room
        picture.convert("L").save(path, "PNG", optimize=True, pnginfo=described)


def shown_images(results: Mapping[str, Sequence[RowResult]]) -> str:
    """What a picture of these results says of itself, JSON: when each row's run was finished."""
    return json.dumps(
        {run.row: run.finished for runs in results.values() for run in runs if run.images}
    )


def _of_section(
    section: Section, results: Mapping[str, Sequence[RowResult]]
) -> dict[str, np.ndarray]:
    """Row -> its images."""
    return {
        row.name: images_of_text(run.images, row.num_images)
        for row in section.rows
        for run in results[row.name]
        if run.images
    }


def _rows_high(sheets: Mapping[str, np.ndarray]) -> float:
    """The height of all rows of images, in widths of one."""
    count, height, width, _ = next(iter(sheets.values())).shape
    return len(sheets) * height / (count * width)
