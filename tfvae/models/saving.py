"""Saving a model, and reading weights into one: refused before anything is written or changed.

A file holds, beside the weights, a digest of the configuration that it was saved with: by it
`tfvae.load_model` knows of a file that was changed since.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from tfvae.errors import UserError, UserFileNotFoundError, UserRuntimeError
from tfvae.models.configuration import check_config
from tfvae.models.digests import config_digest
from tfvae.models.keras_files import read_weights
from tfvae.models.weight_files import (
    CONFIGURATION,
    Stored,
    difference,
    stored_weights,
    without_optimizers,
)
from tfvae.training.keras_private import whole_file

_DIGEST = CONFIGURATION.rpartition("/")[2]
_WEIGHTS_ALONE = ContextVar("weights_alone", default=False)  # and not a model with them


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

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Writes the weights alone; see `keras.Model.save_weights`."""
        with _weights_alone():
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads weights of the same architecture; see `keras.Model.load_weights`.

        The state of an optimizer is read where the file has that of the same one.

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
            here, there = self._stored(), read_weights(Path(filepath))
            differ = difference(without_optimizers(here), without_optimizers(there))
            if differ:
                raise UserError(
                    f"{filepath} holds the weights of another architecture: {differ}. Make the "
                    "model as the one that was saved; a .keras file does so: tfvae.load_model."
                )
            if difference(here, there):
                kwargs.setdefault("objects_to_skip", [self.optimizer])
        with _weights_alone():
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def save_own_variables(self, store: Any) -> None:
        """Writes the model's own variables, and the digest; Keras calls this first."""
        optimizer = getattr(self, "optimizer", None)
        if self.built and optimizer is not None and not optimizer.built:
            optimizer.build(self.trainable_variables)  # as that of a model that is loaded is
        super().save_own_variables(store)
        if not _WEIGHTS_ALONE.get() and whole_file(store) is not None:
            store[_DIGEST] = np.frombuffer(
                config_digest(keras.saving.serialize_keras_object(self)), "u1"
            )

    def load_own_variables(self, store: Any) -> None:
        """Reads the model's own variables, if all weights of the file are those of the model.

        Keras leaves what it does not find as it was made, and warns at most.

        Raises:
            UserError: if the file has other weights than the model.
        """
        if not _WEIGHTS_ALONE.get() and (file := whole_file(store)) is not None:
            self._check_saved(stored_weights(file))
        own = {name: store[name] for name in store.keys() if name != _DIGEST}  # noqa: SIM118
        super().load_own_variables(own)

    def _check_saved(self, there: dict[str, Stored]) -> None:
        there.pop(CONFIGURATION, None)
        if not self.built and set(there) != {f"vars/{i}" for i in range(len(self.variables))}:
            raise UserError("The file holds weights, and does not say what the model is built for.")
        if self.built and (differ := difference(self._stored(), there)):
            raise UserError(
                f"The weights in the file are not those that its configuration asks for: {differ}."
            )

    def _stored(self) -> dict[str, Stored]:
        """What a file of these weights says of them."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "own.weights.h5"
            self.save_weights(path)
            with h5py.File(path, "r") as file:
                return stored_weights(file)


@contextlib.contextmanager
def _weights_alone() -> Iterator[None]:
    token = _WEIGHTS_ALONE.set(True)
    try:
        yield
    finally:
        _WEIGHTS_ALONE.reset(token)
