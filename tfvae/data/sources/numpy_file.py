"""Reading `.npy` and `.npz` files that may be damaged or hostile."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from tfvae.errors import UserError


def read(path: Path, resident_bytes: int) -> np.ndarray | dict[str, np.ndarray]:
    """What the file holds: one array, or the arrays of an archive by name.

    A `.npy` of more than `resident_bytes` is mapped.

    Raises:
        UserError: corrupt, of another format, or a pickle.
    """
    alone = path.suffix.lower() == ".npy"
    try:
        with path.open("rb") as file:  # opened here: NumPy leaves it open when it gives up
            begin = file.read(4)
            if not (b"\x93NUMPY" if alone else b"PK").startswith(begin[: 4 if alone else 2]):
                raise ValueError(f"it begins with {begin!r}")
            file.seek(0)
            if not alone:
                with np.load(file, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
            if path.stat().st_size <= resident_bytes:
                return np.load(file, allow_pickle=False)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise
    except (ValueError, EOFError, OSError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    if "allow_pickle" in str(error) or "Python objects" in str(error):
        return (
            f"{path} holds Python objects (a pickle), which can run code when read, so it is not "
            "read. Expected a plain array of numbers: np.save(path, np.stack(images))."
        )
    return (
        f"{path} cannot be read as a {path.suffix} file ({type(error).__name__}: {error}). It may "
        "be truncated or of another format. Write it again with np.save or np.savez."
    )
