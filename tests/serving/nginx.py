"""The proxy of export/proxy, as nginx runs it, in front of a development server."""

import contextlib
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.serving.conftest import until

PROXY = Path(__file__).parents[2] / "export" / "proxy"
USER, PASSWORD = "ada", "correct horse"


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        secrets: the folder of its certificates and users.
        rest, grpc: its addresses, `https://...` and `grpcs://...`.
    """

    secrets: Path
    rest: str
    grpc: str


def nginx():
    """Path of the binary, which is not on everybody's path; None where it is not installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def configured(folder, edits):
    """The example's files in a folder, with certificates and a user."""
    text = (PROXY / "nginx.conf").read_text()
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "proxy").mkdir()
    (folder / "proxy" / "nginx.conf").write_text(text)
    names = [folder / "secrets", "localhost", "127.0.0.1"]
    subprocess.run(["sh", PROXY / "certificates.sh", *names], check=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
    )
    (folder / "secrets" / "users").write_text(f"{USER}:{hashed.stdout}")


@contextlib.contextmanager
def proxied(folder, rest_url, grpc_url, edits=()):
    """nginx before a server's addresses; `edits` are of its configuration."""
    ports = {name: free_port() for name in ("8443", "8444")}
    upstream = {"serving:8501": rest_url, "serving:8500": grpc_url}
    edits = {name: url.split("//")[1] for name, url in upstream.items()} | dict(edits)
    edits |= {f"listen {name}": f"listen 127.0.0.1:{port}" for name, port in ports.items()}
    configured(folder, edits)
    configuration = folder / "proxy" / "nginx.conf"
    command = [nginx(), "-p", folder, "-c", configuration, "-g", "daemon off; user root;"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(lambda: all(is_open(port) for port in ports.values()) or process.poll())
            assert process.poll() is None, (folder / "log").read_text()
            rest, grpc = (f"//127.0.0.1:{port}" for port in ports.values())
            yield Proxy(folder / "secrets", f"https:{rest}", f"grpcs:{grpc}")
        finally:
            process.terminate()
            process.wait(timeout=20)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def is_open(port):
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0
