"""SavedModels for TensorFlow Serving: written beside, compared, then published as a set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfvae.export.graphs import save
from tfvae.export.precision import in_16_bits
from tfvae.export.publishing import ExportError
from tfvae.export.saved_models import verify
from tfvae.export.saved_models.draws import check_draws
from tfvae.export.saved_models.warmup import WARMED_BATCH_SIZES, check_warmup, write_warmup
from tfvae.export.servables.about import served_signatures
from tfvae.export.servables.choice import (
    check_detector,
    check_exportable,
    made_servable,
    servables_of,
)
from tfvae.export.sets.manifest import Manifest
from tfvae.export.sets.publication import Publication, publication
from tfvae.export.source import source_of
from tfvae.models.capabilities import Encodes
from tfvae.models.codes import drawn_outputs

if TYPE_CHECKING:
    from tfvae.uses.anomaly import AnomalyDetector

# Live and reloaded run the same float32 kernels, in an order that the graph optimiser may change.
RELOAD_TOLERANCE = 1e-4
# bfloat16 keeps 8 bits, one step is 4e-3: where fused operations round once and separate ones
# twice, results differ in the last bit, and a network passes that on. A trained network of two
# layers measured 6e-3; deeper ones add up.
TOLERANCE_BFLOAT16 = 5e-2


@dataclass(frozen=True)
class SavedModels:
    """What `saved_model` published.

    Args:
        directory: the export folder.
        version: the number that the servables share.
        paths: servable name -> its version folder.
        differences: "servable/signature" -> the largest difference from the live model, as
            |got - expected| / (1 + |expected|).
        notes: what a user of the files should know: outputs that are estimates, draws that could
            not be compared, files of other weights that are no longer published.
    """

    directory: Path
    version: int
    paths: Mapping[str, Path]
    differences: Mapping[str, float]
    notes: Sequence[str] = ()


def saved_model(
    model: Any,
    directory: str | Path,
    *,
    version: int | None = None,
    warmup_batch_sizes: Sequence[int] = WARMED_BATCH_SIZES,
    tolerance: float | None = None,
    anomaly: "AnomalyDetector | None" = None,
) -> SavedModels:
    """Exports a model as the servables that it can make: `encoder`, `decoder` and `vae`.

    Each is a SavedModel that loads and runs in plain TensorFlow, without tfvae, TFP or Keras, at
    any batch size; their signatures are listed at `EncoderServable`, `DecoderServable` and
    `VAEServable`, and each has `about`, which names the set that it is of. They are written to a
    hidden folder beside, reloaded in a fresh process, compared with the live model, and published
    as `directory/NAME/VERSION` only if they agree. All of them, with `directory/manifest.json`, are
    published at once: a server that watches the folder never sees half a set, and an existing
    version is never touched.

    TFLite files in the folder stay beside them if they are of the same weights; those of others are
    no longer published, and a note says so.

    Choose `tfvae.export.tflite` for a phone.

    Args:
        model: a built model; it makes those servables that it has the capabilities for, see
            `tfvae.models.capabilities`.
        directory: the export folder, such as "export/mnist"; made if missing.
        version: a number above those that there are; by default the next, or that of the published
            set where it is of the same weights and has TFLite files alone, and is completed.
        warmup_batch_sizes: rows of the warm-up requests, 256 at most, by default those of
            export/batching.config; empty for none.
        tolerance: the largest difference allowed; by default 1e-4, and 0.05 where layers compute
            in 16 bits.
        anomaly: a fitted `tfvae.uses.AnomalyDetector` of this model: `vae` then has a signature
            `anomaly`, with its threshold inside.

    Returns:
        Paths, version and differences.

    Raises:
        UserError: if the model is not built or can make no servable, or an argument is out of range.
        ExportError: if the folder can't be written, or holds something else; if `version` is not
            free, another export is under way, or the comparison fails. Nothing is published then.

    Example:
        >>> import tempfile, tensorflow as tf, tfvae
        >>> vae = tfvae.VAE(
        ...     encoder=tfvae.Encoder(tfvae.networks.MLP([8]), tfvae.heads.MultivariateNormalDiag(2)),
        ...     decoder=tfvae.Decoder(tfvae.networks.MLP([8]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        ... )
        >>> vae.build((None, 4, 4, 1))
        >>> done = tfvae.export.saved_model(vae, tempfile.mkdtemp())
        >>> decoder = tf.saved_model.load(done.paths["decoder"])
        >>> decoder.signatures["decode"](z=tf.zeros([5, 2]))["probs"].shape
        TensorShape([5, 4, 4, 1])
    """  # noqa: E501
    check_exportable(model)
    check_warmup(warmup_batch_sizes)
    if anomaly is not None:
        check_detector(model, anomaly)
    names = [servable.name for servable in servables_of(model)]
    made = publication(Path(directory), source_of(model), servables=names, version=version)
    with made as target:
        written = write_servables(model, target, warmup_batch_sizes, tolerance, anomaly)
    return replace(written, notes=[*written.notes, *target.notes])


def write_servables(
    model: Any,
    target: Publication,
    warmup_batch_sizes: Sequence[int] = WARMED_BATCH_SIZES,
    tolerance: float | None = None,
    anomaly: "AnomalyDetector | None" = None,
) -> SavedModels:
    """Writes the SavedModels of a model into a set that is being made, and compares them.

    Arguments, result and errors are those of `saved_model`; the paths are those of the set once it
    is published.
    """
    notes = [*check_draws(model), *estimates(model)]
    if tolerance is None:
        tolerance = TOLERANCE_BFLOAT16 if in_16_bits(model) else RELOAD_TOLERANCE
    manifest, folders, live = target.manifest, {}, {}
    for servable in servables_of(model):
        name = servable.name
        folders[name] = target.folder / name / str(manifest.version)
        made = made_servable(servable, model, anomaly)
        write(made, folders[name], manifest, warmup_batch_sizes)
        eager = made_servable(servable, model, anomaly, share=lambda function: function)
        live[name] = served_signatures(eager, manifest)
    differences = verify.compare(folders, live, target.scratch)
    verify.refuse_drift(differences, tolerance)
    paths = {name: target.path(f"{name}/{manifest.version}") for name in folders}
    return SavedModels(target.directory, manifest.version, paths, differences, notes)


def estimates(model: Any) -> list[str]:
    """What a served encoder has from draws, in words."""
    drawn = drawn_outputs(model) if isinstance(model, Encodes) else None
    return [f"the encoder returns {drawn}: they have no closed form"] if drawn else []


def write(
    servable: Any, folder: Path, manifest: Manifest, warmup_batch_sizes: Sequence[int]
) -> None:
    """Writes one servable: variables, signatures and warm-up requests."""
    signatures = served_signatures(servable, manifest)
    concrete = {name: signature.concrete() for name, signature in signatures.items()}
    try:
        save(concrete, folder)
        if warmup_batch_sizes:
            write_warmup(folder, servable.name, signatures, warmup_batch_sizes)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "message", None) or error
        raise ExportError(
            f"can't write the {servable.name} to {folder}: {reason}. Nothing was published; free "
            "some space or choose another folder."
        ) from error
