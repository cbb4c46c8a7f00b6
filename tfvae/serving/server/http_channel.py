"""A connection of the HTTP server: its errors are JSON, and reach the client."""

import contextlib
import socket
import time

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import Error

from tfvae.serving.server.rest import error_body


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
        self.channel.lingers = True
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a Content-Length of thousands of digits
            raise ParsingError("Content-Length is invalid") from error


class Channel(HTTPChannel):
    """One connection.

    Closing a socket while the client still sends resets the connection, and the client loses the
    answer that says why. So after an error it stops sending, and reads what comes for a while.
    """

    error_task_class = _JSONErrorTask
    parser_class = _Parser
    began: float | None = None  # when the first byte of an incomplete request arrived
    lingers = False
    answered: float | None = None  # when a lingering channel had sent all it had to say

    def handle_write(self) -> None:
        """Sends; closes after an error only when the client has had time to read it."""
        closing = self.lingers and self.close_when_flushed
        if closing:
            self.close_when_flushed = False
        super().handle_write()
        if closing and self.total_outbufs_len:
            self.close_when_flushed = True
        elif closing and self.connected:
            self.answered = time.monotonic()
            with contextlib.suppress(OSError):  # gone already
                self.socket.shutdown(socket.SHUT_WR)

    def readable(self) -> bool:
        """Whether to read what the client sends, if only to throw it away."""
        return (self.answered is not None and not self.will_close) or super().readable()

    def handle_read(self) -> None:
        """Reads a part of a request, or throws it away."""
        if self.answered is None:
            super().handle_read()
        elif not self.recv(self.adj.recv_bytes):
            self.will_close = True

    def received(self, data: bytes) -> bool:
        """Notes when a request began."""
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
