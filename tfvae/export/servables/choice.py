"""Which servables a model makes: those that it has the capabilities for."""

from typing import Any

from tfvae.data.fields import input_shapes
from tfvae.errors import UserError
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.servables.signatures import NUMBERS, check_tensor_names
from tfvae.export.servables.vae import VAEServable
from tfvae.models.codes import check_codes

SERVABLES = (EncoderServable, DecoderServable, VAEServable)


def servables_of(model: Any) -> list[Any]:
    """Returns the classes of the servables that a model can make."""
    return [s for s in SERVABLES if all(isinstance(model, needed) for needed in s.needs)]


def check_exportable(model: Any) -> None:
    """Raises `UserError` for a model without weights, codes without names, or nothing to serve."""
    if not servables_of(model):
        raise UserError(
            f"{type(model).__name__} can be served by none of its methods: exporting needs a model "
            "that encodes or decodes; see tfvae.models.capabilities."
        )
    check_tensor_names(model, "field", model.fields(), {*NUMBERS, "image_bytes", "z"})
    if not model.built:
        raise UserError(
            "the model has no weights yet: fit it, call it on a batch, or "
            f"model.build({input_shapes(model.fields())}) before exporting"
        )
    check_codes(model)
