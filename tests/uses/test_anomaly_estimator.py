"""scikit-learn's own checks of an outlier detector, on a network that trains for two epochs."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tfvae import uses

pytestmark = pytest.mark.usefixtures("without_xla")


@parametrize_with_checks([uses.AnomalyDetector(epochs=2)])
def test_scikit_learn_takes_it_for_one_of_its_own(estimator, check):
    check(estimator)
