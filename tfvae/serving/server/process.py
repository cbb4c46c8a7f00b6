"""The development server as a process: until a signal ends it."""

import ipaddress
import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfvae.serving.server.server import DevelopmentServer


def serve(directory: str | Path, report: Callable[[str], None], **options: Any) -> None:
    """Serves until SIGINT or SIGTERM, then answers what it has and returns.

    Args:
        directory: the export folder.
        report: called with lines about addresses, models and what happens to them.
        **options: of `DevelopmentServer`.
    """
    _report_log(report)
    server = DevelopmentServer(directory, **options)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with server:
        report(
            f"REST at {server.rest_url}" + (f", gRPC at {server.grpc_url}" * bool(server.grpc_url))
        )
        if not _is_loopback(options.get("host", "127.0.0.1")):
            report("Warning: other machines can reach this server, and nothing asks who they are.")
        while not ended.wait(1.0):  # a wait without end would hold back signals on Windows
            pass
        report("stopping: answering the requests that are under way")
    report("stopped")


class _Reporting(logging.Handler):
    def __init__(self, report: Callable[[str], None]):
        super().__init__(logging.INFO)
        self.report = report

    def emit(self, record: logging.LogRecord) -> None:
        self.report(self.format(record))


def _report_log(report: Callable[[str], None]) -> None:
    logger = logging.getLogger("tfvae.serving")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Reporting(report)]
    logger.propagate = False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
