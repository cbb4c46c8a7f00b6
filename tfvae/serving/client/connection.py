"""A connection to a model server: any signature of any model."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.serving.client.errors import NotFoundError, UnavailableError
from tfvae.serving.client.retries import Deadline, with_retries

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
        max_reply_bytes: int = 512 * 2**20,
    ):
        if version is not None and label is not None:
            raise UserError(f"give a version ({version}) or a label ({label!r}), not both.")
        self.timeout = real("timeout", timeout, above=0.0)
        self.retries = positive_int("retries", retries, minimum=0)
        self.prefix = prefix
        transport = _transport(url)
        self._transport = transport(url, version, label, dict(headers or {}), max_reply_bytes)

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
        return self._call(self._transport.predict, model, signature, inputs, output_name)

    def status(self, model: str = "vae") -> dict[int, str]:
        """Version -> state ("AVAILABLE", "LOADING", ...) of the selected version, or of all."""
        return self._call(self._transport.status, model)

    def metadata(self, model: str = "vae") -> dict[str, Any]:
        """Signature -> its inputs and outputs, as TensorFlow Serving's JSON describes them."""
        return self._call(self._transport.metadata, model)

    def wait_until_available(
        self, models: tuple[str, ...] = ("encoder", "decoder", "vae"), timeout: float = 60.0
    ) -> None:
        """Returns when each model has an available version.

        Raises:
            DeadlineExceededError: if `timeout` seconds did not suffice.
        """
        deadline = Deadline(real("timeout", timeout, above=0.0))
        waiting = list(models)
        while waiting:
            with contextlib.suppress(UnavailableError, NotFoundError):
                states = self._transport.status(deadline, self.prefix + waiting[0])
                if "AVAILABLE" in states.values():
                    del waiting[0]
                    continue
            time.sleep(min(0.2, deadline.remaining()))

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _call(self, method: Callable, model: str, *arguments: Any) -> Any:
        name = self.prefix + model
        return with_retries(
            lambda deadline: method(deadline, name, *arguments), self.timeout, self.retries
        )


def _transport(url: str) -> Callable:
    """What speaks to a url: loaded only now, for gRPC takes TensorFlow along."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        from tfvae.serving.client.rest_transport import RestTransport

        return RestTransport
    if parts.scheme in ("grpc", "grpcs") and parts.netloc and parts.path in ("", "/"):
        from tfvae.serving.client.grpc_transport import GrpcTransport

        return GrpcTransport
    raise UserError(
        f"url must be like http://host:8501 (REST) or grpc://host:8500 (gRPC), received {url!r}."
    )
