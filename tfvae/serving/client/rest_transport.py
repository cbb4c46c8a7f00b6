"""TensorFlow Serving's REST interface, by `requests`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import requests

from tfvae.errors import UserError
from tfvae.serving import codes, json_text
from tfvae.serving.client import errors
from tfvae.serving.client.retries import Deadline
from tfvae.serving.client.transport import MAX_REPLY_BYTES, Target
from tfvae.serving.json_tensors import from_json, to_json

_CHUNK = 2**16
_CONNECTIONS = 64  # kept open for as many threads


class RestTransport:
    """Calls over HTTP, keeping connections open.

    Inputs go in the columnar format (`"inputs"`), which names each tensor once.

    Args:
        url: such as "http://localhost:8501".
        headers: sent with every request, such as `{"Authorization": "Bearer ..."}`.
        max_reply_bytes: a longer reply is an error.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ):
        self._failures = requests.exceptions
        self._session = requests.Session()
        pool = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS)
        self._session.mount("http://", pool)
        self._session.mount("https://", pool)
        self._session.headers.update(headers or {})
        self._url = url.rstrip("/")
        self._max_reply_bytes = max_reply_bytes

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        output_name: str,
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        """Calls a signature."""
        values = {name: to_json(array, array.dtype == object) for name, array in inputs.items()}
        document = {"signature_name": signature, "inputs": values}
        body = json_text.dumps(document, inputs.values())
        reply = self._call("POST", _path(target) + ":predict", deadline, body)
        if not isinstance(reply, dict) or "outputs" not in reply:
            raise errors.ReplyError("the reply has no 'outputs': is this TensorFlow Serving?")
        outputs = reply["outputs"]
        named = outputs if isinstance(outputs, dict) else {output_name: outputs}
        try:
            return {name: _array(value) for name, value in named.items()}
        except ValueError as error:
            raise errors.ReplyError(f"the reply holds no tensor: {error}") from error

    def status(self, target: Target, deadline: Deadline) -> dict[int, str]:
        """Version -> state."""
        reply = self._call("GET", _path(target), deadline)
        try:
            listed = reply["model_version_status"]
            return {int(entry["version"]): str(entry["state"]) for entry in listed}
        except (KeyError, TypeError, ValueError) as error:
            raise errors.ReplyError(f"the reply is no model status: {error!r}") from error

    def metadata(self, target: Target, deadline: Deadline) -> dict[str, Any]:
        """The signatures by name."""
        reply = self._call("GET", _path(target) + "/metadata", deadline)
        try:
            return reply["metadata"]["signature_def"]["signature_def"]
        except (KeyError, TypeError) as error:
            raise errors.ReplyError(f"the reply is no model metadata: {error!r}") from error

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _call(self, method: str, path: str, deadline: Deadline, body: bytes | None = None) -> Any:
        status, content = self._exchange(method, path, deadline, body)
        try:
            reply = json_text.loads(content)
        except (ValueError, RecursionError) as error:
            if status != 200:
                raise self._refused(status, content.decode("utf-8", "replace")[:200]) from error
            raise errors.ReplyError(f"the reply is not JSON: {error}", status=status) from error
        if status != 200:
            message = reply.get("error") if isinstance(reply, dict) else None
            raise self._refused(status, str(message or reply))
        return reply

    def _exchange(
        self, method: str, path: str, deadline: Deadline, body: bytes | None
    ) -> tuple[int, bytes]:
        failures = self._failures
        left = deadline.remaining()
        try:
            # Redirects are not followed: they would turn a POST into a GET.
            with self._session.request(
                method,
                self._url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body else None,
                timeout=(left, left),
                stream=True,
                allow_redirects=False,
            ) as response:
                return response.status_code, self._read(response, deadline)
        except failures.Timeout as error:
            raise deadline.exceeded() from error
        except failures.SSLError as error:
            raise errors.AccessError(f"no secure connection to {self._url}: {error}") from error
        except failures.ConnectionError as error:
            # So does requests report a timeout while the body is read.
            if type(error.args[0]).__name__ == "ReadTimeoutError":
                raise deadline.exceeded() from error
            message = f"no connection to {self._url}: {error}"
            raise errors.UnavailableError(message, "UNAVAILABLE") from error
        except failures.RequestException as error:
            raise errors.ReplyError(f"the call to {self._url} broke off: {error}") from error

    def _read(self, response: Any, deadline: Deadline) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(_CHUNK):
            deadline.remaining()
            size += len(part)
            if size > self._max_reply_bytes:
                raise errors.ResourceExhaustedError(
                    f"the reply is larger than {self._max_reply_bytes} bytes: ask for fewer rows "
                    "or samples, or raise max_reply_bytes",
                    "RESOURCE_EXHAUSTED",
                )
            parts.append(part)
        return b"".join(parts)

    def _refused(self, status: int, message: str) -> errors.ServingError:
        if 300 <= status < 400:
            return errors.ReplyError(f"{self._url} redirects elsewhere (HTTP {status})", "UNKNOWN")
        return errors.error(codes.from_http(status), message, status)


def _path(target: Target) -> str:
    path = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        return f"{path}/versions/{target.version}"
    if target.label is not None:
        return f"{path}/labels/{quote(target.label, safe='')}"
    return path


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype == object:
        raise UserError("its lists have different lengths")
    if array.dtype.kind == "U":
        return from_json(value, object)
    return array.astype(np.float32) if array.dtype.kind == "f" else array
