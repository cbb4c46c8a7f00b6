"""Exported draws are held against the posterior, whoever made them."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

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
from tests.extension.cases import CASES
from tfvae.export import ExportError
from tfvae.export.saved_models.draws import check_draws
from tfvae.export.servables.encoder import EncoderServable
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import Proposal
from tfvae.priors import AutoregressivePrior, MixtureOfGaussians, Prior, RealNVPPrior

tfd = tfp.distributions


class WrongPlanar(tfvae.heads.PlanarFlow):
    """A flow whose draws are its base's; log q of a given z is not there to tell."""

    def draw(self, distribution, noise):
        return super().draw(distribution.base, noise)


@pytest.mark.parametrize(
    "head",
    [
        Flow,
        tfvae.heads.MultivariateNormalTriL,
        tfvae.heads.PlanarFlow,
        lambda size: tfvae.heads.InverseAutoregressiveFlow(size, 2, [8], context_size=2),
        tfvae.heads.GaussianMixture,
    ],
)
def test_right_draws_pass(head):
    check_draws(table(head(2)))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (FlowOfStandardNoise, r"log q differs by .* Nothing was published"),
        (FlowThatHidesIt, r"the mean of the exported draws is .* Nothing was published"),
        (WrongPlanar, r"of the exported draws is .* Nothing was published"),
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
    starts = np.arange(0, 4096, 64, "int32")  # a row each
    counts = {"num_samples": np.full(64, 64), "first": starts, "seed": np.full(64, 3)}
    counts = {name: values.astype("int32") for name, values in counts.items()}
    z = call(sample, x=np.repeat(x, 64, axis=0), **counts)["z"].reshape(1, 4096, 2)
    parameters = model.encoder.parameters(tf.constant(x))
    tailweight, skewness = 1.1, 0.3
    multiplier = 2 / np.sinh(np.arcsinh(2) * tailweight)  # TFP's
    before = np.sinh(np.arcsinh(z[0] / multiplier) / tailweight - skewness)
    standard = (before - parameters["loc"]) / parameters["scale"]
    for d in range(2):
        assert scipy.stats.kstest(standard[:, d], "norm").pvalue > 1e-6


# --- Draws of the prior ------------------------------------------------------------------------


class Wide(Prior):
    """N(0, 2^2 I), drawn as such."""

    def distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(2), 2.0 * tf.ones(2))


class Standing(Wide):
    """N(0, 2^2 I) by its density, drawn from N(0, I)."""

    def generate(self, noise):
        return noise.normal(2)


class Coupled(Prior):
    """Both numbers are one, by draws whose means and variances are those of N(0, I)."""

    def distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(2), tf.ones(2))

    def generate(self, noise):
        return tf.repeat(noise.normal(1), 2, axis=-1)


class Densities(tfd.MultivariateNormalDiag):
    """A density without a sampler."""

    def _sample_n(self, n, seed=None):
        raise NotImplementedError("no sampler")

    def _call_sample_n(self, *args, **kwargs):
        raise NotImplementedError("no sampler")


def unsampled(prior, size=2):
    """A prior of a density alone, drawn by the `generate` of another."""

    class Unsampled(Prior):
        def distribution(self):
            return Densities(tf.zeros(size), 2.0 * tf.ones(size))

        def generate(self, noise):
            return prior * noise.normal(size)

    return Unsampled(size)


@pytest.mark.parametrize(
    "prior",
    [
        lambda: Wide(2),
        lambda: MixtureOfGaussians(2, 3),
        lambda: RealNVPPrior(2),
        lambda: AutoregressivePrior(2),
        lambda: unsampled(2.0),
    ],
)
def test_right_draws_of_a_prior_pass(prior):
    assert check_draws(table(prior=prior())) == []


def test_a_right_conditional_prior_passes():
    """Of three labels that lie far apart."""
    assert check_draws(conditional()) == []


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (lambda: Standing(2), "the mean square of .* prior's own sampler"),
        (lambda: Coupled(2), "the mean square of .* prior's own sampler"),
        (lambda: unsampled(1.0), "the mean square of .* prior's own density"),
    ],
)
def test_a_prior_that_draws_something_else_publishes_nothing(tmp_path, prior, message):
    with pytest.raises(ExportError, match=message + r".* generate\(\) does not draw.* Nothing was"):
        tfvae.export.saved_model(table(prior=prior()), tmp_path / "prior")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_conditional_prior_publishes_nothing():
    model = conditional()
    model.prior.generate = lambda noise, condition: noise.normal(1)
    with pytest.raises(ExportError, match=r"the mean of the exported draws .* prior's own sampler"):
        check_draws(model)


def test_levels_are_compared_by_their_density():
    case = next(case for case in CASES if case.name == "levels")
    model = case.built()
    assert check_draws(model) == []
    generate = model.generate
    model.generate = lambda noise, conditions: {
        name: 1.0 + level for name, level in generate(noise, conditions).items()
    }
    with pytest.raises(ExportError, match="prior's own density"):
        check_draws(model)


def test_what_could_not_be_compared_is_said():
    model = table(tfvae.heads.MultivariateNormalDiag(40), prior=unsampled(2.0, size=40))
    (note,) = check_draws(model)
    assert "could not be compared with its density: it has no sampler" in note


class ByLabel(Prior):
    """N(5 label, 1)."""

    def distribution(self, condition):
        loc = 5.0 * tf.cast(condition["label"], tf.float32)[:, tf.newaxis]
        return tfd.MultivariateNormalDiag(loc, tf.ones_like(loc))


def conditional():
    from tests.extension.cases import CLASSES, SHAPE, decoder, encoder
    from tests.extension.members.labelled import LabelledVAE
    from tests.extension.members.network import beside

    below, above = beside(CLASSES, 8)
    model = LabelledVAE(
        encoder(network=below), decoder(network=above), CLASSES, prior=ByLabel(1), seed=5
    )
    model.build((None, *SHAPE))
    return model
