"""Talking to exported models behind TensorFlow Serving: a client, its errors, a development server.

Importing this needs neither TensorFlow nor the rest of tfvae: REST asks for NumPy and `requests`,
gRPC for `tensorflow-serving-api` (which brings TensorFlow), the server for `waitress` as well.
"""

from tfvae.serving.client import Client
from tfvae.serving.errors import (
    AccessError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    ReplyError,
    ResourceExhaustedError,
    ServerError,
    ServingError,
    UnavailableError,
    UnsupportedError,
)

__all__ = [
    "AccessError",
    "Client",
    "DeadlineExceededError",
    "InvalidRequestError",
    "NotFoundError",
    "ReplyError",
    "ResourceExhaustedError",
    "ServerError",
    "ServingError",
    "UnavailableError",
    "UnsupportedError",
]
