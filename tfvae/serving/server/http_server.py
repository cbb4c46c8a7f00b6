"""The HTTP server: `waitress`, with a limit on slow requests, which ends with what it has begun.

waitress reads and writes all sockets in one thread and hands complete requests to others, so a slow
client holds a connection but never a thread.
"""

import logging
import os
import socket
import threading
import time
from typing import Any

from waitress import wasyncore
from waitress.server import WSGIServer

from tfvae.serving.server.http_channel import Channel
from tfvae.serving.server.limits import Limits

_HEADER_BYTES = 16_384
# Above any answer: else a thread would wait for a client that reads slowly.
_NEVER_WAIT = 2**33
_LINGER_SECONDS = 3.0


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

    channel_class = Channel

    def __init__(self, application: Any, host: str, port: int, limits: Limits, threads: int):
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news here
        self.limits = limits
        self._stopping = threading.Event()
        self._waking = threading.Lock()
        self._ended = False
        super().__init__(
            application,
            _sock=_bound(host, port),
            bind_socket=False,
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
        now = time.monotonic()
        for channel in list(self.active_channels.values()):
            if channel.began is not None and now - channel.began > self.limits.request_seconds:
                channel.give_up()
            if channel.answered is not None and now - channel.answered > _LINGER_SECONDS:
                channel.will_close = True

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
        with self._waking:
            self._ended = True
            wasyncore.close_all(self._map)

    def stop(self) -> None:
        """Makes `run` return; callable from any thread."""
        self._stopping.set()
        self.pull_trigger()

    def pull_trigger(self) -> None:
        """Wakes the loop of `run`; once that has ended, does nothing.

        `run` may end by itself between the two lines of `stop`, and a worker may outlive it. The
        pipe is closed then, and its number perhaps another file's.
        """
        with self._waking:
            if not self._ended:
                super().pull_trigger()

    def _busy(self) -> bool:
        channels = list(self.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address; bound here, because waitress leaks threads where that fails."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
