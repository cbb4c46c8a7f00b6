"""Talking to exported models behind TensorFlow Serving: a client, its errors, a development server.

Importing this does not import TensorFlow, and REST never does: a call is made in the time that
NumPy and `requests` take to load. gRPC's messages come from `tensorflow-serving-api`, which imports
TensorFlow; that and the server need `pip install 'tfvae[serving]'`.
"""

from tfvae.serving.client.about import ServedSet
from tfvae.serving.client.client import Client
from tfvae.serving.client.errors import (
    AccessError,
    DeadlineExceededError,
    InvalidRequestError,
    MixedSetsError,
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
    "MixedSetsError",
    "NotFoundError",
    "ReplyError",
    "ResourceExhaustedError",
    "ServedSet",
    "ServerError",
    "ServingError",
    "UnavailableError",
    "UnsupportedError",
]
