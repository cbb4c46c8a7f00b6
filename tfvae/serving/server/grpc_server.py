"""TensorFlow Serving's PredictionService and ModelService, over gRPC."""

import functools
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.apis.predict_pb2 import PredictResponse

from tfvae.serving.server.models import Models
from tfvae.serving.server.predicting import run
from tfvae.serving.server.refusals import Limits, invalid, told


def grpc_server(models: Models, limits: Limits, threads: int) -> grpc.Server:
    """A gRPC server that has no port yet and is not started."""
    # It logs a traceback for each request that is no valid message; the client is told anyway.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
        options=[
            ("grpc.max_receive_message_length", limits.body_bytes),
            ("grpc.max_send_message_length", -1),  # bounded by limits.elements
            ("grpc.so_reuseport", 0),  # else two servers would share a port unnoticed
        ],
        maximum_concurrent_rpcs=limits.calls,
    )
    services = Services(models, limits)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(services, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, server)
    return server


def _answering(method: Callable) -> Callable:
    """Turns what a method raises into a gRPC status."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except Exception as error:
            code, message = told(error, method.__name__)
        context.abort(grpc.StatusCode[code], message)

    return answer


class Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Predict, GetModelMetadata and GetModelStatus. Other calls are answered UNIMPLEMENTED."""

    def __init__(self, models: Models, limits: Limits):
        self.models, self.limits = models, limits

    @_answering
    def Predict(self, request: Any) -> PredictResponse:  # noqa: N802
        """Runs a signature."""
        version = self.models.find(*_which(request))
        name = request.model_spec.signature_name or "serving_default"
        function = version.signature(name)
        wanted = list(request.output_filter) or list(function.structured_outputs)
        if set(wanted) - function.structured_outputs.keys() or len(set(wanted)) < len(wanted):
            raise invalid(f"an output tensor alias not found in the signature, or twice: {wanted}")
        most = self.limits.elements
        inputs = {key: from_proto(key, proto, most) for key, proto in request.inputs.items()}
        outputs = run(function, inputs, self.limits)
        spec = {"name": version.model, "signature_name": name, "version": {"value": version.number}}
        named = {key: to_proto(outputs[key]) for key in wanted}
        return PredictResponse(model_spec=spec, outputs=named)

    @_answering
    def GetModelMetadata(self, request: Any) -> Any:  # noqa: N802
        """The signatures of a model."""
        if set(request.metadata_field) != {"signature_def"}:
            raise invalid(f"metadata_field must be signature_def, not {request.metadata_field}")
        return self.models.metadata(*_which(request))

    @_answering
    def GetModelStatus(self, request: Any) -> Any:  # noqa: N802
        """The versions of a model and their states."""
        return self.models.status(*_which(request))


def _which(request: Any) -> tuple[str, int | None, str | None]:
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label or None


def from_proto(name: str, proto: TensorProto, most: int) -> np.ndarray:
    """The array in a client's message; `RefusedError` if it is none, or has too many elements.

    A message of some bytes can claim any shape, and a short list of values is repeated to fill it:
    so the shape is checked first.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise invalid(f"input {name!r} has no definite shape")
    if math.prod(sizes) > most:
        raise invalid(f"input {name!r} claims {math.prod(sizes)} numbers; {most} are allowed")
    try:
        return tf.make_ndarray(proto)
    except Exception as error:  # its checks are few: anything may come out of a wrong message
        raise invalid(f"input {name!r} holds no tensor: {error}") from error


def to_proto(array: np.ndarray) -> TensorProto:
    """The message of an array, floats where TensorFlow Serving puts them and clients look."""
    proto = tf.make_tensor_proto(array)
    if array.dtype == np.float32:
        proto.ClearField("tensor_content")
        proto.float_val[:] = array.ravel().tolist()
    return proto
