"""Versions that come and go while requests are answered: none is lost, none is wrong.

`TFVAE_LONG_RUN=600 pytest -n 0 -s tests/serving/test_version_changes.py` runs for ten minutes.
"""

import os
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np

from tests.serving.test_models import plus  # noqa: F401  (a fixture)
from tfvae.serving import Client
from tfvae.serving.server.server import DevelopmentServer

SECONDS = float(os.environ.get("TFVAE_LONG_RUN", "4"))
CLIENTS = 3  # of each interface


def asking(url, ended):
    """Calls until the end; counts answers of each version, and what is neither."""
    found, x = Counter(), np.float32([0.25, 0.5])
    with Client(url, retries=0) as client:
        while not ended.is_set():
            try:
                (y,) = client.predict("plus", "serving_default", {"x": x}).values()
            except Exception as error:
                found[f"lost: {error}"] += 1
                continue
            version, same = divmod(float(y[0]), 1.0)
            found[int(version) if (same, y[1] - y[0]) == (0.25, 0.25) else f"wrong: {y}"] += 1
    return found


def test_requests_during_version_changes_are_all_answered(plus, tmp_path):  # noqa: F811
    sets, ended, version = tmp_path / "sets", Event(), 1
    plus(sets / "1", 1)
    (tmp_path / "current").symlink_to("sets/1")
    (tmp_path / "plus").symlink_to("current/plus")
    with (
        DevelopmentServer(tmp_path, rest_port=0, grpc_port=0, poll_seconds=0.05) as server,
        ThreadPoolExecutor(2 * CLIENTS) as pool,
    ):
        urls = [server.rest_url, server.grpc_url] * CLIENTS
        calls = [pool.submit(asking, url, ended) for url in urls]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            version += 1
            plus(sets / str(version), version % 3 + 1)
            (tmp_path / "next").symlink_to(f"sets/{version}")
            (tmp_path / "next").replace(tmp_path / "current")
            time.sleep(0.3)
            shutil.rmtree(sets / str(version - 1))
        ended.set()
        found = sum((call.result() for call in calls), Counter())
    print(f"\n{sum(found.values())} requests, {version - 1} version changes:", dict(found))
    assert set(found) == {1, 2, 3}
    assert min(found.values()) > 10
