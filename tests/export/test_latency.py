"""`export/latency.py` calls every signature of an export, and holds `anomaly` against its parts."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tests.models.linear_missing as missing
from tests.evaluation.models import bits, digits_model
from tests.export.made import MADE
from tfvae import uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.choice import SERVABLES
from tfvae.export.servables.vae import VAEServable

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def latency():
    path = Path(__file__).parents[2] / "export" / "latency.py"
    spec = importlib.util.spec_from_file_location("latency", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_anomaly_is_timed_beside_encode_and_decode(latency, tmp_path):
    model = digits_model(2, units=(8,))
    detector = uses.AnomalyDetector(model, uses.NegativeELBO(2)).fit(bits(20))
    for servable in SERVABLES:
        given = {"anomaly": detector} if servable is VAEServable else {}
        write(servable(model, **given), tmp_path / servable.name / "1", MADE, ())
    found = latency.table(tmp_path, [1, 3], 0.0)
    median = {(row["signature"], row["batch"]): row["median_ms"] for row in found}
    assert {("vae/anomaly", 1), ("vae/anomaly_image_bytes", 3)} <= set(median)
    lines = latency.beside_encode_and_decode(found)
    assert len(lines) == 2
    for rows, line in zip((1, 3), lines, strict=True):
        parts = median["encoder/encode", rows] + median["decoder/decode", rows]
        times = median["vae/anomaly", rows] / parts
        assert line.startswith(f"anomaly of {rows:5} rows")
        assert line.endswith(f"{times:.2f} times")
    assert latency.beside_encode_and_decode(found[:2]) == []


def test_rows_with_holes_are_sent_with_a_mask(latency, tmp_path):
    write(VAEServable(missing.exact_model(pattern=None)), tmp_path / "vae" / "1", MADE, ())
    found = latency.table(tmp_path, [2], 0.0)
    assert {"vae/impute", "vae/impute_draw", "vae/score"} <= {row["signature"] for row in found}
    assert np.all([row["median_ms"] > 0 for row in found])
