"""The folder of a run: runs/NAME/{model.keras, config.json, metrics.json, history.csv, pictures}"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfvae.errors import UserError, UserFileNotFoundError, UserOSError, UserRuntimeError
from tfvae.runs.files import cannot_write, write_text
from tfvae.settings.names import SettingError
from tfvae.settings.settings import Settings, settings
from tfvae.values import show

SCHEMA = 1  # of config.json; a setting that is new, with a default, does not change it
_LARGEST = 1 << 20  # bytes of config.json; a run's has about a thousand


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

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.metrics.is_file()

    def read_config(self) -> Settings:
        """The settings of the run; what an older revision did not have yet is at its default.

        Raises:
            UserFileNotFoundError: if there is no run.
            UserError: if `config.json` is damaged or of a newer schema.
        """
        content = self._content()
        schema, found = content.get("schema"), content.get("settings")
        stages = content.get("stages", {})
        groups = [found, stages, *(stages.values() if isinstance(stages, dict) else ())]
        if type(schema) is not int or not all(isinstance(group, dict) for group in groups):
            raise UserError(f"{self.config} is damaged: expected a schema number and settings.")
        if schema > SCHEMA:
            raise UserError(
                f"{self.config} has schema {schema}, and this version of tfvae reads up to "
                f"{SCHEMA}. Install the version that wrote it, or a newer one."
            )
        try:
            return settings(found, stages=stages)
        except SettingError as error:
            raise UserError(f"{self.config} is damaged or of another version: {error}") from error

    def read_model(self) -> Any:
        """The trained model; the modules of its members are imported first.

        Raises:
            UserError: if `config.json` or `model.keras` can't be read.
        """
        from tfvae.models.loading import load_model  # TensorFlow, and only where it is needed

        members = self.read_config().members()
        return load_model(self.model, {member.__name__: member for member in members})

    def read_metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return json.loads(self.metrics.read_text(encoding="utf-8"))

    def _content(self) -> dict[str, Any]:
        if not self.config.is_file():
            raise UserFileNotFoundError(
                f"{self.path} holds no run: there is no {self.config.name}. Expected a folder that "
                "`tfvae train` wrote, such as runs/digits."
            )
        try:
            size = self.config.stat().st_size
            if size > _LARGEST:
                raise UserError(f"it has {size:,} bytes, and a run's has at most {_LARGEST:,}")
            content = json.loads(self.config.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise UserError("expected an object")
            return content
        except (ValueError, RecursionError, OSError) as error:
            raise UserError(f"{self.config} is damaged: {error}.") from error

    def check(self, config: Settings) -> None:
        """Looks, and changes nothing: may this run be written here?

        Raises:
            UserError: if the folder holds something else, or a run of other settings.
        """
        if self.config.is_file():
            self.refuse_other(config)
        elif foreign := _names(self.path):
            raise UserError(
                f"{self.path} holds {', '.join(sorted(foreign)[:3])} and no config.json, so it is "
                "no run's folder. Choose another with --name or --runs-dir."
            )

    def prepare(self, config: Settings, versions: dict[str, str], overwrite: bool) -> None:
        """Makes the folder ready for this run, or for going on with it.

        Raises:
            UserError: if the folder holds something else, or a run of other settings.
            OSError: if it can't be written.
        """
        replace = overwrite and self.config.is_file()
        if replace:
            self.clear()
        else:
            self.check(config)
        if replace or not self.config.is_file():
            stages = {name: dict(stage) for name, stage in config.stages.items()}
            content = {"schema": SCHEMA, "settings": dict(config), "versions": versions}
            content |= {"stages": stages} if stages else {}
            write_text(self.config, json.dumps(content, indent=2) + "\n")

    def changed_versions(self, versions: dict[str, str]) -> list[str]:
        """Which of the libraries are of another version than where the run began, in words."""
        found = self._content().get("versions")
        began = found if isinstance(found, dict) else {}
        return [
            f"{name} {began[name]} there and {now} here"
            for name, now in versions.items()
            if began.get(name, now) != now
        ]

    def refuse_other(self, here: Settings) -> None:
        """Raises `ValueError` naming the settings in which the folder's run differs."""
        there, mine = self.read_config().flat(), here.flat()
        differing = [
            f"{name} is {_said(there, name)} there and {_said(mine, name)} here"
            for name in {**mine, **there}
            if _said(there, name) != _said(mine, name)
        ]
        if differing:
            raise UserError(
                f"{self.path} holds another run: {'; '.join(differing)}. Give this run a folder "
                "of its own with --name, or replace the other with --overwrite."
            )

    def clear(self) -> None:
        """Removes what the run made, and nothing else that may lie in the folder.

        `config.json` stays until another replaces it: the folder is a run's throughout.
        """
        for path in (self.metrics, self.checkpoint, self.model, self.history):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(path, error) from error
        for folder in (self.pictures, self.stages):
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder, and keeps other processes from training in it meanwhile.

        The system drops the lock of a process that is killed. The lock's file stays, hidden: one
        that is removed might be locked by a process that has opened it already.

        Raises:
            UserOSError: if the folder can't be made or written.
            UserRuntimeError: if another process trains in it.
        """
        import filelock  # no help page needs it

        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout:
            raise UserRuntimeError(
                f"Another process is training in {self.path}. Wait for it, or choose another "
                "folder with --name."
            ) from None
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            yield
        finally:
            lock.release()


def _names(folder: Path) -> list[str]:
    """What lies in a folder, but for hidden files: our own partial ones are."""
    try:
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise UserOSError(f"{folder} can't be read: {error.strerror}.") from error
    return [name for name in names if not name.startswith(".")]


def _said(values: Mapping[str, Any], name: str) -> str:
    return show(values[name]) if name in values else "absent"
