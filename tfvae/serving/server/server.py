"""The development server: models, HTTP, gRPC and the watcher, started and stopped together."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from tfvae.checks import positive_int, real
from tfvae.serving.server.http_server import HTTPServer
from tfvae.serving.server.limits import Limits
from tfvae.serving.server.models import Models
from tfvae.serving.server.rest import RestApplication

LOGGER = logging.getLogger("tfvae.serving")


class DevelopmentServer:
    """Serves an export folder on one machine; production is TensorFlow Serving.

    It speaks TensorFlow Serving's REST and gRPC interfaces and shares its answers' shapes, so that
    clients can be written where no container engine is at hand. It has no batching, no
    authentication and no TLS, and Python's speed: choose TensorFlow Serving for anything else.

    Args:
        models: the export folder, with `NAME/VERSION/saved_model.pb`; or another server's models.
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

    Example:
        >>> from tfvae.serving.server.server import DevelopmentServer
        >>> with DevelopmentServer("export/mnist") as server:  # doctest: +SKIP
        ...     print(server.rest_url, server.grpc_url)
    """

    def __init__(
        self,
        models: str | Path | Models,
        *,
        host: str = "127.0.0.1",
        rest_port: int = 8501,
        grpc_port: int | None = 8500,
        num_versions: int = 2,
        labels: Mapping[str, int] | None = None,
        limits: Limits | None = None,
        threads: int = 4,
        poll_seconds: float = 1.0,
    ):
        limits = limits or Limits()
        self._poll_seconds = real("poll_seconds", poll_seconds, above=0.0)
        threads = positive_int("threads", threads)
        given = isinstance(models, Models)
        self.models = models if given else Models(models, num_versions, labels)
        if grpc_port is not None:  # needs grpcio, which is optional
            from tfvae.serving.server.grpc_server import grpc_server
        application = RestApplication(self.models, limits)
        try:
            self._http = HTTPServer(application, host, rest_port, limits, threads)
        except OSError as error:
            raise OSError(f"can't listen at {host}:{rest_port} for REST: {error}") from error
        self._grpc, self.grpc_port = None, None
        if grpc_port is not None:
            try:
                self._grpc, self.grpc_port = grpc_server(
                    self.models, host, grpc_port, limits, threads
                )
            except OSError:
                self._http.stop()
                self._http.run()  # gives up its port and threads
                raise
        self.rest_port = int(self._http.effective_port)
        self._address = f"[{host}]" if ":" in host else host
        self._stopping = threading.Event()
        self._grace = limits.request_seconds
        self._threads = [
            threading.Thread(target=self._http.run, name="http", daemon=True),
            threading.Thread(target=self._watch, name="watch", daemon=True),
        ]

    @property
    def rest_url(self) -> str:
        """What a REST client connects to."""
        return f"http://{self._address}:{self.rest_port}"

    @property
    def grpc_url(self) -> str | None:
        """What a gRPC client connects to."""
        return None if self.grpc_port is None else f"grpc://{self._address}:{self.grpc_port}"

    def start(self) -> None:
        """Answers requests from now on, in threads of its own."""
        if self._grpc is not None:
            self._grpc.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Takes no more requests, finishes those it has, and returns."""
        self._stopping.set()
        self._http.stop()
        if self._grpc is not None:
            self._grpc.stop(self._grace).wait()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "DevelopmentServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.models.refresh()
            except Exception:  # such as a folder that can't be read for a moment
                LOGGER.exception("looking for new versions in %s", self.models.directory)
