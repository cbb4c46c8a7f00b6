"""Counts that are not whole, values between levels, columns of several kinds: as they enter."""

import math

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.evaluation.models import bits
from tfvae import heads, networks
from tfvae.data import Field, check_array
from tfvae.data.passing import checked
from tfvae.errors import UserError

COUNTS = Field((2,), interval=(0.0, math.inf), spacing=1.0)
BYTES = Field((2, 2, 1), spacing=1 / 255)
LEVELS = np.arange(8, dtype="float32").reshape(2, 2, 2, 1) * np.float32(1 / 255)
MIXED = Field((4,), interval=None, parts=(Field((1,), interval=None), COUNTS, Field((1,))))
ROWS = np.array([[-7.5, 3.0, 0.0, 0.25], [2.0, 1.0, 9.0, 1.0]], "float32")


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def batches(array):
    return tf.data.Dataset.from_tensors(array)


@pytest.mark.parametrize(
    ("array", "field"),
    [
        (np.array([[0.0, 3.0]], "float32"), COUNTS),
        (np.array([[0, 2**24]]), COUNTS),
        (np.array([[0.0, 2.0]], "float16"), COUNTS),
        (LEVELS, BYTES),
        (np.arange(256, dtype="float32").reshape(-1, 2, 2, 1) / 255, BYTES),
        (ROWS, MIXED),
    ],
)
def test_what_is_on_the_spacing_passes(array, field):
    check_array(array, field)
    for batch in checked(batches(array), {"x": field}):
        assert batch.dtype == tf.float32


@pytest.mark.parametrize(
    ("array", "field", "message"),
    [
        (
            np.array([[0.0, 2.5]], "float32"),
            COUNTS,
            "x has 2.5 at index .0, 1.; expected finite whole",
        ),
        (np.array([[-1.0, 2.0]], "float32"), COUNTS, "values from -1 to 2"),
        (
            changed(LEVELS, (1, 1, 0, 0), 0.5),
            BYTES,
            "x has 0.5 at index .1, 1, 0, 0.; expected mult",
        ),
        (
            changed(ROWS, (1, 2), 0.5),
            MIXED,
            r"x\[:, 1:3\] has 0.5 at index .1, 1.; .*Counts are whole",
        ),
        (changed(ROWS, (0, 3), 2.0), MIXED, r"x\[:, 3:4\] has values from 1 to 2"),
        (changed(ROWS, (0, 0), np.nan), MIXED, r"x\[:, 0:1\] has 1 NaN"),
    ],
)
def test_what_is_not_is_refused_in_arrays_and_in_batches(array, field, message):
    with pytest.raises(ValueError, match=message):
        check_array(array, field)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        list(checked(batches(array), {"x": field}))


def model(likelihood):
    return tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([4]), likelihood),
    )


@pytest.mark.parametrize("kind", [heads.Poisson, heads.NegativeBinomial, heads.Multinomial])
def test_fit_refuses_counts_that_are_not_whole(kind):
    vae = model(kind((2,)))
    vae.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match=r"expected finite whole numbers .*Counts are whole"):
        vae.fit(np.array([[0.5, 1.0]], "float32"), verbose=0)
    vae.fit(np.array([[3, 1]]), verbose=0)  # integers are counts as well


@pytest.mark.parametrize("kind", [heads.Categorical, heads.DiscretisedLogisticMixture])
def test_fit_refuses_values_that_name_no_level(kind):
    """Digits have 17 levels, and not 256: k / 16 is none of k / 255."""
    train, _ = tfvae.data.load("digits", binarisation="none")
    vae = model(kind((8, 8, 1), num_levels=256))
    vae.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match=r"expected multiples of 1/255 .*num_levels"):
        vae.fit(train, verbose=0)
    vae.build((None, 8, 8, 1))
    vae.log_likelihood(bits(2), num_samples=1, verbose=0)
    seventeen = model(kind((8, 8, 1), num_levels=17))
    seventeen.build((None, 8, 8, 1))
    found = seventeen.log_likelihood(train.take(1), num_samples=1, verbose=0)
    assert found.bits_per_dimension == pytest.approx(-found.mean / (64 * math.log(2)))


def test_bits_per_dimension_of_a_density_are_refused():
    vae = model(heads.IndependentNormal((8, 8, 1)))
    vae.build((None, 8, 8, 1))
    for found in (
        vae.log_likelihood(bits(2), num_samples=1, verbose=0),
        tfvae.evaluation.elbo(vae, bits(2)),
    ):
        with pytest.raises(UserError, match=r"density of real numbers.*Categorical"):
            _ = found.bits_per_dimension
