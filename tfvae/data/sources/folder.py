"""A folder of PNG and JPEG images."""

import operator
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfvae.data.catalogue import NONE, DatasetSpec
from tfvae.data.fields import Field
from tfvae.data.resize import by_area
from tfvae.data.rows import Columns, FetchedRows, Rows
from tfvae.data.splits import Split, hold_out
from tfvae.errors import UserError
from tfvae.suggestions import nearest

if TYPE_CHECKING:
    import PIL.Image

TEST_FRACTION = 0.1
DECODED_ANEW_ABOVE = 1 << 29  # decoded; what is larger is decoded anew in every epoch
_SUFFIXES = (".png", ".jpg", ".jpeg")
_GREY, _COLOUR = ("1", "L"), ("RGB", "P")
_TRANSPARENT = {"LA": "L", "RGBA": "RGB", "PA": "P"}  # and what is left on a background
BACKGROUNDS = ("white", "black")


def read(
    path: Path,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
    background: str | None = None,
) -> Split:
    """Read the images of a folder and its subfolders, in the order of their paths.

    Where every image lies in a subfolder, its label is the subfolder's place in alphabetical order.
    A folder of grey images has one channel; as soon as one image has colour, all have three.

    Raises:
        UserError: no images, sizes that differ (without `size`), transparent images (without
            `background`), or a file that is no image.
    """
    if background not in (None, *BACKGROUNDS):
        raise UserError(
            f"background is {background!r}.{nearest(str(background), BACKGROUNDS)} Expected one of "
            f"{', '.join(BACKGROUNDS)}, or None."
        )
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not files:
        raise UserError(
            f"The folder {path} has no images; expected files ending in {', '.join(_SUFFIXES)}, in "
            "it or in its subfolders."
        )
    size = _check_size(size)
    shape = _common_shape(files, size, background)
    rows = {"x": _rows(files, shape, background)}
    if all(file.parent != path for file in files):
        rows["label"] = _labels([file.relative_to(path).parts[0] for file in files])
    columns = Columns(rows)
    spec = DatasetSpec(
        path.name, columns.fields, NONE, "folder", f"{len(files)} images of a folder"
    )
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    return hold_out(spec, columns, fraction, f"The folder {path}")


def _check_size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    try:
        height, width = (operator.index(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise UserError(f"size is {size!r}; expected (height, width) in pixels, such as (64, 64).")
    return height, width


def _common_shape(
    files: list[Path], size: tuple[int, int] | None, background: str | None
) -> tuple[int, int, int]:
    """The shape of all images, from their headers alone."""
    first = None
    channels = 1
    for file in files:
        with _opened(file) as image:
            mode, found = image.mode, (image.height, image.width)
            transparent = _is_transparent(image)
        if transparent and background is None:
            raise UserError(
                f"{file} is transparent ({mode}), and what is seen then depends on what lies "
                'behind. Pass background="white" or background="black".'
            )
        mode = _TRANSPARENT.get(mode, mode)
        if mode not in _GREY + _COLOUR:
            raise UserError(
                f"{file} has pixels of kind {mode!r}; expected 8-bit grey or RGB. Convert it first "
                "(16-bit and CMYK have no unique reading in [0, 1])."
            )
        channels = 3 if mode in _COLOUR else channels
        first = first or found
        if size is None and found != first:
            raise UserError(
                f"Images differ in size: {files[0]} is {first[0]}x{first[1]} and {file} is "
                f"{found[0]}x{found[1]} (height x width). Expected one size. Pass size=(H, W) to "
                "resize them all."
            )
    return (*(size or first), channels)


def _rows(files: list[Path], shape: tuple[int, int, int], background: str | None) -> Rows:
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())

    def fetch(indices: np.ndarray) -> np.ndarray:
        return np.stack(list(pool.map(lambda i: decode(files[i], shape, background), indices)))

    everything = np.arange(len(files))
    if len(files) * int(np.prod(shape)) <= DECODED_ANEW_ABOVE:
        with pool:
            return Rows(fetch(everything))
    return FetchedRows(fetch, everything, Field(shape), np.uint8)


def decode(file: Path, shape: tuple[int, int, int], background: str | None = None) -> np.ndarray:
    """One image, uint8 `[H, W, C]`; averaged over areas where it is made smaller.

    What is transparent shows the background.

    Raises:
        UserError: the file is truncated or damaged.
    """
    with _opened(file) as image:
        try:
            if _is_transparent(image):
                image = _laid_on(image, background)
            pixels = np.asarray(image.convert("L" if shape[2] == 1 else "RGB"), np.uint8)
        except (OSError, SyntaxError) as error:
            raise UserError(_unreadable(file, error)) from error
    return by_area(pixels.reshape(*pixels.shape[:2], shape[2]), *shape[:2])


def _is_transparent(image: "PIL.Image.Image") -> bool:
    return image.mode in _TRANSPARENT or "transparency" in image.info


def _laid_on(image: "PIL.Image.Image", background: str) -> "PIL.Image.Image":
    from PIL import Image

    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, background), image)


def _opened(file: Path) -> "PIL.Image.Image":
    from PIL import Image

    try:
        return Image.open(file)
    except PermissionError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(_unreadable(file, error)) from error


def _unreadable(file: Path, error: Exception) -> str:
    return (
        f"{file} cannot be read as an image ({type(error).__name__}: {error}). Expected a PNG or "
        "JPEG file; replace it or remove it from the folder."
    )


def _labels(groups: list[str]) -> Rows:
    """Numbers of the subfolders."""
    classes = {name: number for number, name in enumerate(sorted(set(groups)))}
    labels = np.array([classes[group] for group in groups], np.int32)
    return Rows(labels, Field.label(len(classes)))
