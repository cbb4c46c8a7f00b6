"""The folder of a run: runs/NAME/{model.keras, config.json, metrics.json, history.csv, pictures}"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfvae.errors import UserError, UserFileNotFoundError, UserRuntimeError
from tfvae.runs.config import Config, from_flat, settings
from tfvae.runs.files import cannot_write, write_text

try:
    import fcntl
except ImportError:  # Windows has no flock; there two processes can meet in one folder
    fcntl = None


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

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.metrics.is_file()

    def read_config(self) -> Config:
        """The settings of the run.

        Raises:
            FileNotFoundError: if there is no run.
            ValueError: if `config.json` is damaged.
        """
        if not self.config.is_file():
            raise UserFileNotFoundError(
                f"{self.path} holds no run: there is no {self.config.name}. Expected a folder that "
                "`tfvae train` wrote, such as runs/digits."
            )
        try:
            found = json.loads(self.config.read_text(encoding="utf-8"))["settings"]
            config = from_flat(found)
            if missing := settings().keys() - set(found):
                raise UserError(f"it lacks {', '.join(sorted(missing))}")
            return config
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.config} is damaged or of another version: {error}") from error

    def check(self, config: Config) -> None:
        """Looks, and changes nothing: may this run be written here?

        Raises:
            ValueError: if the folder holds something else, or a run of other settings.
        """
        if self.config.is_file():
            self.refuse_other(config)
        elif foreign := _names(self.path):
            raise UserError(
                f"{self.path} holds {', '.join(sorted(foreign)[:3])} and no config.json, so it is "
                "no run's folder. Choose another with --name or --runs-dir."
            )

    def prepare(self, config: Config, versions: dict[str, str], overwrite: bool) -> None:
        """Makes the folder ready for this run, or for going on with it.

        Raises:
            ValueError: if the folder holds something else, or a run of other settings.
            OSError: if it can't be written.
        """
        replace = overwrite and self.config.is_file()
        if replace:
            self.clear()
        else:
            self.check(config)
        if replace or not self.config.is_file():
            content = {"settings": config.flat(), "versions": versions}
            write_text(self.config, json.dumps(content, indent=2) + "\n")

    def changed_versions(self, versions: dict[str, str]) -> list[str]:
        """Which of the libraries are of another version than where the run began, in words."""
        began = json.loads(self.config.read_text(encoding="utf-8")).get("versions", {})
        return [
            f"{name} {began[name]} there and {now} here"
            for name, now in versions.items()
            if began.get(name, now) != now
        ]

    def refuse_other(self, config: Config) -> None:
        """Raises `ValueError` naming the settings in which the folder's run differs."""
        there, here = self.read_config().flat(), config.flat()
        differing = [
            f"{name} is {there[name]!r} there and {here[name]!r} here"
            for name in here
            if there[name] != here[name]
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
            path.unlink(missing_ok=True)
        shutil.rmtree(self.pictures, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder, and keeps other processes from training in it meanwhile.

        The system drops the lock of a process that is killed.

        Raises:
            OSError: if the folder can't be made or written.
            RuntimeError: if another process trains in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY) if fcntl else None
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise UserRuntimeError(
                f"Another process is training in {self.path}. Wait for it, or choose another "
                "folder with --name."
            ) from None
        finally:
            if fcntl:
                os.close(descriptor)


def _names(folder: Path) -> list[str]:
    """What lies in a folder, but for hidden files: our own partial ones are."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return [name for name in names if not name.startswith(".")]
