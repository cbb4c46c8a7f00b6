"""export/healthcheck.sh, which tells a container engine whether the servables answer."""

import http.server
import json
import shutil
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tfvae.serving.server.server import DevelopmentServer

SCRIPT = Path(__file__).parents[2] / "export" / "healthcheck.sh"


def checked(url, *servables):
    """The script's exit status, and what it says."""
    address = urlsplit(url).netloc.replace(":", "/")
    done = subprocess.run(
        ["bash", SCRIPT, *servables],
        env={"TFVAE_REST": address, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout


def test_servables_that_answer_are_healthy(server):
    assert checked(server.rest_url, "encoder", "decoder", "vae") == (0, "")


def test_one_that_is_missing_is_not(server):
    assert checked(server.rest_url, "encoder", "none") == (1, "none: no version is AVAILABLE\n")


def test_one_that_cannot_be_loaded_is_not(export_dir, tmp_path):
    for name in ("encoder", "decoder"):
        shutil.copytree(export_dir / name, tmp_path / name)
    (tmp_path / "decoder" / "1" / "saved_model.pb").write_bytes(b"AVAILABLE")
    with DevelopmentServer(tmp_path, rest_port=0, grpc_port=None) as running:
        assert checked(running.rest_url, "encoder") == (0, "")
        code, said = checked(running.rest_url, "encoder", "decoder")
        # What export/kserve.yaml asks: the status page answers 200 for both.
        models = f"{running.rest_url}/v1/models"
        for name, statuses in {"encoder": (200, 200), "decoder": (200, 404)}.items():
            pages = (f"{models}/{name}", f"{models}/{name}/metadata")
            assert tuple(requests.get(page, timeout=20).status_code for page in pages) == statuses
    assert (code, said) == (1, "decoder: no version is AVAILABLE\n")


@pytest.fixture
def answering():
    """A server that answers a status with what it is given, as TensorFlow Serving writes it."""
    servers = []

    def start(*versions, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"model_version_status": versions}, indent=1).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def version(state, message=""):
    return {"version": "1", "state": state, "status": {"error_message": message}}


@pytest.mark.parametrize(
    ("versions", "code"),
    [
        ([version("AVAILABLE")], 0),
        ([version("LOADING"), version("AVAILABLE")], 0),
        ([version("START")], 1),
        ([version("LOADING")], 1),
        ([version("UNLOADING")], 1),
        ([version("END", "UNAVAILABLE: the file system is not AVAILABLE")], 1),
        ([version("END", 'it said "state": "AVAILABLE"')], 1),
        ([version("UNAVAILABLE")], 1),
        ([], 1),
    ],
)
def test_the_state_counts_and_no_other_word(answering, versions, code):
    assert checked(answering(*versions), "vae")[0] == code


def test_an_error_is_not_healthy(answering):
    assert checked(answering(version("AVAILABLE"), status=503), "vae")[0] == 1


def test_nobody_there_is_not_healthy(unused_port):
    assert checked(f"http://127.0.0.1:{unused_port}", "vae")[0] == 1


def test_servables_must_be_named(server):
    assert checked(server.rest_url)[0] == 2
