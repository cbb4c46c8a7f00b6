"""What every test shares: quiet TensorFlow, the prepared data where they lie, and fixed seeds."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_SIBLING = Path(__file__).resolve().parents[2] / "shared" / "data" / "tensorflow_datasets"
if "TFDS_DATA_DIR" not in os.environ and _SIBLING.is_dir():
    os.environ["TFDS_DATA_DIR"] = str(_SIBLING)


def pytest_collection_modifyitems(items):
    """Tests marked `mnist` need the prepared sets, and never download them."""
    folder = os.environ.get("TFDS_DATA_DIR")
    if folder and (Path(folder) / "mnist").is_dir():
        return
    reason = f"no prepared mnist in TFDS_DATA_DIR ({folder or 'unset'})"
    for item in items:
        if item.get_closest_marker("mnist"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _seeds():
    """The same random numbers in every test, whichever tests ran before it."""
    random.seed(0)
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="module")
def without_xla():
    """Nothing is compiled by XLA, which takes seconds a program and is tested in conformance."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("compiling", "programs"):
            patch.setattr(f"tfvae.training.{module}.xla_pays", lambda model: False)
        yield
