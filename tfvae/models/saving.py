"""Saving a model, and reading weights into one: refused before anything is written or changed."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

from tfvae.errors import UserError, UserFileNotFoundError, UserRuntimeError
from tfvae.models.configuration import check_config


class Saves(keras.Model):
    """A model whose files can be read again, and that takes weights of its own architecture."""

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Writes a `.keras` file; see `keras.Model.save`.

        Raises:
            UserError: for another kind of file, or a part that could not be loaded again.
        """
        path = Path(filepath)
        if path.suffix in (".h5", ".hdf5"):
            raise UserError(
                f"{path}: HDF5 files hold no models of this kind. Expected save"
                f"('{path.with_suffix('.keras').name}'), or save_weights"
                f"('{path.stem.removesuffix('.weights')}.weights.h5') for the weights alone."
            )
        if path.suffix != ".keras" and kwargs.get("zipped") is not False:
            raise UserError(
                f"{path}: expected a name that ends in .keras, such as {path / 'model.keras'}. For "
                "a folder that TensorFlow Serving reads, tfvae.export.saved_model(model, folder)."
            )
        if not path.parent.is_dir() and "://" not in str(filepath):
            raise UserFileNotFoundError(f"{path}: there is no folder {path.parent}. Make it first.")
        check_config(self)
        super().save(filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads weights of the same architecture; see `keras.Model.load_weights`.

        Raises:
            UserRuntimeError: if the model is not built.
            UserError: if the file holds the weights of another architecture. None is changed.
        """
        if not self.built:
            raise UserRuntimeError(
                f"load_weights() needs a built model: {type(self).__name__}.build("
                f"{self.input_shapes()})."
            )
        if not Path(filepath).is_file():
            raise UserFileNotFoundError(f"No such file: {filepath}.")
        if not skip_mismatch and str(filepath).endswith((".weights.h5", ".keras")):
            self._check_weights(Path(filepath))
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def _check_weights(self, path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "own.weights.h5"
            self.save_weights(own)
            here, there = _shapes(own), _shapes(path)
        differ = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        if differ:
            name = differ[0]
            raise UserError(
                f"{path} holds the weights of another architecture: {len(differ)} of "
                f"{len({**here, **there})} differ, the first {name}, of shape "
                f"{here.get(name, 'none')} here and {there.get(name, 'none')} in the file. Make "
                "the model as the one that was saved; a .keras file does so: tfvae.load_model."
            )


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights in a file by their place, without those of an optimizer."""
    found = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            found[name] = item.shape

    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as weights:
                h5py.File(weights).visititems(note)
        else:
            with h5py.File(path) as weights:
                weights.visititems(note)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged or holds no weights ({error}).") from error
    return found
