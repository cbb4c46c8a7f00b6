"""What needs a process of its own: batches copied ahead, and XLA's own account."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


def test_streamed_batches_are_on_the_accelerator_before_the_step():
    host, ahead = (reported("prefetched")[name] for name in ("host", "ahead"))
    assert (host["device"], ahead["device"]) == ("CPU:0", "CPU:1")
    assert ahead["prepared"] == 2, "fit must copy its training and its validation images ahead"
    assert ahead["counted"] == 1, "steps_per_epoch streams too"
    assert ahead["history"] == host["history"]
    assert ahead["steps"] == host["steps"] == 3 * 3
    assert ahead["batches"] == host["batches"] == 3


def test_what_uses_a_trained_model_is_compiled_once_for_each_shape(tmp_path):
    """Not for each seed, step size, count of examples or steps or, where x is drawn, of samples."""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    counts = reported("compiled_calls", str(tmp_path), XLA_FLAGS=flags)
    assert counts.pop("sample") == [0, 0, 0], "TensorFlow's own kernels draw any number of samples"
    assert all(count == [1, 0, 0] for count in counts.values()), counts
    assert len(counts) == 11


def test_a_program_is_compiled_once_for_each_shape(tmp_path):
    """Not for each chunk, epoch or count of steps: the first call of each kind of step compiles."""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    counts = reported("compilations", str(tmp_path), XLA_FLAGS=flags)
    assert counts[:4] == [1, 0, 1, 0], "fit, fit step by step, evaluate, evaluate"
    assert counts[4:6] == [1, 0], "fit step by step, fit"
    assert counts[6:] == [1, 0, 1], "two fields, again, with another batch size"
