"""TensorFlow Serving's gRPC interface, by `tensorflow-serving-api`, which imports TensorFlow."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tfvae.errors import UserImportError
from tfvae.serving.client import errors
from tfvae.serving.client.retries import Deadline
from tfvae.serving.json_tensors import NamedArrays

try:
    import grpc
    import tensorflow as tf
    from google.protobuf import json_format
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
except ImportError as error:
    raise UserImportError(
        "the gRPC client needs tensorflow-serving-api: pip install 'tfvae[serving]', or use the "
        "REST address (http://host:8501)"
    ) from error


class GrpcTransport:
    """Calls over gRPC: several times smaller than JSON, and without its conversion."""

    def __init__(self, url: str, which: Mapping, headers: Mapping, max_reply_bytes: int):
        options = [
            ("grpc.max_receive_message_length", max_reply_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", 0),  # ours are counted
            # Else a channel that was refused waits longer than we do.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        parts = urlsplit(url)
        if parts.scheme == "grpcs":
            channel = grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(), options)
        else:
            channel = grpc.insecure_channel(parts.netloc, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(channel)
        self._headers = tuple((name.lower(), value) for name, value in headers.items())
        self._which = {"version_label": which.get("label")}
        if "version" in which:
            self._which = {"version": {"value": which["version"]}}
        self.close = channel.close

    def predict(
        self, deadline: Deadline, model: str, signature: str, inputs: NamedArrays, output_name: str
    ) -> NamedArrays:
        """Calls a signature; outputs always come with their names."""
        request = predict_pb2.PredictRequest(
            model_spec={"name": model, "signature_name": signature, **self._which},
            inputs={name: tf.make_tensor_proto(array) for name, array in inputs.items()},
        )
        reply = self._call(deadline, self._prediction.Predict, request)
        try:
            return {name: tf.make_ndarray(proto) for name, proto in reply.outputs.items()}
        except (TypeError, ValueError) as error:
            raise errors.ReplyError(f"the reply holds no tensor: {error}") from error

    def describe(self, deadline: Deadline, model: str, what: str) -> Any:
        """A model's status, or "/metadata", as TensorFlow Serving's JSON has it."""
        fields: dict[str, Any] = {"model_spec": {"name": model, **self._which}}
        method, message = self._models.GetModelStatus, get_model_status_pb2.GetModelStatusRequest
        if what == "/metadata":
            method = self._prediction.GetModelMetadata
            message = get_model_metadata_pb2.GetModelMetadataRequest
            fields["metadata_field"] = ["signature_def"]
        return json_format.MessageToDict(
            self._call(deadline, method, message(**fields)),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )

    def _call(self, deadline: Deadline, method: Callable, request: Any) -> Any:
        try:
            return method(request, timeout=deadline.remaining(), metadata=self._headers)
        except grpc.RpcError as error:
            code = error.code().name
            if code == "DEADLINE_EXCEEDED":
                raise deadline.exceeded() from error
            raise errors.of_code(code, error.details() or code) from error
