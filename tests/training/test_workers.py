"""One device, two replicas of one process and two workers train alike, to rounding."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.models.tiny import vae
from tests.training import trainings

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 240
WORKERS = ("first worker", "second worker")
SEVERAL = ("mirrored", *WORKERS)
TRAININGS = {
    "mirrored": (
        "arrays",
        "normalised",
        "synchronised",
        "optimal_scale",
        "phases",
        "labelled",
        "codes",
    ),
    **dict.fromkeys(WORKERS, ("loaded", "arrays", "normalised")),
}
ALIKE = (
    "loaded",
    "arrays",
    "synchronised",
    "optimal_scale",
    "phases",
    "labelled",
    "codes",
)  # replicas normalise with their own rows


@pytest.fixture(scope="module")
def results():
    """By who trained: name -> what came of each training. The processes run beside each other."""
    with tempfile.TemporaryDirectory() as folder:
        started = {
            name: _start(Path(folder, name), name, environment)
            for name, environment in _environments().items()
        }
        try:
            one = trainings.results(tf.distribute.get_strategy(), *ALIKE)
            _wait(started, Path(folder))
        finally:
            for process in started.values():
                process.kill()
                process.wait()
        found = {
            name: json.loads(Path(folder, name).read_text().splitlines()[-1]) for name in started
        }
    return {"one": one, **found}


def _environments():
    sockets = [socket.socket() for _ in range(2)]
    for free in sockets:
        free.bind(("localhost", 0))
    workers = [f"localhost:{free.getsockname()[1]}" for free in sockets]
    for free in sockets:
        free.close()

    def worker(index):
        task = {"type": "worker", "index": index}
        return {"TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": task})}

    return {"mirrored": {}, **{name: worker(index) for index, name in enumerate(WORKERS)}}


def _start(path, name, environment):
    strategy = "workers" if name in WORKERS else name
    command = [sys.executable, "-m", "tests.training.replicated", strategy, *TRAININGS[name]]
    with path.open("w") as out, path.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            command,
            stdout=out,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        )


def _wait(started, folder):
    """Until all are done; a worker whose peer fails would wait for ever."""
    end = time.monotonic() + LIMIT_SECONDS
    while any(process.poll() is None for process in started.values()):
        failed = [name for name, process in started.items() if process.poll()]
        assert not failed, (folder / failed[0]).with_suffix(".log").read_text()[-3000:]
        assert time.monotonic() < end, f"not done after {LIMIT_SECONDS} s"
        time.sleep(0.2)
    assert not any(process.returncode for process in started.values())


def test_there_are_two_replicas_and_one_chief(results):
    assert [results[name]["replicas"] for name in ("one", *SEVERAL)] == [1, 2, 2, 2]
    assert [results[name]["chief"] for name in ("one", *SEVERAL)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("name", "training"), [(n, t) for n in SEVERAL for t in TRAININGS[n] if t in ALIKE]
)
def test_logs_and_weights_are_those_of_one_device(results, name, training):
    """Also where a replica has fewer rows of the last batch than the other, or none."""
    expected, found = results["one"][training], results[name][training]
    assert found["history"].keys() == expected["history"].keys()
    for key, values in expected["history"].items():
        # Sums of some thousand float32 numbers in another order.
        np.testing.assert_allclose(found["history"][key], values, rtol=2e-6, err_msg=key)
    np.testing.assert_allclose(found["weights"], expected["weights"], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("training", TRAININGS["first worker"])
def test_both_workers_end_with_the_same_weights(results, training):
    first, second = (results[name][training]["weights"] for name in WORKERS)
    assert first == second


@pytest.mark.parametrize("name", SEVERAL)
def test_every_batch_and_every_loop_of_keras_counts_all_rows(results, name):
    expected, found = results["one"]["arrays"], results[name]["arrays"]
    assert len(expected["batches"]) == 2 * 4
    for logs, others in zip(
        [*expected["batches"], expected["evaluated"], expected["on_batch"]],
        [*found["batches"], found["evaluated"], found["on_batch"]],
        strict=True,
    ):
        assert others == pytest.approx(logs, rel=2e-6)


@pytest.mark.parametrize("name", SEVERAL)
def test_predictions_are_in_the_order_of_the_rows(results, name):
    expected, found = results["one"]["arrays"], results[name]["arrays"]
    assert len(set(expected["predicted"])) > 1, "rows must differ for their order to be seen"
    np.testing.assert_allclose(found["predicted"], expected["predicted"], rtol=1e-6)
    np.testing.assert_allclose(found["on_one"], expected["on_one"], rtol=1e-6)


@pytest.mark.parametrize("name", SEVERAL)
def test_moving_statistics_are_the_means_over_replicas_weighted_with_rows(results, name):
    """Batches of 3 + 2 rows and of 1 + 0; by hand, from zeros and ones."""
    rows, keep = trainings.IMAGES[:6].reshape(6, -1), trainings.MOMENTUM
    variances = 0.6 * rows[:3].var(axis=0) + 0.4 * rows[3:5].var(axis=0)
    mean = keep * ((1 - keep) * rows[:5].mean(axis=0)) + (1 - keep) * rows[5]
    variance = keep * (keep + (1 - keep) * variances)
    found = results[name]["normalised"]
    assert len(found["mean"]) == (2 if name == "mirrored" else 1)
    for values in found["mean"]:
        np.testing.assert_allclose(values, mean, rtol=1e-6)
    for values in found["variance"]:
        np.testing.assert_allclose(values, variance, rtol=1e-6)


@pytest.mark.parametrize("scope_of_model", [True, False])
def test_a_model_and_its_optimizer_belong_to_one_strategy(scope_of_model):
    strategy, none = tf.distribute.OneDeviceStrategy("CPU:0"), tf.distribute.get_strategy()
    made, compiled = (strategy, none) if scope_of_model else (none, strategy)
    with made.scope():
        model = vae()
    with compiled.scope(), pytest.raises(ValueError, match=r"Do both in one scope: with strategy"):
        model.compile("adam")
