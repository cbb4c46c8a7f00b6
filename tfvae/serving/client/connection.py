"""A connection to a model server: any signature of any model."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.serving.client.errors import NotFoundError, ReplyError, UnavailableError
from tfvae.serving.client.rest_transport import RestTransport
from tfvae.serving.client.retries import Deadline, with_retries
from tfvae.serving.json_tensors import NamedArrays

MODELS = ("encoder", "decoder", "vae")  # that an export may have
T = TypeVar("T")


class Connection(contextlib.AbstractContextManager):
    """Calls signatures by name; `Client`, which see, adds what those of exported models mean."""

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
        which: dict[str, Any] = {} if version is None else {"version": version}
        which |= {} if label is None else {"label": label}
        self._transport = _transport(url)(url, which, headers or {}, max_reply_bytes)
        self.close = self._transport.close

    def predict(
        self, model: str, signature: str, inputs: NamedArrays, output_name: str = "output"
    ) -> NamedArrays:
        """Calls any signature of any model; the model's name is without the prefix.

        Inputs are of the signature's types, `bytes` in `object` arrays. Over REST, TensorFlow
        Serving leaves out the name of an only output: it gets `output_name`.
        """
        return self._call(self._transport.predict, model, signature, inputs, output_name)

    def status(self, model: str = "vae") -> dict[int, str]:
        """Version -> state ("AVAILABLE", "LOADING", ...) of the selected version, or of all."""
        return _states(self._call(self._transport.describe, model, ""))

    def metadata(self, model: str = "vae") -> dict[str, Any]:
        """Signature -> its inputs and outputs, as TensorFlow Serving's JSON describes them."""
        document = self._call(self._transport.describe, model, "/metadata")
        return _part(document, "metadata", "signature_def", "signature_def")

    def wait_until_available(self, models: tuple[str, ...] = MODELS, timeout: float = 60.0) -> None:
        """Returns when each model has a version to call; else raises `DeadlineExceededError`."""
        deadline = Deadline(real("timeout", timeout, above=0.0))
        for model in models:
            while True:
                with contextlib.suppress(UnavailableError, NotFoundError):
                    reply = self._transport.describe(deadline, self.prefix + model, "")
                    if "AVAILABLE" in _states(reply).values():
                        break
                time.sleep(min(0.2, deadline.remaining()))

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _call(self, method: Callable[..., T], model: str, *arguments: Any) -> T:
        name = self.prefix + model
        call = lambda deadline: method(deadline, name, *arguments)  # noqa: E731
        return with_retries(call, self.timeout, self.retries)


def _states(document: Any) -> dict[int, str]:
    entries = _part(document, "model_version_status")
    return {int(_part(entry, "version")): _part(entry, "state") for entry in entries}


def _part(document: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(document, dict) or name not in document:
            raise ReplyError(f"the reply has no {name!r}: is this TensorFlow Serving?")
        document = document[name]
    return document


def _transport(url: str) -> Callable:
    """What speaks to a url."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return RestTransport
    if parts.scheme in ("grpc", "grpcs") and parts.netloc and parts.path in ("", "/"):
        from tfvae.serving.client.grpc_transport import GrpcTransport  # which takes TensorFlow

        return GrpcTransport
    raise UserError(
        f"url must be like http://host:8501 (REST) or grpc://host:8500 (gRPC), received {url!r}."
    )
