"""A connection to a model server: any signature of any model."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.serving.client.errors import NotFoundError, UnavailableError
from tfvae.serving.client.retries import Deadline, with_retries
from tfvae.serving.client.transport import MAX_REPLY_BYTES, Target, Transport

Arrays = dict[str, np.ndarray]
C = TypeVar("C", bound="Connection")


class Connection:
    """Calls signatures by name; `Client` adds what the exported models' signatures mean.

    Args: see `Client`.
    """

    def __init__(
        self,
        url: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        retries: int = 3,
        prefix: str = "",
        headers: Mapping[str, str] | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ):
        if version is not None and label is not None:
            raise UserError(f"give a version ({version}) or a label ({label!r}), not both.")
        if not isinstance(retries, int) or not 0 <= retries <= 20:
            raise UserError(f"retries must be an integer from 0 to 20, received {retries!r}.")
        self.url = url
        self.version = version
        self.label = label
        self.timeout = real("timeout", timeout, above=0.0)
        self.retries = retries
        self.prefix = prefix
        self._transport = _transport(url, headers, max_reply_bytes)

    def predict(
        self,
        model: str,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        output_name: str = "output",
    ) -> Arrays:
        """Calls any signature of any model.

        Args:
            model: the servable's name, without the prefix.
            signature: its signature's name.
            inputs: arrays by name, of the signature's types; `bytes` in `object` arrays.
            output_name: over REST, TensorFlow Serving leaves out the name of an only output.
        """
        target = self._target(model)
        return self._call(
            lambda deadline: self._transport.predict(
                target, signature, inputs, output_name, deadline
            )
        )

    def status(self, model: str = "vae") -> dict[int, str]:
        """Version -> state ("AVAILABLE", "LOADING", ...) of the selected version, or of all."""
        target = self._target(model)
        return self._call(lambda deadline: self._transport.status(target, deadline))

    def metadata(self, model: str = "vae") -> dict[str, Any]:
        """Signature -> its inputs and outputs, as TensorFlow Serving's JSON describes them."""
        target = self._target(model)
        return self._call(lambda deadline: self._transport.metadata(target, deadline))

    def wait_until_available(
        self,
        models: tuple[str, ...] = ("encoder", "decoder", "vae"),
        timeout: float = 60.0,
    ) -> None:
        """Returns when each model has an available version.

        Raises:
            DeadlineExceededError: if `timeout` seconds did not suffice.
        """
        deadline = Deadline(real("timeout", timeout, above=0.0))
        for model in models:
            while not self._is_available(model, deadline):
                time.sleep(min(0.2, deadline.remaining()))

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _target(self, model: str) -> Target:
        return Target(self.prefix + model, self.version, self.label)

    def _call(self, call: Callable[[Deadline], Any]) -> Any:
        return with_retries(call, self.timeout, self.retries)

    def _is_available(self, model: str, deadline: Deadline) -> bool:
        try:
            states = self._transport.status(self._target(model), deadline)
        except (UnavailableError, NotFoundError):
            return False
        return "AVAILABLE" in states.values()


def _transport(url: str, headers: Mapping[str, str] | None, max_reply_bytes: int) -> Transport:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        from tfvae.serving.client.rest_transport import RestTransport

        return RestTransport(url, headers, max_reply_bytes)
    if parts.scheme in ("grpc", "grpcs") and parts.netloc and parts.path in ("", "/"):
        from tfvae.serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(parts.netloc, parts.scheme == "grpcs", headers, max_reply_bytes)
    raise UserError(
        f"url must be like http://host:8501 (REST) or grpc://host:8500 (gRPC), received {url!r}."
    )
