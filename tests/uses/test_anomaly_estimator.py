"""scikit-learn's own checks of an outlier detector, on a network that trains for two epochs."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tfvae import uses


@pytest.fixture(autouse=True)
def without_xla(monkeypatch):
    """XLA takes seconds a model, and tests/conformance has it."""
    for module in ("compiling", "programs"):
        monkeypatch.setattr(f"tfvae.training.{module}.xla_pays", lambda model: False)


@parametrize_with_checks([uses.AnomalyDetector(epochs=2)])
def test_scikit_learn_takes_it_for_one_of_its_own(estimator, check):
    check(estimator)
