"""TensorFlow Serving's gRPC interface, by `tensorflow-serving-api`, which imports TensorFlow."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfvae.errors import UserImportError
from tfvae.serving import codes
from tfvae.serving.client import errors
from tfvae.serving.client.retries import Deadline
from tfvae.serving.client.transport import MAX_REPLY_BYTES, Target


class GrpcTransport:
    """Calls over gRPC: several times smaller than JSON, and without its conversion.

    Args:
        address: host and port, such as "localhost:8500".
        secure: whether to use TLS, with the system's root certificates.
        headers: metadata sent with every call, such as `{"authorization": "Bearer ..."}`.
        max_reply_bytes: a longer reply is an error.
    """

    def __init__(
        self,
        address: str,
        secure: bool = False,
        headers: Mapping[str, str] | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ):
        try:
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
        except ImportError as error:
            raise UserImportError(
                "the gRPC client needs tensorflow-serving-api: pip install 'tfvae[serving]', or "
                "use the REST address (http://host:8501)"
            ) from error
        self._grpc, self._tf = grpc, tf
        options = [
            ("grpc.max_receive_message_length", max_reply_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", 0),  # ours are counted
            # Else a channel that was refused waits longer than we do.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        if secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._metadata = tuple((name.lower(), value) for name, value in (headers or {}).items())

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        output_name: str,
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        """Calls a signature."""
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        _fill(request.model_spec, target)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(self._tf.make_tensor_proto(array))
        reply = self._call(self._prediction.Predict, request, deadline)
        try:
            return {name: self._tf.make_ndarray(proto) for name, proto in reply.outputs.items()}
        except (TypeError, ValueError) as error:
            raise errors.ReplyError(f"the reply holds no tensor: {error}") from error

    def status(self, target: Target, deadline: Deadline) -> dict[int, str]:
        """Version -> state."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        _fill(request.model_spec, target)
        reply = self._call(self._models.GetModelStatus, request, deadline)
        names = get_model_status_pb2.ModelVersionStatus.State
        return {entry.version: names.Name(entry.state) for entry in reply.model_version_status}

    def metadata(self, target: Target, deadline: Deadline) -> dict[str, Any]:
        """The signatures by name."""
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _fill(request.model_spec, target)
        reply = self._call(self._prediction.GetModelMetadata, request, deadline)
        found = get_model_metadata_pb2.SignatureDefMap()
        if not reply.metadata["signature_def"].Unpack(found):
            raise errors.ReplyError("the reply is no model metadata")
        return json_format.MessageToDict(
            found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )["signature_def"]

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def _call(self, method: Callable, request: Any, deadline: Deadline) -> Any:
        try:
            return method(request, timeout=deadline.remaining(), metadata=self._metadata)
        except self._grpc.RpcError as error:
            code = codes.NAMES.get(error.code().value[0], "UNKNOWN")
            if code == "DEADLINE_EXCEEDED":
                raise deadline.exceeded() from error
            raise errors.error(code, error.details() or code) from error


def _fill(spec: Any, target: Target) -> None:
    spec.name = target.model
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label
