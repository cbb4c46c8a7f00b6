"""What ships is the artefact: reload it in a fresh process and compare it with the live model."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.publishing import ExportError
from tfvae.export.saved_models.requests import random_request
from tfvae.export.servables.signatures import ServedSignature

# Rows of the requests compared: the free batch size, and rows of one request that differ.
COMPARED_BATCH_SIZES = (1, 3)
TIMEOUT_SECONDS = 600


def compare(
    folders: Mapping[str, Path],
    live: Mapping[str, Mapping[str, ServedSignature]],
    scratch: Path,
) -> dict[str, float]:
    """The largest difference between each reloaded signature and the live model.

    Args:
        folders: servable name -> SavedModel folder.
        live: servable name -> signatures by name, whose functions run eagerly, on the model itself.
        scratch: a folder for the requests and the expected answers.

    Returns:
        "servable/signature" -> max |got - expected| / (1 + |expected|), infinite where a shape or
        dtype differs.

    Raises:
        ExportError: if the artefact doesn't load or run in plain TensorFlow.
    """
    jobs = {}
    for servable, folder in folders.items():
        requests = _requests(live[servable], scratch / servable)
        jobs[servable] = {"path": str(folder), "requests": requests}
    return _reload(jobs, scratch)


def _requests(signatures: Mapping[str, ServedSignature], scratch: Path) -> list[dict[str, str]]:
    scratch.mkdir()
    requests = []
    for rows in COMPARED_BATCH_SIZES:
        for name, signature in signatures.items():
            inputs = random_request(signature, rows, seed=rows)
            # The fresh process runs on the CPU, and accelerators round differently.
            with tf.device("CPU"):
                tensors = {key: tf.constant(value) for key, value in inputs.items()}
                outputs = signature.function(**tensors)
            paths = [str(scratch / f"{name}-{rows}-{part}.npz") for part in ("inputs", "outputs")]
            answers = {key: value.numpy() for key, value in outputs.items()}
            for path, arrays in zip(paths, (inputs, answers), strict=True):
                stored: dict[str, Any] = {key: _storable(value) for key, value in arrays.items()}
                np.savez(path, **stored)
            requests.append({"signature": name, "inputs": paths[0], "outputs": paths[1]})
    return requests


def _storable(array: np.ndarray) -> np.ndarray:
    """Strings, such as encoded images, as fixed-width bytes: objects would be pickled.

    Trailing zero bytes are lost, which PNG, whose last chunk is a checksum of IEND, never has.
    """
    return array.astype("S") if array.dtype == object else array


def _reload(jobs: dict[str, Any], scratch: Path) -> dict[str, float]:
    script = Path(__file__).with_name("reload.py").read_text(encoding="utf-8")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            cwd=scratch,
            env=environment,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"the exported model did not answer within {TIMEOUT_SECONDS} s in a fresh process: "
            "nothing was published"
        ) from error
    if done.returncode:
        raise ExportError(
            "the exported model does not run in a fresh process with plain TensorFlow, so nothing "
            "was published. Does a layer call Python (tf.py_function)? It said: "
            f"{_reason(done.stderr)}"
        )
    return json.loads(done.stdout.strip().splitlines()[-1])


def _reason(stderr: str) -> str:
    """The exception at the end of a process's output: its first line, and what it stands for."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [index for index, line in enumerate(lines) if re.match(r"[\w.]*Error: ", line)]
    return " ".join(lines[errors[-1] :])[:400] if errors else "It printed no error."


def refuse_drift(differences: Mapping[str, float], tolerance: float) -> None:
    """Raises `ExportError` if a signature differs from the live model by more than `tolerance`."""
    drifted = {
        name: value
        for name, value in differences.items()
        if not (math.isfinite(value) and value <= tolerance)
    }
    if drifted:
        listed = ", ".join(f"{name} by {value:.2g}" for name, value in drifted.items())
        raise ExportError(
            f"the exported model differs from the live one: {listed}; at most {tolerance:g} is "
            "allowed. Nothing was published."
        )
