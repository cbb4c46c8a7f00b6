"""Which versions of which models are served, and watching the folder for new ones."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfvae.checks import positive_int
from tfvae.errors import UserFileNotFoundError
from tfvae.serving.server.refused import RefusedError, invalid, shortened
from tfvae.serving.server.versions import Version, load, numbers
from tfvae.serving.server.warmup import warm_up

LOGGER = logging.getLogger("tfvae.serving")


@dataclass(frozen=True)
class Failure:
    """A version that could not be loaded."""

    message: str


class Models:
    """The models below an export folder, `DIRECTORY/NAME/VERSION/saved_model.pb`.

    Of each, the newest `num_versions` that can be loaded are served, and those with a label. The
    newest answers requests which name none. A broken version doesn't count, so that it leaves the
    last good one in service; a replaced one is given up when its successor has been loaded.

    Args:
        directory: the export folder.
        num_versions: how many of the newest.
        labels: label -> version number, for all models: servables that were exported together
            share their numbers.

    Raises:
        FileNotFoundError: if nothing is exported there.
    """

    def __init__(
        self,
        directory: str | Path,
        num_versions: int = 2,
        labels: Mapping[str, int] | None = None,
    ):
        self.directory = Path(directory)
        self.num_versions = positive_int("num_versions", num_versions)
        self.labels = dict(labels or {})
        self._states: dict[str, dict[int, Version | Failure]] = {}
        self._refreshing = threading.Lock()
        self.refresh()
        if not self._states:
            raise UserFileNotFoundError(
                f"no models below {self.directory}: expected NAME/VERSION/saved_model.pb, as "
                "tfvae.export.saved_model writes them."
            )
        served = {number for numbers in self.available().values() for number in numbers}
        for label, number in self.labels.items():
            if number not in served:
                LOGGER.warning("label %s: no model has version %d", label, number)

    def refresh(self) -> None:
        """Loads what has been published since, and drops what is no longer wanted."""
        with self._refreshing:
            found = {}
            if self.directory.is_dir():
                for folder in sorted(self.directory.iterdir()):
                    if not folder.name.startswith(".") and (present := numbers(folder)):
                        found[folder.name] = present
            for model in self._states.keys() - found.keys():
                LOGGER.info("%s: gone", model)
            # Readers see the old dictionary or the new one, never a half.
            self._states = {name: self._updated(name, found[name]) for name in found}

    def find(self, model: str, version: int | None = None, label: str | None = None) -> Version:
        """The version to run.

        Raises:
            RefusedError: if it is not served.
        """
        if version is not None and label is not None:
            raise invalid(
                f"Both model version ({version}) and model version label ({label}) cannot be "
                "supplied."
            )
        states = self._states.get(model, {})
        if label is not None:
            if label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = self.labels[label]
        loaded = [state for state in states.values() if isinstance(state, Version)]
        if version is None and loaded:
            return max(loaded, key=lambda state: state.number)
        state = states.get(version)
        if not isinstance(state, Version):
            which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
            raise RefusedError("NOT_FOUND", f"Servable not found for request: {which}")
        return state

    def states(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> dict[int, Version | Failure]:
        """The versions of a model, or one of them, newest first.

        Raises:
            RefusedError: if there is none.
        """
        if label is not None:
            version = self.find(model, version, label).number
        states = self._states.get(model, {})
        if version is None and not states:
            raise RefusedError("NOT_FOUND", f"Could not find any versions of model {model}")
        if version is not None:
            if version not in states:
                message = f"Could not find version {version} of model {model}"
                raise RefusedError("NOT_FOUND", message)
            return {version: states[version]}
        return dict(sorted(states.items(), reverse=True))

    def available(self) -> dict[str, list[int]]:
        """Model -> the versions that can be called, rising."""
        return {
            model: sorted(n for n, state in states.items() if isinstance(state, Version))
            for model, states in self._states.items()
        }

    def _updated(self, model: str, present: list[int]) -> dict[int, Version | Failure]:
        before, after, good = self._states.get(model, {}), {}, 0
        labelled = set(self.labels.values())
        for number in reversed(present):
            if good < self.num_versions or number in labelled:
                known = before.get(number)
                after[number] = self._load(model, number) if known is None else known
                good += isinstance(after[number], Version)
        for number in before.keys() - after.keys():
            LOGGER.info("%s %d: unloaded", model, number)
        return after

    def _load(self, model: str, number: int) -> Version | Failure:
        try:
            version = load(model, number, self.directory / model / str(number))
            warm_up(version, self.directory / model / str(number))
        except Exception as error:  # a broken export is the exporter's problem, not the server's
            message = shortened(f"{type(error).__name__}: {error}")
            LOGGER.error("%s %d: can't be loaded: %s", model, number, message)
            return Failure(message)
        LOGGER.info("%s %d: available", model, number)
        return version
