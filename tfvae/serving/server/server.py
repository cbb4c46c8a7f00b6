"""The development server: models, REST, gRPC and the watcher, started and stopped together."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tfvae.checks import positive_int, real
from tfvae.errors import UserOSError
from tfvae.serving.server.grpc_server import grpc_server
from tfvae.serving.server.models import Models
from tfvae.serving.server.refusals import LOGGER, Limits
from tfvae.serving.server.rest import RestApplication


class DevelopmentServer:
    """Serves an export folder on one machine while in a `with`; production is TensorFlow Serving.

    It speaks TensorFlow Serving's REST and gRPC interfaces and shares its answers' shapes, so that
    clients can be written where no container engine is at hand. It has no batching, authentication
    or TLS, and Python's speed.

    Args:
        directory: the export folder, with `NAME/VERSION/saved_model.pb`.
        host: an address to listen at; by default only this machine can connect.
        rest_port: 0 for a free one.
        grpc_port: 0 for a free one, None for no gRPC.
        num_versions: how many of each model's newest versions are served.
        labels: label -> version number.
        limits: bounds of requests and answers.
        threads: requests worked on at once, for each of the two interfaces.
        poll_seconds: how often the folder is looked at for new versions.

    Raises:
        FileNotFoundError: if nothing is exported there.
        OSError: if an address can't be listened at.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        host: str = "127.0.0.1",
        rest_port: int = 8501,
        grpc_port: int | None = 8500,
        num_versions: int = 1,
        labels: Mapping[str, int] | None = None,
        limits: Limits | None = None,
        threads: int = 4,
        poll_seconds: float = 1.0,
    ):
        limits = limits or Limits()
        self._poll_seconds = real("poll_seconds", poll_seconds, above=0.0)
        threads = positive_int("threads", threads)
        self.models = Models(directory, num_versions, labels)
        address = f"[{host}]" if ":" in host else host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.grpc_url, self._grpc = None, grpc_server(self.models, limits, threads)
        try:
            if grpc_port is not None:
                port = self._grpc.add_insecure_port(f"{address}:{grpc_port}")
                self.grpc_url = f"grpc://{address}:{port}"
            self._listening = socket.create_server((host, rest_port), family=family)
        except (OSError, RuntimeError) as error:
            ports = f"port {rest_port} for REST, {grpc_port} for gRPC"
            raise UserOSError(f"can't listen at {address}, {ports}: {error}") from error
        self.rest_url = f"http://{address}:{self._listening.getsockname()[1]}"
        self._started, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(limits, threads)), name="serve", daemon=True
        )

    def __enter__(self) -> "DevelopmentServer":
        """Answers requests from now on, in threads of its own."""
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes no more requests, finishes those it has, and returns."""
        self._stopping.set()
        self._thread.join()

    async def _serve(self, limits: Limits, threads: int) -> None:
        runner = RestApplication(self.models, limits, threads).runner()
        await runner.setup()
        await web.SockSite(runner, self._listening).start()
        self._grpc.start()
        self._started.set()
        while not await asyncio.to_thread(self._stopping.wait, self._poll_seconds):
            try:
                await asyncio.to_thread(self.models.refresh)
            except Exception:  # such as a folder that can't be read for a moment
                LOGGER.exception("looking for new versions in %s", self.models.directory)
        stopped = self._grpc.stop(limits.request_seconds)
        # asyncio forgets a connection that it accepts in the turn in which it is told to stop, and
        # aiohttp one that it has not set up yet: so first let none in, and give those turns.
        with contextlib.suppress(NotImplementedError):  # on Windows
            asyncio.get_running_loop().remove_reader(self._listening)
        for _ in range(5):
            await asyncio.sleep(0.01)
        await runner.cleanup()
        await asyncio.to_thread(stopped.wait)


def serve(directory: str | Path, **options: Any) -> None:
    """A `DevelopmentServer` until SIGINT or SIGTERM, which then answers what it has; it prints
    addresses, models and what happens to them.
    """
    LOGGER.setLevel(logging.INFO)
    LOGGER.handlers, LOGGER.propagate = [logging.StreamHandler(sys.stdout)], False
    server = DevelopmentServer(directory, **options)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with server:
        urls = {"REST": server.rest_url, "gRPC": server.grpc_url}
        LOGGER.info(", ".join(f"{kind} at {url}" for kind, url in urls.items() if url))
        if options.get("host", "127.0.0.1") not in ("127.0.0.1", "::1", "localhost"):
            LOGGER.info("Warning: other machines can reach this, and nothing asks who they are.")
        while not ended.wait(1.0):  # a wait without end would hold back signals on Windows
            pass
        LOGGER.info("stopping: answering the requests that are under way")
    LOGGER.info("stopped")
