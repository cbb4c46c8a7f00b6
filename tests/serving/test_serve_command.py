"""`tfvae serve` as a process: what it says, and how it ends."""

import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from tfvae.cli.serve import command
from tfvae.serving import Client


def test_it_serves_until_sigterm(export_dir):
    arguments = ["serve", str(export_dir), "--rest-port", "0", "--grpc-port", "0"]
    started = [sys.executable, "-u", "-m", "tfvae", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(started, text=True, **pipes)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("REST at"):
                break
        assert any("Production is TensorFlow Serving" in line for line in lines)
        assert any(line == "vae 1: available" for line in lines)
        rest, grpc = (part.split()[-1] for part in lines[-1].split(", "))
        assert rest.startswith("http://127.0.0.1:")
        for url in (rest, grpc):
            with Client(url) as client:
                assert client.sample(2, seed=1).shape[0] == 2
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        rest_of_it = process.stdout.read()
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - began < 10
        assert rest_of_it.splitlines()[-1] == "stopped"
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "does not exist"),
        ([".", "--label", "stable"], "such as stable=3"),
        ([".", "--label", "=3"], "such as stable=3"),
        ([".", "--rest-port", "99999"], "--rest-port"),
        ([".", "--num-versions", "0"], "--num-versions"),
    ],
)
def test_wrong_options_are_usage_errors(arguments, message):
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    assert message in done.output
