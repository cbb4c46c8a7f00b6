"""Exported draws are held against the posterior, whoever made them."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tests.export.members import (
    Coder,
    Flow,
    FlowOfStandardNoise,
    FlowThatHidesIt,
    NormalThatIsTooNarrow,
    built,
    rows,
    table,
)
from tests.export.test_signatures import call
from tfvae.export import ExportError
from tfvae.export.saved_models.draws import check_draws
from tfvae.export.servables.encoder import EncoderServable
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import Proposal


@pytest.mark.parametrize("head", [Flow, tfvae.heads.MultivariateNormalTriL])
def test_right_draws_pass(head):
    check_draws(table(head(2)))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (FlowOfStandardNoise, r"log q differs by .* Nothing was published"),
        (FlowThatHidesIt, r"the mean of the exported draws is .* Nothing was published"),
        (NormalThatIsTooNarrow, r"the mean square of the exported draws is .* standard errors"),
    ],
)
def test_draws_of_something_else_publish_nothing(tmp_path, head, message):
    with pytest.raises(ExportError, match=message):
        tfvae.export.saved_model(table(head(2)), tmp_path / "flow")
    assert list(tmp_path.iterdir()) == []


def test_a_proposal_that_cannot_say_log_q_is_let_pass():
    class Told(Proposal):
        def draw(self, noise):
            raise AssertionError("nothing to hold a draw against")

    class Model(Coder):
        def infer(self, batch, training=False):
            return Inference(Told(), joint=None)

    check_draws(built(Model))


def test_a_served_flow_draws_from_its_base():
    """z against SciPy: undone, bent and standardised, 4,096 draws are standard normal."""
    model, x = table(Flow(2)), rows(1, 6)
    sample = EncoderServable(model).signatures()["sample"].concrete()
    z = call(sample, x=x, num_samples=np.array([4096], "int32"), seed=np.array([3], "int32"))["z"]
    parameters = model.encoder.parameters(tf.constant(x))
    tailweight, skewness = 1.1, 0.3
    multiplier = 2 / np.sinh(np.arcsinh(2) * tailweight)  # TFP's
    before = np.sinh(np.arcsinh(z[0] / multiplier) / tailweight - skewness)
    standard = (before - parameters["loc"]) / parameters["scale"]
    for d in range(2):
        assert scipy.stats.kstest(standard[:, d], "norm").pvalue > 1e-6
