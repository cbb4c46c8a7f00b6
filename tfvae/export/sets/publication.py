"""A set on its way: what the parts of an export write into, and what is published in the end."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tfvae import __version__
from tfvae.export.publishing import flush, staging
from tfvae.export.sets.integrity import contents
from tfvae.export.sets.layout import (
    current_set,
    keep_versions,
    refuse_foreign,
    sweep,
    switch,
)
from tfvae.export.sets.manifest import (
    MANIFEST,
    Manifest,
    Metrics,
    set_id,
    sha256,
)
from tfvae.export.sets.succession import (
    carried_files,
    carry,
    is_servable,
    next_version,
    set_before,
)


@dataclass(frozen=True)
class Source:
    """What is exported.

    Args:
        model: the class of the model.
        weights: SHA-256 of its weights.
        tensorflow: the version that exports.
        data: "name" and "fingerprint" of its data; empty for what the set before knew of them, if
            it is of the same weights.
        metrics: of held-out data; empty likewise.
    """

    model: str
    weights: str
    tensorflow: str
    data: Mapping[str, str] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)


@dataclass
class Publication:
    """A set that is being made.

    Attributes:
        directory: the export folder.
        folder: what is in it in the end is the set.
        scratch: another folder, removed in the end.
        manifest: of the set, still without files.
        removed: files of the set before that this one has no counterpart of; known in the end.
        notes: what else the user should know of the set before.
    """

    directory: Path
    folder: Path
    scratch: Path
    manifest: Manifest
    removed: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Where something of the set is once it is published."""
        return self.directory / name

    def publish(self, before: Manifest | None) -> None:
        """Writes the manifest, and replaces the set before."""
        hashes = {name: sha256(self.folder / name) for name in contents(self.folder)}
        manifest = replace(self.manifest, files=hashes)
        keep_versions(self.directory, self.folder, manifest.version)
        (self.folder / MANIFEST).write_bytes(manifest.content())
        flush(self.folder)
        switch(self.directory, self.folder, set_id(manifest))
        if before is not None:
            self._tell(before, manifest)

    def _tell(self, before: Manifest, now: Manifest) -> None:
        gone = [n for n in before.files if not is_servable(n) and n not in now.files]
        self.removed = [self.directory / name for name in gone]
        if any(map(is_servable, before.files)) and not any(map(is_servable, now.files)):
            self.notes.append(
                f"the SavedModels of version {before.version} are of other weights, and stay only "
                "as an older version"
            )
        if gone and before.weights != now.weights:
            self.notes.append(
                f"{', '.join(gone)} of version {before.version} are of other weights, and are no "
                "longer published"
            )


@contextlib.contextmanager
def publication(
    directory: Path,
    source: Source,
    *,
    servables: Collection[str] = (),
    files: bool = False,
    version: int | None = None,
) -> Iterator[Publication]:
    """Makes a set: the body writes its parts, and where it raises nothing is published.

    The parts that it does not make are those of the set before, if that is of the same weights. A
    set that lacked what is made now is completed, and keeps its version; any other gets the next.

    Args:
        directory: the export folder, made if missing.
        source: what is exported.
        servables: names of the SavedModels that are made.
        files: whether the TFLite files are made.
        version: of the set; by default as said above.

    Raises:
        ExportError: if the folder can't be written, is being exported to, or holds something of
            these names that is no set's or a set that is damaged; if the version is taken.
    """
    with staging(directory) as stage:
        sweep(directory, stage)
        refuse_foreign(directory, [MANIFEST, *servables])
        current = current_set(directory)
        before = set_before(directory, current)
        same = before is not None and before.weights == source.weights
        carried = carried_files(before, bool(servables), files) if same else {}
        number = next_version(directory, before if same else None, bool(servables), version)
        manifest = Manifest(
            name=directory.resolve().name or "export",
            version=number,
            model=source.model,
            weights=source.weights,
            tfvae=__version__,
            tensorflow=source.tensorflow,
            data=source.data or (before.data if same else {}),
            metrics=source.metrics or (before.metrics if same else {}),
        )
        folder, scratch = stage / "set", stage / "scratch"
        folder.mkdir()
        scratch.mkdir()
        for name, digest in carried.items():
            carry(directory, current / name, folder / name, digest)
        made = Publication(directory, folder, scratch, manifest)
        yield made
        made.publish(before)
