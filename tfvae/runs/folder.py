"""The folder of a run: runs/NAME/{model.keras, config.json, metrics.json, history.csv, pictures}"""

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from tfvae.data.fingerprint import fingerprint
from tfvae.errors import UserError, UserOSError
from tfvae.runs.config import (
    changed_versions,
    extends,
    read_config,
    read_fingerprint,
    refuse_other,
    refuse_other_data,
    write_config,
)
from tfvae.runs.files import cannot_write, read_object, write_text
from tfvae.runs.processes import locked
from tfvae.settings.settings import FIRST_STAGE, Settings


class RunFolder:
    """Paths of a run's files, and what state it is in.

    A run is finished when `metrics.json` is there, which is written last, and unfinished while
    there is a checkpoint.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.model = self.path / "model.keras"
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.json"
        self.history = self.path / "history.csv"
        self.pictures = self.path / "pictures"
        self.checkpoint = self.path / "checkpoint.npz"
        self.stages = self.path / "stages"
        self.staged = self.path / "staged.keras"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.metrics.is_file()

    @property
    def trained(self) -> bool:
        """Whether the model that the run was for is there."""
        return (self.staged if self.read_config().stages else self.model).is_file()

    def stage(self, name: str) -> "RunFolder":
        """The folder of a further stage, which is a run too."""
        return RunFolder(self.stages / name)

    def read_config(self) -> Settings:
        """The settings of the run; what an older revision did not have yet is at its default.

        Raises:
            UserFileNotFoundError: if there is no run.
            UserError: if `config.json` is damaged or of a newer schema.
        """
        return read_config(self.config)

    def read_model(self) -> Any:
        """The model that the run was for: of a run with stages, what is made of all of them.

        The modules of its members are imported first.

        Raises:
            UserError: if `config.json` or a model's file can't be read.
        """
        config = self.read_config()
        return _read(self.staged if config.stages else self.model, config)

    def read_first_model(self) -> Any:
        """The model of the first stage, which is all of a run without stages."""
        return _read(self.model, self.read_config())

    def read_stages(self) -> dict[str, tuple[Any, Settings]]:
        """The model of each stage, the first included, and the settings that it was trained with.

        Raises:
            UserError: if a `config.json` or a model's file can't be read.
        """
        config = self.read_config()
        found = {FIRST_STAGE: (_read(self.model, config), config)}
        for name in config.stages:
            place = self.stage(name)
            found[name] = place.read_model(), place.read_config()
        return found

    def read_metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`.

        Raises:
            UserError: if it can't be read.
        """
        return read_object(self.metrics)

    def check(self, config: Settings) -> None:
        """Looks, and changes nothing: may this run be written here?

        Raises:
            UserError: if the folder holds something else, or a run of other settings or data.
        """
        if self.config.is_file():
            refuse_other(self.config, config)
            self.check_data()
        elif foreign := _names(self.path):
            raise UserError(
                f"{self.path} holds {', '.join(sorted(foreign)[:3])} and no config.json, so it is "
                "no run's folder. Choose another with --name or --runs-dir."
            )

    def check_data(self) -> None:
        """Raises `UserError` if the data of the run have been replaced by others since."""
        refuse_other_data(self.config)

    def fingerprint(self) -> str | None:
        """What the run's data were; None where they are the run's own."""
        return read_fingerprint(self.config)

    def extended(self, config: Settings) -> bool:
        """Whether these are the settings of the folder's run with more epochs."""
        return self.config.is_file() and extends(self.config, config)

    def prepare(
        self, config: Settings, versions: dict[str, str], overwrite: bool, own_data: bool = False
    ) -> None:
        """Makes the folder ready for this run, or for going on with it.

        Args:
            config: The settings.
            versions: Of the libraries.
            overwrite: Whether to begin anew where there is a run.
            own_data: Whether the data are made by the run, as the codes of a stage are.

        Raises:
            UserError: if the folder holds something else, or a run of other settings or data.
            OSError: if it can't be written.
        """
        replace = overwrite and self.config.is_file()
        if replace:
            self.clear()
        else:
            self.check(config)
        longer = not replace and self.extended(config)
        if longer:  # unfinished from here on; further stages learned the codes of another model
            self.metrics.unlink(missing_ok=True)
            self.staged.unlink(missing_ok=True)
            shutil.rmtree(self.stages, ignore_errors=True)
        if replace or longer or not self.config.is_file():
            data = None if own_data else fingerprint(config["dataset"])
            write_config(self.config, config, versions, data)

    def changed_versions(self, versions: dict[str, str]) -> list[str]:
        """Which of the libraries are of another version than where the run began, in words."""
        return changed_versions(self.config, versions)

    def finish(self, metrics: dict[str, Any]) -> None:
        """Writes the metrics, by which the run is finished, and removes the checkpoint."""
        write_text(self.metrics, json.dumps(metrics, indent=2) + "\n")
        self.checkpoint.unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes what the run made, and nothing else that may lie in the folder.

        `config.json` stays until another replaces it: the folder is a run's throughout.
        """
        for path in (self.metrics, self.checkpoint, self.model, self.staged, self.history):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(path, error) from error
        for folder in (self.pictures, self.stages):
            shutil.rmtree(folder, ignore_errors=True)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Makes the folder, and keeps other processes from training in it meanwhile."""
        return locked(self.path)


def _read(path: Path, config: Settings) -> Any:
    from tfvae.models.loading import load_model  # TensorFlow, and only where it is needed

    members = [m for each in (config, *config.stages.values()) for m in each.members()]
    return load_model(path, {member.__name__: member for member in members})


def _names(folder: Path) -> list[str]:
    """What lies in a folder, but for hidden files: our own partial ones are."""
    try:
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise UserOSError(f"{folder} can't be read: {error.strerror}.") from error
    return [name for name in names if not name.startswith(".")]
