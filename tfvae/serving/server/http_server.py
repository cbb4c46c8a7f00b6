"""The HTTP server: `waitress`, with its own errors in JSON and a limit on slow requests.

waitress reads and writes all sockets in one thread and hands complete requests to others, so a slow
client holds a connection but never a thread.
"""

import logging
import threading
import time
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import WSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from tfvae.serving.server.limits import Limits
from tfvae.serving.server.rest import error_body

_HEADER_BYTES = 16_384
# Above any answer: else a thread would wait for a client that reads slowly.
_NEVER_WAIT = 2**33


class RequestTimeout(Error):  # noqa: N818, as its siblings in waitress
    """A request that did not arrive completely."""

    code = 408
    reason = "Request Timeout"


class _JSONErrorTask(ErrorTask):
    """Answers what is no proper HTTP request."""

    def execute(self) -> None:
        error = self.request.error
        body = error_body(f"{error.reason}: {error.body}")
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a Content-Length of thousands of digits
            raise ParsingError("Content-Length is invalid") from error


class _Channel(HTTPChannel):
    error_task_class = _JSONErrorTask
    parser_class = _Parser
    began: float | None = None  # when the first byte of an incomplete request arrived

    def received(self, data: bytes) -> bool:
        taken = super().received(data)
        if self.request is None:
            self.began = None
        elif self.began is None:
            self.began = time.monotonic()
        return taken

    def give_up(self) -> None:
        """Answers an incomplete request with an error."""
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            self.request.error = RequestTimeout("the request did not arrive in time")
            self.request.completed = True
            self.requests.append(self.request)
            self.request = self.began = None
            self.server.add_task(self)


class HTTPServer(WSGIServer):
    """Serves a WSGI application until it is stopped.

    Args:
        application: the WSGI application.
        host: an address to listen at.
        port: 0 for a free one; `effective_port` says which.
        limits: bounds of requests.
        threads: how many requests are worked on at once.

    Raises:
        OSError: if the address can't be listened at.
    """

    channel_class = _Channel

    def __init__(self, application: Any, host: str, port: int, limits: Limits, threads: int):
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news here
        self.limits = limits
        self._stopping = threading.Event()
        super().__init__(
            application,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            max_request_body_size=limits.body_bytes + 1,  # waitress refuses from this size on
            max_request_header_size=_HEADER_BYTES,
            connection_limit=limits.connections,
            channel_timeout=int(2 * limits.request_seconds) or 1,
            cleanup_interval=1,
            outbuf_high_watermark=_NEVER_WAIT,
            asyncore_use_poll=True,  # select() fails from 1,024 open files on
        )

    def maintenance(self, now: float) -> None:
        """Called every second: gives up requests that take too long to arrive."""
        super().maintenance(now)
        latest = time.monotonic() - self.limits.request_seconds
        for channel in list(self.active_channels.values()):
            if channel.began is not None and channel.began < latest:
                channel.give_up()

    def run(self) -> None:
        """Serves until `stop`; then finishes what has begun, for some seconds at most."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
        self.accepting = False
        self.del_channel()
        self.socket.close()
        end = time.monotonic() + self.limits.request_seconds
        while self._busy() and time.monotonic() < end:
            wasyncore.loop(timeout=0.1, use_poll=True, map=self._map, count=1)
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        """Makes `run` return; callable from any thread and from a signal handler."""
        self._stopping.set()
        self.pull_trigger()

    def _busy(self) -> bool:
        channels = list(self.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)
