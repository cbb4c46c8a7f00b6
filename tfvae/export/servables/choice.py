"""Which servables a model makes: those that it has the capabilities for."""

from typing import TYPE_CHECKING, Any

from tfvae.data.fields import input_shapes
from tfvae.errors import UserError, UserTypeError
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.servables.signatures import NUMBERS, check_tensor_names
from tfvae.export.servables.vae import VAEServable
from tfvae.models.capabilities import Scores, require
from tfvae.models.codes import check_codes

if TYPE_CHECKING:
    from tfvae.uses.anomaly import AnomalyDetector

SERVABLES = (EncoderServable, DecoderServable, VAEServable)


def servables_of(model: Any) -> list[Any]:
    """Returns the classes of the servables that a model can make."""
    return [s for s in SERVABLES if all(isinstance(model, needed) for needed in s.needs)]


def made_servable(
    servable: type, model: Any, anomaly: "AnomalyDetector | None" = None, **options: Any
) -> Any:
    """Returns a servable of a model; the one of whole models takes the detector, where given."""
    if anomaly is not None and servable is VAEServable:
        options["anomaly"] = anomaly
    return servable(model, **options)


def check_detector(model: Any, anomaly: "AnomalyDetector") -> None:
    """Raises unless a detector is fitted, of this very model, and can be served."""
    from tfvae.uses.anomaly import AnomalyDetector  # scikit-learn, and only where it is needed

    if not isinstance(anomaly, AnomalyDetector):
        raise UserTypeError(
            f"anomaly is {anomaly!r}; expected a fitted tfvae.uses.AnomalyDetector of the model."
        )
    require(model, "the signature anomaly", *VAEServable.needs, Scores)
    if getattr(anomaly, "model_", None) is not model:
        raise UserError(
            "The detector is not fitted, or of another model. Export what it was fitted with: "
            "saved_model(detector.model_, directory, anomaly=detector)."
        )


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
