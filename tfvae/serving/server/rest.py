"""TensorFlow Serving's REST paths, over `aiohttp`.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict
    GET  /v1/models/NAME[/versions/N|/labels/L]             status
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata    signatures

Every answer is JSON, errors are `{"error": message}`. Only what is no HTTP, or has a line longer
than 8 kB, is answered by aiohttp itself: status 400, plain text, and the connection is closed.

References:
    https://www.tensorflow.org/tfx/serving/api_rest;
    tensorflow_serving/model_servers/http_rest_api_util.cc
"""

import asyncio
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from google.protobuf import json_format

from tfvae.serving import codes
from tfvae.serving.server import json_predict
from tfvae.serving.server.models import Models
from tfvae.serving.server.predicting import run
from tfvae.serving.server.refusals import Limits, RefusedError, invalid, told

_WHICH = r"/v1/models/([^/:]+)(?:/versions/(\d{1,18})|/labels/([^/:]+))?"
_PATHS = {
    "POST": re.compile(f"{_WHICH}(:predict)", re.IGNORECASE),
    "GET": re.compile(f"{_WHICH}(/metadata)?", re.IGNORECASE),
}


class RestApplication:
    """Answers REST requests, so many at once as there are threads.

    Sockets are read and written in the event loop: a slow client holds a connection, no thread.
    One that does not read its answer holds that, too, for as long as it stays.
    """

    def __init__(self, models: Models, limits: Limits, threads: int):
        self.models, self.limits = models, limits
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="rest")
        self._calls = 0

    def runner(self) -> web.AppRunner:
        """What serves it at a site."""
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a line for each non-HTTP
        app = web.Application(client_max_size=self.limits.body_bytes)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=self.limits.request_seconds,
            lingering_time=2.0,  # a refused client's sending is read, so that it reads the answer
            shutdown_timeout=self.limits.request_seconds,
        )

    async def _handle(self, request: web.Request) -> web.Response:
        self._calls += 1
        try:
            status, body = 200, await self._answered(request)
        except web.HTTPRequestEntityTooLarge:
            status, message = 413, f"the body exceeds {self.limits.body_bytes} bytes"
        except asyncio.TimeoutError:
            status, message = 408, "the request did not arrive in time"
        except Exception as error:
            code, message = told(error, f"{request.method} {request.path}")
            status = codes.HTTP_STATUSES[code]
        finally:
            self._calls -= 1
        if status != 200:
            body = json.dumps({"error": message}).encode("ascii")
        return web.Response(body=body, status=status, content_type="application/json")

    async def _answered(self, request: web.Request) -> bytes:
        if self._calls > self.limits.calls:
            raise RefusedError("UNAVAILABLE", f"more than {self.limits.calls} requests at once")
        if (length := request.content_length or 0) > self.limits.body_bytes:
            raise web.HTTPRequestEntityTooLarge(self.limits.body_bytes, length)
        body = await asyncio.wait_for(request.read(), self.limits.request_seconds)
        return await asyncio.get_running_loop().run_in_executor(
            self._workers, self.answer, request.method, request.path, body
        )

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """The JSON that a request gets; `RefusedError` if it gets none."""
        matched = _PATHS[method].fullmatch(path) if method in _PATHS else None
        if not matched:
            if path.lower().startswith("/v1/"):
                raise invalid(f"Malformed request: {method} {path}")
            raise RefusedError("NOT_FOUND", f"Not found: {path}")
        name, version, label, what = matched.groups()
        which = (name, None if version is None else int(version), label)
        if method == "POST":
            return self._predict(which, json_predict.parsed(body))
        reply = json_format.MessageToDict(
            self.models.metadata(*which) if what else self.models.status(*which),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        if what:
            del reply["metadata"]["signature_def"]["@type"]
        return json.dumps(reply, indent=1).encode("ascii")

    def _predict(self, which: tuple, document: dict) -> bytes:
        function = self.models.find(*which).signature(document.get("signature_name", ""))
        inputs = json_predict.inputs(document, function.structured_input_signature[1])
        return json_predict.answer(document, run(function, inputs, self.limits))
