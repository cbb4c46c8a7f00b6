"""TensorFlow Serving's REST paths, over `aiohttp`.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict
    GET  /v1/models/NAME[/versions/N|/labels/L]             status
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata    signatures

Every answer is JSON, errors are `{"error": message}`. Only what is no HTTP, or has a line longer
than 8 kB, is answered by aiohttp itself: status 400 with plain text.

References:
    https://www.tensorflow.org/tfx/serving/api_rest;
    tensorflow_serving/model_servers/http_rest_api_util.cc
"""

import asyncio
import json
import logging
import re
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from google.protobuf import json_format

from tfvae.serving import codes
from tfvae.serving.server import json_predict
from tfvae.serving.server.models import Models
from tfvae.serving.server.predicting import run
from tfvae.serving.server.refusals import Limits, RefusedError, invalid, refusal

_WHICH = r"/v1/models/([^/:]+)(?:/versions/(\d{1,30})|/labels/([^/:]+))?"
_PATHS = {
    "POST": re.compile(f"{_WHICH}(:predict)", re.IGNORECASE),
    "GET": re.compile(f"{_WHICH}(/metadata)?", re.IGNORECASE),
}
_LINGER_SECONDS = 2.0  # what a refused client still sends is read, so that it reads the answer


def answer(models: Models, limits: Limits, method: str, path: str, body: bytes) -> bytes:
    """The JSON that a request gets.

    Raises:
        RefusedError: if it gets none.
    """
    matched = _PATHS[method].fullmatch(path) if method in _PATHS else None
    if not matched:
        if path.lower().startswith("/v1/"):
            raise invalid(f"Malformed request: {method} {path}")
        raise RefusedError("NOT_FOUND", f"Not found: {path}")
    name, version, label, what = matched.groups()
    if version is not None and int(version) >= 2**63:
        raise invalid(f"Failed to convert version: {version} to numeric.")
    which = (name, None if version is None else int(version), label)
    if method == "POST":
        document = json_predict.parsed(body)
        function = models.find(*which).signature(document.get("signature_name", ""))
        inputs = json_predict.inputs(document, function.structured_input_signature[1])
        return json_predict.answer(document, run(function, inputs, limits))
    reply = json_format.MessageToDict(
        models.metadata(*which) if what else models.status(*which),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    if what:
        del reply["metadata"]["signature_def"]["@type"]
    return json.dumps(reply, indent=1).encode("ascii")


class RestServer:
    """Answers REST requests, in threads of its own.

    All sockets are read and written in one thread and complete requests are answered in others, so
    that a slow client holds a connection but never a thread. One that does not read its answer
    holds that, too, for as long as it stays.

    Args:
        models: what is served.
        limits: bounds of requests and answers.
        listening: a socket at the server's address.
        threads: how many requests are worked on at once.
    """

    def __init__(self, models: Models, limits: Limits, listening: socket.socket, threads: int):
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a line for each non-HTTP
        self._models, self._limits, self._listening = models, limits, listening
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="rest")
        self._calls = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)

    def start(self) -> None:
        """Answers requests from now on."""
        self._thread.start()
        self._in_loop(self._start())

    def stop(self) -> None:
        """Takes no more requests, finishes those it has, and returns."""
        self._in_loop(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._workers.shutdown()

    def _in_loop(self, coroutine: Coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> None:
        app = web.Application(client_max_size=self._limits.body_bytes)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=self._limits.request_seconds,
            lingering_time=_LINGER_SECONDS,
            shutdown_timeout=self._limits.request_seconds,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()

    async def _stop(self) -> None:
        for site in self._runner.sites:
            await site.stop()
        await asyncio.sleep(0.1)  # what was accepted last shows itself, else cleanup waits for it
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self._calls += 1
        try:
            status, body = 200, await self._answered(request)
        except web.HTTPRequestEntityTooLarge:
            status, refused = 413, f"the body exceeds {self._limits.body_bytes} bytes"
        except asyncio.TimeoutError:
            status, refused = 408, "the request did not arrive in time"
        except Exception as error:
            refused = refusal(error, f"{request.method} {request.path}")
            status, refused = codes.HTTP_STATUSES[refused.code], refused.message
        finally:
            self._calls -= 1
        if status != 200:
            body = json.dumps({"error": refused}).encode("ascii")
        return web.Response(body=body, status=status, content_type="application/json")

    async def _answered(self, request: web.Request) -> bytes:
        if self._calls > self._limits.calls:
            raise RefusedError("UNAVAILABLE", f"more than {self._limits.calls} requests at once")
        if (request.content_length or 0) > self._limits.body_bytes:
            raise web.HTTPRequestEntityTooLarge(self._limits.body_bytes, request.content_length)
        body = await asyncio.wait_for(request.read(), self._limits.request_seconds)
        call = (answer, self._models, self._limits, request.method, request.path, body)
        return await asyncio.get_running_loop().run_in_executor(self._workers, *call)
