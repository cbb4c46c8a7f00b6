"""TensorFlow Serving's REST interface, by `requests`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import requests

from tfvae.errors import UserError
from tfvae.serving import codes
from tfvae.serving.client import errors
from tfvae.serving.client.retries import Deadline
from tfvae.serving.json_tensors import NamedArrays, dumps, from_json, loads, to_json


class RestTransport:
    """Calls over HTTP. Inputs go in the columnar format, which names each tensor once."""

    def __init__(self, url: str, which: Mapping, headers: Mapping, max_reply_bytes: int):
        self._session = requests.Session()
        self._session.stream = True
        self._session.headers.update({"Content-Type": "application/json", **headers})
        for scheme in ("http://", "https://"):  # connections are kept for 64 threads
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=64))
        self._url = url.rstrip("/")
        parts = (f"/{kind}s/{quote(str(value), safe='')}" for kind, value in which.items())
        self._which = "".join(parts)
        self._max_reply_bytes = max_reply_bytes
        self.close = self._session.close

    def predict(
        self, deadline: Deadline, model: str, signature: str, inputs: NamedArrays, output_name: str
    ) -> NamedArrays:
        """Calls a signature. `output_name` names an output that comes without a name."""
        values = {name: to_json(array, as_bytes=True) for name, array in inputs.items()}
        body = dumps({"signature_name": signature, "inputs": values}, inputs.values())
        reply = self.describe(deadline, model, ":predict", body)
        try:
            outputs = reply["outputs"]
            named = outputs if isinstance(outputs, dict) else {output_name: outputs}
            return {name: _array(value) for name, value in named.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise errors.ReplyError(f"the reply has no tensors as 'outputs': {error}") from error

    def describe(self, deadline: Deadline, model: str, what: str, body: bytes | None = None) -> Any:
        """The JSON at a model's address: its status, or "/metadata"; with a body, of a call."""
        url = f"{self._url}/v1/models/{quote(model, safe='')}{self._which}{what}"
        status, content = self._exchange(deadline, url, body)
        if 300 <= status < 400:
            raise errors.ReplyError(f"{self._url} redirects elsewhere (HTTP {status})")
        try:
            reply = loads(content)
        except UserError as error:
            if status == 200:
                raise errors.ReplyError(f"the reply is not JSON: {error}", status=status) from error
            reply = content.decode("utf-8", "replace")[:200]
        if status == 200:
            return reply
        message = reply.get("error", reply) if isinstance(reply, dict) else reply
        raise errors.of_code(codes.from_http(status), str(message), status)

    def _exchange(self, deadline: Deadline, url: str, body: bytes | None) -> tuple[int, bytes]:
        left = deadline.remaining()
        try:
            # Redirects are not followed: they would turn a POST into a GET.
            with self._session.request(
                "POST" if body else "GET", url, data=body, timeout=left, allow_redirects=False
            ) as response:
                return response.status_code, self._read(response, deadline)
        except requests.Timeout as error:
            raise deadline.exceeded() from error
        except requests.exceptions.SSLError as error:
            raise errors.AccessError(f"no secure connection to {self._url}: {error}") from error
        except requests.ConnectionError as error:
            # So does requests report a timeout while the body is read.
            if type(error.args[0]).__name__ == "ReadTimeoutError":
                raise deadline.exceeded() from error
            raise errors.of_code("UNAVAILABLE", f"no connection to {url}: {error}") from error
        except requests.RequestException as error:
            raise errors.ReplyError(f"the call to {self._url} broke off: {error}") from error

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        content = bytearray()
        for part in response.iter_content(2**16):
            deadline.remaining()
            content += part
            if len(content) > self._max_reply_bytes:
                message = f"a reply above max_reply_bytes, which is {self._max_reply_bytes} bytes"
                raise errors.of_code("RESOURCE_EXHAUSTED", message)
        return bytes(content)


def _array(value: Any) -> np.ndarray:
    """An output. JSON doesn't say its type: fractions are float32, all else as it is."""
    array = np.asarray(value)
    if array.dtype.kind in "UO":
        return from_json(value, object)
    return array.astype(np.float32) if array.dtype.kind == "f" else array
