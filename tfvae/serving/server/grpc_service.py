"""TensorFlow Serving's PredictionService and ModelService, over gRPC."""

import functools
import logging
from collections.abc import Callable
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfvae.serving.server.limits import Limits
from tfvae.serving.server.models import Failure, Models
from tfvae.serving.server.refused import RefusedError, invalid
from tfvae.serving.server.rest import wrong_method
from tfvae.serving.server.running import run
from tfvae.serving.server.tensor_protos import from_proto, to_proto

LOGGER = logging.getLogger("tfvae.serving")


def answering(method: Callable) -> Callable:
    """Turns what a method raises into a gRPC status."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except RefusedError as refused:
            code, message = refused.code, refused.message
        except Exception:  # a bug of ours: the client gets an error, the log the traceback
            LOGGER.exception("%s", method.__name__)
            code, message = "INTERNAL", "internal error"
        context.abort(grpc.StatusCode[code], message)

    return answer


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; Classify, Regress and MultiInference are refused.

    Args:
        models: what is served.
        limits: bounds of requests and answers.
    """

    def __init__(self, models: Models, limits: Limits):
        self.models = models
        self.limits = limits

    @answering
    def Predict(self, request: Any) -> Any:  # noqa: N802
        """Runs a signature."""
        version = self.models.find(*_which(request))
        name = request.model_spec.signature_name or "serving_default"
        if name not in version.signatures:
            raise RefusedError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        signature = version.signatures[name]
        wanted = list(request.output_filter) or list(signature.outputs)
        for output in wanted:
            if output not in signature.outputs:
                raise invalid(f"output tensor alias not found in signature: {output}")
        inputs = {
            name: from_proto(name, proto, self.limits.elements)
            for name, proto in request.inputs.items()
        }
        outputs = run(signature, inputs, self.limits)
        reply = predict_pb2.PredictResponse()
        for output in wanted:
            reply.outputs[output].CopyFrom(to_proto(outputs[output]))
        reply.model_spec.name, reply.model_spec.signature_name = version.model, name
        reply.model_spec.version.value = version.number
        return reply

    @answering
    def GetModelMetadata(self, request: Any) -> Any:  # noqa: N802
        """The signatures of a model."""
        which = _which(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        version = self.models.find(*which)
        definitions = get_model_metadata_pb2.SignatureDefMap(signature_def=version.definitions)
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name = version.model
        reply.model_spec.version.value = version.number
        reply.metadata["signature_def"].Pack(definitions)
        return reply

    @answering
    def Classify(self, request: Any) -> Any:  # noqa: N802
        """Refused: the exported signatures are for Predict."""
        self.models.find(*_which(request))
        raise wrong_method("classify")

    @answering
    def Regress(self, request: Any) -> Any:  # noqa: N802
        """Refused: the exported signatures are for Predict."""
        self.models.find(*_which(request))
        raise wrong_method("regress")

    @answering
    def MultiInference(self, request: Any) -> Any:  # noqa: N802
        """Refused: it is made of Classify and Regress."""
        raise wrong_method("classify")


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; models are configured at the start, so HandleReloadConfigRequest is refused.

    Args:
        models: what is served.
    """

    def __init__(self, models: Models):
        self.models = models

    @answering
    def GetModelStatus(self, request: Any) -> Any:  # noqa: N802
        """The versions of a model and their states."""
        reply = get_model_status_pb2.GetModelStatusResponse()
        for number, state in self.models.states(*_which(request)).items():
            entry = reply.model_version_status.add(version=number)
            failed = isinstance(state, Failure)
            entry.state = entry.END if failed else entry.AVAILABLE
            if failed:
                entry.status.error_code = 2  # UNKNOWN
                entry.status.error_message = state.message
        return reply

    @answering
    def HandleReloadConfigRequest(self, request: Any) -> Any:  # noqa: N802
        """Refused."""
        raise RefusedError("UNIMPLEMENTED", "the development server is configured at its start")


def _which(request: Any) -> tuple[str, int | None, str | None]:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label or None
