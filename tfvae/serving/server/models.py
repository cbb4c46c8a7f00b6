"""Which versions of which models are served, and watching the folder for new ones."""

import threading
from collections.abc import Mapping
from pathlib import Path

from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse

from tfvae.checks import positive_int
from tfvae.errors import UserFileNotFoundError
from tfvae.serving.server.predicting import GRAPH, Version, load
from tfvae.serving.server.refusals import LOGGER, RefusedError, invalid


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
        self._versions: dict[str, dict[int, Version]] = {}  # newest first
        self._failures: dict[str, dict[int, str]] = {}  # why a version can't be loaded
        self._refreshing = threading.Lock()
        self.refresh()
        if not self._versions:
            raise UserFileNotFoundError(
                f"no models below {self.directory}: expected NAME/VERSION/saved_model.pb, as "
                "tfvae.export.saved_model writes them."
            )
        for label, number in self.labels.items():
            if not any(number in versions for versions in self._versions.values()):
                LOGGER.warning("label %s: no model has version %d", label, number)

    def refresh(self) -> None:
        """Loads what has been published since, and drops what is no longer wanted."""
        with self._refreshing:
            present: dict[str, list[int]] = {}
            for graph in self.directory.glob(f"*/*/{GRAPH}"):
                model, number = graph.parts[-3:-1]
                if number.isascii() and number.isdigit() and not model.startswith("."):
                    present.setdefault(model, []).append(int(number))
            for model in self._versions.keys() - present.keys():
                LOGGER.info("%s: gone", model)
            self._failures = {
                model: {n: why for n, why in self._failures.get(model, {}).items() if n in numbers}
                for model, numbers in present.items()
            }
            # Readers see the old dictionary or the new one, never a half.
            self._versions = {model: self._updated(model, present[model]) for model in present}

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
        if label is not None:
            if label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = self.labels[label]
        versions = self._versions.get(model, {})
        if version is None and versions:
            return next(iter(versions.values()))
        if version not in versions:
            which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
            raise RefusedError("NOT_FOUND", f"Servable not found for request: {which}")
        return versions[version]

    def status(self, model: str, version: int | None, label: str | None) -> GetModelStatusResponse:
        """The versions of a model, or one of them, newest first.

        Raises:
            RefusedError: if there is none.
        """
        if label is not None:
            version = self.find(model, version, label).number
        failures = self._failures.get(model, {})
        known = self._versions.get(model, {}).keys() | failures.keys()
        reply = GetModelStatusResponse()
        for number in sorted(known if version is None else known & {version}, reverse=True):
            entry = reply.model_version_status.add(version=number)
            entry.state = entry.END if number in failures else entry.AVAILABLE
            entry.status.error_code = 2 if number in failures else 0  # UNKNOWN, OK
            entry.status.error_message = failures.get(number, "")
        if not reply.model_version_status:
            which = "any versions" if version is None else f"version {version}"
            raise RefusedError("NOT_FOUND", f"Could not find {which} of model {model}")
        return reply

    def metadata(
        self, model: str, version: int | None, label: str | None
    ) -> GetModelMetadataResponse:
        """The signatures of a model; raises `RefusedError` if it is not served."""
        found = self.find(model, version, label)
        reply = GetModelMetadataResponse(
            model_spec={"name": model, "version": {"value": found.number}}
        )
        reply.metadata["signature_def"].Pack(SignatureDefMap(signature_def=found.definitions))
        return reply

    def _updated(self, model: str, present: list[int]) -> dict[int, Version]:
        before, after, failures = self._versions.get(model, {}), {}, self._failures[model]
        for number in sorted(present, reverse=True):
            if number in failures:
                continue
            if len(after) < self.num_versions or number in self.labels.values():
                try:
                    after[number] = before.get(number) or load(self.directory, model, number)
                except Exception as error:  # a broken export is the exporter's problem
                    failures[number] = f"{type(error).__name__}: {error}"[:1_000]
                    LOGGER.error("%s %d: can't be loaded: %s", model, number, failures[number])
        for number in after.keys() - before.keys():
            LOGGER.info("%s %d: available", model, number)
        for number in before.keys() - after.keys():
            LOGGER.info("%s %d: unloaded", model, number)
        return after
