"""Runs rows of codes: trained with their prior as `tfvae train` does, and measured together."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfvae.evaluation.latents import latent_codes
from tfvae.models.codes import codes_by_level
from tfvae.reproduce.codes_table import CodesTask
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.runs.datasets import load_data
from tfvae.runs.joint import JOINT
from tfvae.runs.training import train


def run_codes(row: MethodRow[CodesTask], seed: int) -> Measured:
    """What codes and pixels of held-out images cost under a row's method with a seed."""
    settings = row.task.settings(row.method, seed)
    with tempfile.TemporaryDirectory() as folder:
        run = train(settings, Path(folder) / row.name)
    if JOINT not in run.metrics:
        found = _of_pixels(run.metrics["test"])
    else:
        found = _of_stages(run.metrics)
        codes = latent_codes(run.model, load_data(settings, run.model)[1])
        levels = codes_by_level(run.model, codes).values()
        found["used"] = sum(len(np.unique(of_level)) for of_level in levels)
        found["num_codes"] *= len(levels)
    return {row.method: {name: [float(value)] for name, value in found.items()}}


def _of_pixels(test: Mapping[str, Any]) -> dict[str, float]:
    return {"bits": test["bits_per_dimension"], "log_joint": test["log_likelihood"]}


def _of_stages(metrics: Mapping[str, Any]) -> dict[str, float]:
    alone, joint = metrics["test"], metrics[JOINT]
    (prior,) = metrics["stages"].values()
    return {
        "bits": joint["bits_per_dimension"],
        **{name: joint[name] for name in ("log_joint", "nll", "code_nll")},
        "uniform": alone["kl"],
        "num_codes": alone["num_codes"],
        **({} if alone["code_perplexity"] is None else {"perplexity": alone["code_perplexity"]}),
        "prior_seconds": prior["seconds"]["training"],
    }
