"""One module a source, each with `read(...) -> Split`: checked columns.

Modules are imported when asked for: some need packages that are slow to import.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tfvae.data.catalogue import CATALOGUE, describe
from tfvae.data.splits import Split
from tfvae.errors import UserError, UserFileNotFoundError, UserTypeError

_FILES = {".npy": "files", ".npz": "files", ".csv": "tables", ".parquet": "tables"}
_KINDS = "a .npy, .npz, .csv or .parquet file or a folder of PNG or JPEG images"


def read(
    name_or_path: str | os.PathLike,
    test_fraction: float | None = None,
    size: tuple[int, int] | None = None,
    background: str | None = None,
    fields: Sequence[str] | None = None,
    optional: Sequence[str] = (),
) -> Split:
    """Find the source of a name or path, and read it. Arguments as for `tfvae.data.load`.

    Of the `fields` a table may lack those that are `optional`, too. Other sources read all columns
    that they have, whichever are asked for.

    Raises:
        UserTypeError: neither a name nor a path.
        UserError: an unknown name, with the nearest one, or whatever the source refuses.
        FileNotFoundError: no such file.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise UserTypeError(
            f"Received {type(name_or_path).__name__}; expected the name of a data set or a path. "
            "NumPy arrays go straight into fit, or into a file with np.save."
        )
    name = os.fspath(name_or_path)
    if not name:
        raise UserError(
            f"The name of the data set is empty. Expected one of {', '.join(CATALOGUE)}, or a path."
        )
    path = Path(name)
    if name not in CATALOGUE and path.is_dir():
        return _module("folder").read(path, test_fraction, size, background)
    for option, value in (("size", size), ("background", background)):
        if value is not None:
            raise UserError(
                f"{option}={value} is for folders of images; leave it out for {name!r}."
            )
    if name in CATALOGUE:
        spec = CATALOGUE[name]
        return _module(spec.source).read(spec, test_fraction)
    kind = _FILES.get(path.suffix.lower())
    if path.exists() and kind is None:
        raise UserError(f"{path} is not a kind of file that is read here; expected {_KINDS}.")
    if not path.exists():
        if kind or isinstance(name_or_path, os.PathLike) or os.sep in name:
            raise UserFileNotFoundError(f"No such file or folder: {path}. Expected {_KINDS}.")
        describe(name)  # which refuses: the name is not in the catalogue
    if kind == "tables":
        return _module(kind).read(path, test_fraction, fields, optional)
    return _module("files").read(path, test_fraction)


def _module(source: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{source}")
