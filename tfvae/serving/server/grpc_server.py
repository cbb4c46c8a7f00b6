"""The gRPC server that the services run in."""

import logging
from concurrent.futures import ThreadPoolExecutor

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from tfvae.serving.server.grpc_service import ModelService, PredictionService
from tfvae.serving.server.limits import Limits
from tfvae.serving.server.models import Models


def grpc_server(
    models: Models, host: str, port: int, limits: Limits, threads: int
) -> tuple[grpc.Server, int]:
    """A gRPC server, not yet started, and its port.

    Raises:
        OSError: if the address can't be listened at.
    """
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
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, limits), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
    address = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_insecure_port(f"{address}:{port}")
    except RuntimeError as error:
        raise OSError(f"can't listen at {address}:{port} for gRPC: {error}") from error
    if not bound:
        raise OSError(f"can't listen at {address}:{port} for gRPC")
    return server, bound
