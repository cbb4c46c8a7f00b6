"""`.tflite` files for phones and browsers: converted, compared, then published as a set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.export.precision import in_float32
from tfvae.export.sets.publication import Publication, publication
from tfvae.export.source import source_of
from tfvae.export.tflite_files import measure
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.report import TFLiteReport
from tfvae.export.tflite_files.variants import VARIANTS

REPORT = "report.json"
BROWSER = "decoder_browser.tflite"
NO_ANOMALY = (
    "TFLite files have no signature `anomaly`: a score takes encoder, decoder and log-densities in "
    "one file, and not all of these have built-in operations"
)


@dataclass(frozen=True)
class TFLiteFiles:
    """What `tflite` published.

    Args:
        directory: the folder.
        paths: the published files by name, such as "decoder.tflite".
        report: what was measured, refused files included; `report.table()` is for people.
        removed: files of an earlier export that this one did not make, and are gone.
        notes: what else the user should know of the earlier export.
    """

    directory: Path
    paths: dict[str, Path]
    report: TFLiteReport
    removed: Sequence[Path] = ()
    notes: Sequence[str] = ()


def tflite(
    model: Any,
    directory: str | Path,
    variants: Sequence[str] = ("float32",),
    *,
    data: Any = None,
    calibration: Any = None,
    max_nll_change: float = 0.1,
    allow: Sequence[str] = (),
    browser_samples: int | None = None,
    anomaly: Any = None,
) -> TFLiteFiles:
    """Exports a model for LiteRT: `decoder.tflite` and `encoder.tflite`, built-in operations only.

    | file | signature | inputs | outputs |
    | --- | --- | --- | --- |
    | decoder | `decode` | `z [B, D]`, or the levels by name, and the conditions | what `decoder_outputs` returns: of a Bernoulli `probs`, `logits`, of a Normal `loc`, `scale` |
    | decoder | `sample` | `num_samples`, and the conditions `[S, ...]` | `x [S, ...]`, `z [S, D]` |
    | decoder | `sample_seeded` | `num_samples`, `seed`, and the conditions | the same; equal to `model.sample(num_samples, seed)` |
    | encoder | `encode` | the model's fields, such as `x [B, ...]` | what `encoder_outputs` returns: of a Normal its parameters, `mean`, `stddev [B, D]` |

    Variants, each a pair of files (`decoder_float16.tflite`, ...; float32 has no suffix):

    * `float32`: agrees with the live model to 1e-4, or nothing is published.
    * `float16`: half the size; weights are rounded to 16 bits.
    * `dynamic`: a quarter; weights in 8 bits, activations in float32. LiteRT 2.3 has no fast kernel
      for transposed convolutions of this kind: 11 times slower (64 samples of `mnist-conv`, x86-64).
    * `int8`: a quarter; weights and activations in 8 bits, for accelerators without floats.

    In every variant the sampler stays float32, so one seed means one z. A variant whose test NLL
    rises by more than `max_nll_change` is measured and reported, but not published.

    Choose `saved_model` for a server. A model that computes in 16 bits is exported, and compared,
    as its float32 copy.

    Args:
        model: a built model that encodes or decodes.
        directory: the export folder, such as "export/mnist"; made if missing. It publishes one set,
            of one model: SavedModels of the same weights stay beside the files, in the same version,
            and what this function made before is replaced, or gone if it does not make it again.
        variants: which to make.
        data: held-out test examples, as the model is evaluated on, an array or a dict of arrays by
            field; needed for every variant but float32. A few hundred do.
        calibration: training examples likewise, needed for int8; a few hundred do.
        max_nll_change: nats an example, at least 0.
        allow: variants to publish whatever their change.
        browser_samples: also writes `decoder_browser.tflite`, float32, with all sizes fixed to this
            number: `decode` takes as many rows, and `sample` and `sample_seeded`, which then have
            no `num_samples`, return as many. LiteRT's web runtime has no free sizes.
        anomaly: refused: SavedModels have the signature `anomaly`, these files have not.

    Returns:
        The paths and the report, which without its latencies is also written as `report.json`.

    Raises:
        UserError: for an unbuilt model, an unknown variant, or data that are missing or do
            not fit.
        ExportError: if the folder can't be written, or holds something else; if another export is
            under way, a layer has no built-in counterpart, or the float32 file drifts from the live
            model. Nothing is published then.

    Example:
        >>> import tempfile, tfvae
        >>> vae = tfvae.VAE(
        ...     encoder=tfvae.Encoder(tfvae.networks.MLP([8]), tfvae.heads.MultivariateNormalDiag(2)),
        ...     decoder=tfvae.Decoder(tfvae.networks.MLP([8]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        ... )
        >>> vae.build((None, 4, 4, 1))
        >>> sorted(tfvae.export.tflite(vae, tempfile.mkdtemp()).paths)
        ['decoder.tflite', 'encoder.tflite']
    """  # noqa: E501
    if anomaly is not None:
        raise UserError(f"anomaly is for SavedModels, and {NO_ANOMALY}. Leave it out.")
    for name, values in (("variants", variants), ("allow", allow)):
        _known_variants(name, values)
    examples = ExportData.checked(model, variants, data, calibration)
    limit = real("max_nll_change", max_nll_change, minimum=0.0)
    if browser_samples is not None:
        browser_samples = positive_int("browser_samples", browser_samples)
    with publication(Path(directory), source_of(model), files=True) as target:
        written = write_files(model, target, variants, examples, limit, allow, browser_samples)
    return replace(written, removed=target.removed, notes=target.notes)


def write_files(
    model: Any,
    target: Publication,
    variants: Sequence[str],
    examples: ExportData,
    max_nll_change: float = 0.1,
    allow: Sequence[str] = (),
    browser_samples: int | None = None,
) -> TFLiteFiles:
    """Writes the files of a model into a set that is being made, measured and compared.

    Arguments, result and errors are those of `tflite`, which checks them; the paths are those of
    the set once it is published.
    """
    model = in_float32(model)
    files, report = measure.make(model, variants, examples, max_nll_change, allow)
    if browser_samples is not None:
        files[BROWSER] = measure.browser_file(model, browser_samples)
    paths = {name: target.path(name) for name in files}
    for name, content in {**files, REPORT: report.to_json().encode()}.items():
        (target.folder / name).write_bytes(content)
    return TFLiteFiles(target.directory, paths, report)


def _known_variants(name: str, variants: Sequence[str]) -> None:
    unknown = (
        [variants] if isinstance(variants, str) else [v for v in variants if v not in VARIANTS]
    )
    if unknown or (name == "variants" and not variants):
        raise UserError(f"{name} is {variants!r}; expected a list of some of {list(VARIANTS)}")
