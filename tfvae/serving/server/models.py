"""Which versions of which models are served, and watching the folder for new ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse

from tfvae.checks import positive_int
from tfvae.errors import UserFileNotFoundError
from tfvae.serving.server.predicting import GRAPH, Version, files_of, load_servable
from tfvae.serving.server.refusals import LOGGER, RefusedError, invalid


class Models:
    """The models below an export folder, `DIRECTORY/NAME/VERSION/saved_model.pb`.

    Of each, the newest `num_versions` that can be loaded are served, and those with a label. The
    newest answers requests which name none. A broken version doesn't count, so that it leaves the
    last good one in service, and is tried again when its files change; a replaced one is given up
    when its successor has been loaded. All models change at once, as `current` of an export does.

    Labels are of version numbers, for all models: what was exported together shares its number.
    """

    def __init__(
        self, directory: str | Path, num_versions: int = 1, labels: Mapping[str, int] | None = None
    ):
        self.directory = Path(directory)
        self.num_versions = positive_int("num_versions", num_versions)
        self.labels = dict(labels or {})
        self._versions: dict[str, dict[int, Version]] = {}  # newest first
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
        present = self._present()
        # Readers see the old dictionary or the new one, never a half.
        models = {**self._versions, **present}
        self._versions = {model: self._updated(model, present.get(model, {})) for model in models}

    def find(self, model: str, version: int | None = None, label: str | None = None) -> Version:
        """The version to run; `RefusedError` if it is not served."""
        if version is not None and label is not None:
            raise invalid(f"version {version} and label {label} cannot both be supplied")
        if label is not None:
            if label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = self.labels[label]
        for number, found in self._versions.get(model, {}).items():
            if found.loaded and version in (None, number):
                return found
        which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
        raise RefusedError("NOT_FOUND", f"Servable not found for request: {which}")

    def status(self, model: str, version: int | None, label: str | None) -> GetModelStatusResponse:
        """The versions of a model, or one of them, newest first; `RefusedError` for none."""
        if label is not None:
            version = self.find(model, version, label).number
        reply = GetModelStatusResponse()
        for number, found in self._versions.get(model, {}).items():
            if version in (None, number):
                entry = reply.model_version_status.add(version=number)
                entry.state = entry.AVAILABLE if found.loaded else entry.END
                entry.status.error_code = 0 if found.loaded else 2  # OK, UNKNOWN
                entry.status.error_message = found.error
        if not reply.model_version_status:
            which = "any versions" if version is None else f"version {version}"
            raise RefusedError("NOT_FOUND", f"Could not find {which} of model {model}")
        return reply

    def metadata(self, *which: Any) -> GetModelMetadataResponse:
        """The signatures of what `find` finds."""
        found = self.find(*which)
        spec = {"name": found.model, "version": {"value": found.number}}
        reply = GetModelMetadataResponse(model_spec=spec)
        reply.metadata["signature_def"].Pack(SignatureDefMap(signature_def=found.definitions))
        return reply

    def _present(self) -> dict[str, dict[int, Path]]:
        # Folders may be links that are switched during a look into them: then look again.
        links: dict[Path, Path] | None = None
        present: dict[str, dict[int, Path]] = {}
        while links != (now := {f: f.resolve() for f in self.directory.glob("[!.]*")}):
            links, present = now, {}
            for folder, target in now.items():
                for graph in target.glob(f"*/{GRAPH}"):
                    number = graph.parent.name
                    if number.isascii() and number.isdigit():
                        present.setdefault(folder.name, {})[int(number)] = folder / number
        return present

    def _updated(self, model: str, present: dict[int, Path]) -> dict[int, Version]:
        before, after, good = self._versions.get(model, {}), {}, 0
        for number in sorted(present, reverse=True):
            if good < self.num_versions or number in self.labels.values():
                known = before.get(number)
                if known is None or (known.error and known.files != files_of(present[number])):
                    known = _loaded(present[number])
                after[number] = known
                good += not known.error
        if present and not good:  # its successor is broken, so what is in memory goes on
            after |= {number: v for number, v in before.items() if v.loaded and number not in after}
        for number in before.keys() - after.keys():
            LOGGER.info("%s %d: unloaded", model, number)
        return after


def _loaded(folder: Path) -> Version:
    model, number, files = folder.parent.name, int(folder.name), files_of(folder)
    try:
        version = load_servable(folder, files)
    except Exception as error:  # a broken export is the exporter's problem
        LOGGER.error("%s %d: can't be loaded: %s", model, number, error)
        return Version(model, number, files, error=f"{type(error).__name__}: {error}"[:1_000])
    LOGGER.info("%s %d: available", model, number)
    return version
