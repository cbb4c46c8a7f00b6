"""What each corruption does to x, the bound it trains, and where it does not act."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tests.evaluation.models import LinearGaussian, bits, images
from tfvae import VAE, Decoder, Encoder, Field, Noise, corruptions, heads, networks
from tfvae.noise import training_noise

ROWS = 4000
CASES = [
    corruptions.AdditiveNormal(0.3),
    corruptions.Masking(0.2),
    corruptions.SaltAndPepper(0.4),
    corruptions.Patches(2, count=2, value=0.125),
]


def noise(rows=ROWS, seed=1):
    return Noise(seed, row=tf.range(rows))


def corrupted(corruption, x, seed=1):
    return corruption.checked(tf.constant(x, tf.float32), noise(len(x), seed)).numpy()


def test_normal_noise_is_that_of_scipy():
    x = images(ROWS, (4, 4, 1))
    difference = (corrupted(corruptions.AdditiveNormal(0.3), x) - x).ravel()
    assert scipy.stats.kstest(difference, "norm", (0.0, 0.3)).pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_masking_hides_its_share_and_nothing_else(rate):
    x = images(ROWS) + 0.1
    found = corrupted(corruptions.Masking(rate), x)
    hidden = found == 0
    np.testing.assert_array_equal(found[~hidden], x[~hidden])
    # 4.5 standard errors of a share of 64,000 entries.
    assert abs(hidden.mean() - rate) <= 4.5 * np.sqrt(rate * (1 - rate) / x.size)


def test_salt_and_pepper_changes_half_of_its_share_of_bits():
    x = bits(ROWS, (4, 4, 1))
    found = corrupted(corruptions.SaltAndPepper(0.4), x)
    assert set(np.unique(found)) == {0.0, 1.0}
    for bit in (0.0, 1.0):
        flipped = found[x == bit] != bit
        assert abs(flipped.mean() - 0.2) <= 4.5 * np.sqrt(0.2 * 0.8 / flipped.size)


def test_a_patch_is_one_square_anywhere_within_the_image():
    """All 3 x 2 places of a square of 2 x 2 in 4 x 3 pixels, each as often; all channels."""
    x = np.full((ROWS, 4, 3, 2), 0.5, "float32")
    blank = corrupted(corruptions.Patches(2, value=0.75), x) == 0.75
    np.testing.assert_array_equal(blank[..., 0], blank[..., 1])
    places = np.zeros((6, 4, 3), bool)
    for number, (row, column) in enumerate(np.ndindex(3, 2)):
        places[number, row : row + 2, column : column + 2] = True
    counts = np.all(blank[:, None, ..., 0] == places, axis=(2, 3)).sum(axis=0)
    assert counts.sum() == ROWS
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_several_patches_fall_independently_and_may_overlap():
    """A pixel of the middle is blank with probability 1 - (1 - p)^2, p that of one square."""
    x = np.ones((ROWS, 4, 4, 1), "float32")
    blank = corrupted(corruptions.Patches(2, count=2), x)[:, 1, 1, 0] == 0
    p = 4 / 9  # of 3 x 3 places 2 x 2 cover it
    rate = 1 - (1 - p) ** 2
    assert abs(blank.mean() - rate) <= 4.5 * np.sqrt(rate * (1 - rate) / ROWS)


def test_a_patch_of_the_whole_image_leaves_nothing():
    assert not corrupted(corruptions.Patches(4), np.ones((3, 4, 4, 1), "float32")).any()


@pytest.mark.parametrize("corruption", CASES, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(
    "field", [Field((4, 4, 1)), Field((4, 4, 1), interval=None), Field((4, 4, 1), spacing=0.125)]
)
def test_what_it_leaves_is_in_the_field_that_it_says(corruption, field):
    from tfvae.data import check_array

    found = corrupted(corruption, bits(ROWS, (4, 4, 1)))
    check_array(found, corruption.corrupted_field(field), "x")


def test_one_that_says_nothing_may_leave_any_finite_values():
    class Scaled(corruptions.Corruption):
        def corrupted(self, x, noise):
            return 7.0 * x

    field = Scaled().corrupted_field(Field((4, 4, 1), spacing=0.5))
    assert (field.interval, field.spacing, field.shape) == (None, None, (4, 4, 1))


@pytest.mark.parametrize("corruption", CASES, ids=lambda c: type(c).__name__)
def test_it_is_a_function_of_the_noise_and_each_row_has_its_own(corruption):
    x = np.full((6, 4, 4, 1), 0.5, "float32")
    np.testing.assert_array_equal(corrupted(corruption, x), corrupted(corruption, x))
    assert np.any(corrupted(corruption, x) != corrupted(corruption, x, seed=2))
    found = corrupted(corruption, x)
    assert len(np.unique(found.reshape(6, -1), axis=0)) == 6
    np.testing.assert_array_equal(found[:3], corrupted(corruption, x[:3]))
    step = training_noise(tf.constant([1, 0]), 1, 6)  # as a model has it
    assert corruption.checked(tf.constant(x), step).shape == x.shape


def test_the_denoising_bound_is_the_exact_one():
    """E[-KL(q(z|x~) || p(z|x))] of a linear encoder is -scale^2 tr(A^T C^-1 A) / 2."""
    scale = 0.3
    known = LinearGaussian(full=True)
    model = known.model
    model.corruption = corruptions.AdditiveNormal(scale)
    x = images(3)
    many = {"x": tf.repeat(tf.constant(x), ROWS, axis=0)}
    nats = model.loss_terms(many, training=True)
    elbo = nats.watched["elbo"].numpy().reshape(3, ROWS)
    loss = 0.5 * scale**2 * np.trace(known.A.T @ np.linalg.inv(known.C) @ known.A)
    error = elbo.std(axis=1) / np.sqrt(ROWS)
    assert loss > 20 * error.max()  # the corruption is seen, and costs what it should
    assert np.all(np.abs(elbo.mean(axis=1) - (known.log_likelihood(x) - loss)) < 4.5 * error)


def denoising(corruption=None, likelihood=heads.IndependentBernoulli, **options):
    return VAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        Decoder(networks.MLP([8]), likelihood((4, 4, 1))),
        corruption=corruption,
        seed=3,
        **options,
    )


@pytest.mark.parametrize("corruption", CASES, ids=lambda c: type(c).__name__)
def test_it_acts_in_training_alone(corruption):
    keras.utils.set_random_seed(1)
    model = denoising(corruption)
    model.build((None, 4, 4, 1))
    x = {"x": tf.constant(bits(5, (4, 4, 1)))}
    clean = model.encoder(x["x"]).mean()
    np.testing.assert_array_equal(model.infer(x).proposal.mean(), clean)
    assert np.any(model.infer(x, training=True).proposal.mean() != clean)
    np.testing.assert_array_equal(model.encode(x), clean)


@pytest.mark.parametrize("eager", [False, True])
def test_it_trains_and_a_seeded_run_repeats(eager):
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = denoising(corruptions.AdditiveNormal(0.5))  # leaves [0, 1], which nobody minds
        model.compile("adam", jit_compile=False, run_eagerly=eager)
        losses.append(model.fit(bits(32, (4, 4, 1)), verbose=0, epochs=2).history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("corruption", CASES, ids=lambda c: type(c).__name__)
def test_a_saved_model_keeps_it(tmp_path, corruption):
    model = denoising(corruption)
    model.build((None, 4, 4, 1))
    model.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    assert type(loaded.corruption) is type(corruption)
    assert loaded.corruption.get_config() == corruption.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: corruptions.AdditiveNormal(0.0), "scale must be a finite number above 0"),
        (lambda: corruptions.Masking(0.0), "rate must be a finite number above 0"),
        (lambda: corruptions.Masking(1.5), r"rate must be in \(0, 1\]"),
        (lambda: corruptions.SaltAndPepper(-0.1), "rate must be a finite number above 0"),
        (lambda: corruptions.SaltAndPepper(low=1.0, high=0.0), "low must be below high"),
        (lambda: corruptions.Patches(0), "size must be an integer of at least 1"),
        (lambda: corruptions.Patches(count=0), "count must be an integer of at least 1"),
        (lambda: corruptions.Patches(value=np.nan), "value must be a finite number"),
        (lambda: denoising(corruptions.Patches(5)), r"squares of 5 x 5 pixels.*\(4, 4, 1\)"),
        (lambda: corruptions.Patches(2).check(Field((9,))), r"\(9,\).*corruptions\.Masking"),
        (lambda: denoising(corruptions.Patches(2, value=2.0)), r"draws entries of 2.*\[0, 1\]"),
        (lambda: corruptions.Corruption(), r"without corrupted\(\)"),
        (lambda: denoising(corruptions.SaltAndPepper(low=-1.0)), r"entries of -1 and 1.*\[0, 1\]"),
        (
            lambda: corruptions.AdditiveNormal().check(Field.label(3)),
            r"adds real numbers.*Use corruptions\.Masking",
        ),
        (
            lambda: corruptions.SaltAndPepper(high=0.5).check(Field.label(3)),
            "Give it values of these",
        ),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_corruption_is_refused():
    with pytest.raises(TypeError, match=r"one of tfvae\.corruptions, or None"):
        denoising("masking")


def test_a_corruption_of_another_shape_is_refused():
    class Flat(corruptions.Corruption):
        def corrupted(self, x, noise):
            return tf.reshape(x, [-1])

    with pytest.raises(TypeError, match=r"Flat\.corrupted\(\) returned \(48,\).*\(3, 4, 4, 1\)"):
        Flat().checked(tf.zeros([3, 4, 4, 1]), noise(3))
