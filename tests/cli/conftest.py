"""One small run, killed in the middle of an epoch and taken up again, to look at."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SETTINGS = {
    "epochs": 3,
    "batch_size": 64,  # 23 steps an epoch
    "steps_per_execution": 5,
    "units": (16,),
    "latent_size": 2,
    "callback": "linear_weight",
    "callback.epochs": 3,
    "eval_samples": 5,
    "eval_examples": 20,
}
EPOCHS_BEFORE = 1
_STEP = 23 * EPOCHS_BEFORE + 10  # within the next epoch

# Runs the command line, and is killed without warning at the step.
_KILLED = f"""
import os, signal, sys
from tfvae.runs.progress import Progress
def kill(self, batch, logs=None):
    if int(self.model.optimizer.iterations) == {_STEP}:
        os.kill(os.getpid(), signal.SIGKILL)
Progress.on_train_batch_end = kill
from tfvae.cli.main import main
main(sys.argv[1:])
"""


@dataclass
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def tfvae_command(capfd):
    """Runs a command in this process."""
    from tfvae.cli.main import main

    def run(*arguments: Any) -> Outcome:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as request:
            code = request.code or 0
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def command(tmp_path, tfvae_command, monkeypatch):
    """Runs a command in a folder of its own: (exit code, what was printed)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = tfvae_command(*arguments)
        return done.code, done.out + done.err

    return run


def train_arguments(folder: Path, name: str) -> list[str]:
    """The command line of the run."""
    options = []
    for setting, value in SETTINGS.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        options += [f"--{setting.replace('_', '-')}", text]
    return ["train", "digits", "--name", name, "--runs-dir", str(folder), "--no-export", *options]


@pytest.fixture(scope="session")
def killed_history(tmp_path_factory) -> tuple[Path, str]:
    """The folder of a run whose process was killed, and the history it had by then."""
    folder = tmp_path_factory.mktemp("runs")
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *train_arguments(folder, "killed")],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (folder / "killed" / "model.keras").exists()
    return folder / "killed", (folder / "killed" / "history.csv").read_text("utf-8")


@pytest.fixture(scope="session")
def resumed(killed_history):
    """The same run, taken up and finished: (what `train` returned, what it said)."""
    from tfvae import presets
    from tfvae.runs.training import train

    said: list[str] = []
    return train(presets.get("digits", **SETTINGS), killed_history[0], report=said.append), said
