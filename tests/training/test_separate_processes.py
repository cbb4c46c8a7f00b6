"""What needs a process of its own: replicas, batches copied ahead, and XLA's own account."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def reported(script, *arguments, **environment):
    """What a script of this folder prints, run in a process with devices and flags of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.training.{script}", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def report():
    return reported("mirrored")


def test_two_replicas_train_on_the_same_scale_as_one(report):
    """A sum over replicas would double loss and step; each replica draws its own noise."""
    one, two = report["one"], report["two"]
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert two["kl"] == pytest.approx(one["kl"], rel=1e-4), "the closed form has no noise"
    for name in ("loss", "nll", "elbo"):
        # Of 16 images' noise at unit scale: a few per cent; a factor 2 would be 100.
        assert two[name] == pytest.approx(one[name], rel=0.1), name
    assert two["norm"] == pytest.approx(one["norm"], rel=0.3)
    assert one["steps"] == two["steps"] == 1 + 2 * 5


def test_replicas_draw_different_noise(report):
    first, second = report["seeds"]
    assert first != second


def test_streamed_batches_are_on_the_accelerator_before_the_step():
    host, ahead = (reported("prefetched")[name] for name in ("host", "ahead"))
    assert (host["device"], ahead["device"]) == ("CPU:0", "CPU:1")
    assert ahead["prepared"] == 2, "fit must copy its training and its validation images ahead"
    assert ahead["counted"] == 1, "steps_per_epoch streams too"
    assert ahead["history"] == host["history"]
    assert ahead["steps"] == host["steps"] == 3 * 3
    assert ahead["batches"] == host["batches"] == 3


def test_a_program_is_compiled_once_for_each_shape(tmp_path):
    """Not for each chunk, epoch or count of steps: the first call of each kind of step compiles."""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    counts = reported("compilations", str(tmp_path), XLA_FLAGS=flags)
    assert counts[:4] == [1, 0, 1, 0], "fit, fit step by step, evaluate, evaluate"
    assert counts[4:6] == [1, 0], "fit step by step, fit"
    assert counts[6:] == [1, 0, 1], "two fields, again, with another batch size"
