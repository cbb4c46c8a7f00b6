"""Reading `.keras` files, with messages for those that are no model of this package."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

# Imported for their registration with Keras, by which saved models name their classes.
from tfvae import heads, networks, objectives, priors  # noqa: F401
from tfvae.errors import UserError, UserFileNotFoundError
from tfvae.models.base import LatentVariableModel
from tfvae.models.bounds import bounded_variables
from tfvae.models.digests import check_shared, config_digest
from tfvae.models.keras_files import HOW, KerasFile, read_keras_file
from tfvae.models.stages import StagedModel  # noqa: F401
from tfvae.models.vae import VAE  # noqa: F401


def load_model(
    path: str | os.PathLike, custom_objects: dict[str, Any] | None = None
) -> LatentVariableModel:
    """Reads a model, its optimiser and the state of its random numbers.

    Nothing in the file is executed: Keras' safe mode is on, and nothing is pickled.

    Args:
        path: A `.keras` file of `vae.save(path)`, or of a run: `runs/NAME/model.keras`.
        custom_objects: Names and classes of layers of your own that the model holds and that are
            not registered with `keras.saving.register_keras_serializable`.

    Raises:
        FileNotFoundError: if there is no such file.
        UserError: if it is a folder, damaged, or holds another kind of model.

    Example:
        >>> import tempfile, tfvae
        >>> vae = tfvae.VAE(
        ...     tfvae.Encoder(tfvae.networks.MLP([8]), tfvae.heads.MultivariateNormalDiag(2)),
        ...     tfvae.Decoder(tfvae.networks.MLP([8]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        ... )
        >>> vae.build((None, 4, 4, 1))
        >>> path = tempfile.mkdtemp() + "/model.keras"
        >>> vae.save(path)
        >>> load_model(path).latent_size
        2
    """
    path = Path(path)
    _check_file(path)
    file = read_keras_file(path)
    _check_class(path, file.config, custom_objects)
    _check_unchanged(path, file)
    try:
        with bounded_variables(file.weights.values()):
            model = keras.saving.load_model(path, custom_objects=custom_objects, safe_mode=True)
    except Exception as error:  # Keras lets through what h5py, json and its own layers raise
        raise UserError(
            f"{path} can't be read ({_reason(error)}). It is damaged, was "
            "written by another version, or holds layers of your own: import the module that "
            "registers them, or pass them in custom_objects."
        ) from error
    if not isinstance(model, LatentVariableModel):
        raise UserError(_foreign(path, type(model).__name__))
    return model


def _check_file(path: Path) -> None:
    if path.is_dir():
        inside = path / "model.keras"
        hint = f" Did you mean {inside}?" if inside.is_file() else ""
        raise UserError(f"{path} is a folder.{hint} {HOW}")
    if not path.is_file():
        raise UserFileNotFoundError(f"No such file: {path}. {HOW}")
    with path.open("rb") as file:
        if file.read(4) == b"\x89HDF":
            raise UserError(
                f"{path} is an HDF5 file: weights alone, or a model of another package. Weights go "
                f"into a model that is built: model.load_weights(path). {HOW}"
            )


def _check_unchanged(path: Path, file: KerasFile) -> None:
    """Refuses a file whose configuration is not the one that was saved with its weights."""
    if file.digest is None:
        raise UserError(f"{path} does not say which configuration its weights are of. {HOW}")
    if file.digest != config_digest(file.config):
        raise UserError(f"{path} is damaged: its configuration was changed since it was saved.")
    try:
        check_shared(file.config)
    except UserError as error:
        raise UserError(f"{path} is damaged: {error}.") from error
    if not file.config.get("compile_config") and any(
        p.startswith("optimizer/") for p in file.weights
    ):
        raise UserError(f"{path} holds the state of an optimizer, and does not say of which. {HOW}")


def _check_class(
    path: Path, config: Mapping[str, Any], custom_objects: dict[str, Any] | None
) -> None:
    """Refuses models of other packages before anything of theirs is built."""
    _check_known(path, config, custom_objects)
    registered = config.get("registered_name") or config.get("class_name")
    known = keras.saving.get_registered_object(str(registered), custom_objects)
    if known is None or not issubclass(known, LatentVariableModel):
        raise UserError(_foreign(path, str(config.get("class_name"))))


def _check_known(path: Path, config: Any, custom_objects: dict[str, Any] | None) -> None:
    """Refuses a file that holds what Keras does not know, by the name of the first."""
    if isinstance(config, list):
        config = dict(enumerate(config))
    if not isinstance(config, dict):
        return
    registered, name = config.get("registered_name"), config.get("class_name")
    if registered and keras.saving.get_registered_object(str(registered), custom_objects) is None:
        if str(registered).startswith("tfvae>"):
            raise UserError(f"{path} holds a {registered}, which this version of tfvae lacks.")
        if not str(config.get("module")).startswith("keras"):
            raise UserError(
                f"{path} holds a {name}, which Keras does not know. Import the module that defines "
                'it; the class needs @keras.saving.register_keras_serializable("my_package") above '
                f"it. Or load with custom_objects={{{registered!r}: {name}}}."
            )
    for part in config.values():
        _check_known(path, part, custom_objects)


def _foreign(path: Path, name: str) -> str:
    return f"{path} holds a {name}, which is no model of tfvae. {HOW}"


def _reason(error: Exception) -> str:
    """What went wrong: what a part of tfvae said, or else Keras, the first of several things."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    parts = str(error).strip().split("\n\n")
    said = parts[1] if len(parts) > 1 and parts[0].startswith("A total of") else parts[0]
    return f"{type(error).__name__}: {(said.splitlines() or [''])[0]}"
