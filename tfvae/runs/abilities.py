"""What of a run its model lacks the capabilities for: known before it is trained."""

from typing import Any

from tfvae.export.servables.choice import check_exportable, servables_of
from tfvae.export.servables.decoder import code_fields
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.models.capabilities import (
    Decodes,
    Encodes,
    EncodesInTwo,
    Rebuilds,
    Scores,
    lack,
)
from tfvae.models.stages import stage_codes
from tfvae.settings.settings import Settings

# What a variant of the TFLite files takes, besides a model that can be served.
_NEEDED: dict[str, tuple[type, ...]] = {
    "float32": (),
    "float16": (Encodes, Decodes, Rebuilds),
    "dynamic": (Encodes, Decodes, Rebuilds),
    "int8": (Encodes, Decodes, Rebuilds, EncodesInTwo),
}
_OF_STAGES = (
    "A TFLite variant other than float32 needs a model that rebuilds its distributions, by which "
    "it is judged, and one of several stages can't."
)


def servable(model: Any) -> bool:
    """Whether anything can be made of a model for a server or a phone."""
    return bool(servables_of(model))


def variants_of(model: Any) -> list[str]:
    """The TFLite variants that a model has the capabilities for."""
    return [v for v in VARIANTS if lack(model, v, *_NEEDED[v]) is None]


def left_out(model: Any, settings: Settings, exporting: bool) -> list[str]:
    """Asks what a run will need, and returns a sentence for each step that its model can't do.

    Args:
        model: Of the first stage, built.
        settings: Of the run.
        exporting: Whether the run is to export.

    Raises:
        UserError: if a further stage could not learn the model's codes, or the names of its
            fields and codes can't be exported.
    """
    if settings.stages:
        stage_codes(model)
    wanted: list[tuple[str, tuple[type, ...]]] = [("The likelihood of held-out data", (Scores,))]
    if exporting and servable(model):
        check_exportable(model)
        if isinstance(model, Decodes):
            code_fields(model)
        missing = [v for v in VARIANTS if v not in variants_of(model)]
        wanted += [(f"The TFLite variant {v}", _NEEDED[v]) for v in missing]
    elif exporting:
        wanted.append(("The export", (Encodes, Decodes)))
    found = (lack(model, what, *capabilities) for what, capabilities in wanted)
    sentences = [sentence for sentence in found if sentence is not None]
    if exporting and settings.stages:
        sentences.append(_OF_STAGES)
    return sentences
