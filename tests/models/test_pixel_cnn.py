"""PixelCNN: an exact likelihood, draws from it, and what all models can: save, go on, be served."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.conformance.test_training import assert_equal_bits, values
from tests.export.made import MADE
from tests.export.test_signatures import call
from tests.flows.made import moved
from tests.models.tiny import IMAGES
from tfvae import evaluation, networks
from tfvae.distributions.draws import NoTemperatureError
from tfvae.errors import UserError
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.tflite_files.convert import decoder_file, sampler_file
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.models.capabilities import Encodes, ScoresExactly
from tfvae.models.pixel_cnn import _drawn
from tfvae.noise import Noise

LEVELS, SHAPE = 3, (2, 3, 1)
LABEL = np.arange(20, dtype="int32") % 3
INPUTS = {"x": IMAGES, "label": LABEL}
FIT = {"batch_size": 5, "verbose": 0}


def all_images():
    """Every image of three levels, `[729, 2, 3, 1]`."""
    levels = np.array(list(itertools.product(range(LEVELS), repeat=6)), "float32")
    return levels.reshape(-1, *SHAPE) / (LEVELS - 1)


def small(make=networks.PixelSNAIL, levels=LEVELS, shape=SHAPE, conditions=None, **options):
    network = make(levels, filters=8, num_layers=2, first_kernel_size=3, **options)
    model = tfvae.PixelCNN(network, shape, conditions, seed=5)
    model.build(None)
    return model


@pytest.fixture(scope="module")
def sharp():
    """A model of 2 x 3 images, far from uniform."""
    model = small()
    moved(model, by=0.3)
    return model


def test_probabilities_of_all_images_sum_to_one(sharp):
    log_prob = sharp.log_prob({"x": tf.constant(all_images())}).numpy()
    assert np.exp(log_prob.astype("float64")).sum() == pytest.approx(1.0, abs=1e-5)
    assert np.ptp(log_prob) > 3


def test_draws_are_from_these_probabilities(sharp):
    """Pearson's statistic of 20,000 draws over 729 images: a mean of 728, a deviation of 38."""
    count = 20_000
    x = np.rint(sharp.sample(count, seed=1).numpy().reshape(count, -1) * (LEVELS - 1)).astype(int)
    found = np.bincount(x @ LEVELS ** np.arange(6)[::-1], minlength=LEVELS**6)
    expected = count * np.exp(sharp.log_prob({"x": tf.constant(all_images())}).numpy())
    likely = expected > 1  # what is rarer has no such statistic of its own
    rest = found[~likely].sum() - expected[~likely].sum()
    assert abs(rest) < 5 * np.sqrt(expected[~likely].sum()) + 1
    statistic = np.sum((found - expected)[likely] ** 2 / expected[likely])
    assert statistic < likely.sum() + 5 * np.sqrt(2 * likely.sum())


def test_evaluation_reports_the_exact_likelihood(sharp):
    x = all_images()[::50]
    exact = sharp.log_prob({"x": tf.constant(x)})
    bound = evaluation.elbo(sharp, x)
    estimate = evaluation.log_likelihood(sharp, x, num_samples=3, verbose=0)
    naive = evaluation.naive_log_likelihood(sharp, x, num_samples=2, verbose=0)
    for found in (bound, estimate, naive):
        np.testing.assert_allclose(found.per_example, exact, rtol=1e-5)
    np.testing.assert_array_equal(bound.kl, 0.0)
    assert estimate.bits_per_dimension == pytest.approx(-estimate.mean / (6 * np.log(2)))
    assert isinstance(sharp, ScoresExactly)


def test_what_it_cannot_do_is_refused_by_name(sharp):
    assert not isinstance(sharp, Encodes)
    with pytest.raises(ValueError, match="It has no latent variables"):
        sharp.reconstruct(all_images()[:2])
    with pytest.raises(NoTemperatureError, match="the temperature must be 1"):
        sharp.sample(2, temperature=0.5)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((8, 8, 3), "images of one channel"), ((8,), "event_shape is"), ((8, 0), "event_shape")],
)
def test_bad_shapes_are_refused(shape, said):
    with pytest.raises(UserError, match=said):
        tfvae.PixelCNN(networks.GatedPixelCNN(2), shape)


def test_values_between_levels_are_refused(sharp):
    with pytest.raises(ValueError, match=r"multiples of 1/2|expected values in"):
        sharp.log_likelihood(np.full((2, *SHAPE), 0.3, "float32"), num_samples=1, verbose=0)


@pytest.fixture(scope="module")
def fitted():
    """A conditional model of bits, what it was before, and what was logged of an epoch."""
    keras.utils.set_random_seed(3)
    model = small(networks.GatedPixelCNN, 2, (8, 8, 1), {"label": tfvae.Field.label(3)})
    model.compile(keras.optimizers.Adam(1e-2))
    before = [weight.numpy() for weight in model.trainable_weights]
    return model, before, model.fit(INPUTS, **FIT).history


@pytest.fixture(scope="module")
def trained(fitted):
    return fitted[0]


def test_every_weight_is_trained_and_the_nats_are_logged(fitted):
    model, before, history = fitted
    assert set(history) == {"loss", "nll"}
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


def test_it_is_saved_and_goes_on_bit_for_bit(trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert_equal_bits(values(loaded), values(trained))
    assert loaded.fit(INPUTS, **FIT).history == trained.fit(INPUTS, **FIT).history
    assert_equal_bits(values(loaded), values(trained))
    assert loaded.fields() == trained.fields()
    np.testing.assert_array_equal(
        loaded.sample(3, seed=1, label=2), trained.sample(3, seed=1, label=2)
    )


def test_one_program_draws_any_number(trained):
    from tfvae.training import programs

    for count in (2, 3, 5, 7):
        trained.generate(Noise(1, row=tf.range(count)), {"label": tf.fill([count], 2)})
    drawing = programs._PROGRAMS[trained][_drawn, False, True]
    assert drawing.experimental_get_tracing_count() <= 2  # of a number, then of any


def test_the_number_of_weights_is_known(trained):
    """Of two layers of 8 filters, 3 x 3, two levels and three classes, by hand."""
    dense = lambda inputs, outputs: inputs * outputs + outputs  # noqa: E731
    shared = dense(16, 16) + dense(8, 8) + 3 * 32  # across, out and the label
    first = (1 * 3 * 8 * 16 + 16) + 1 * 8 * 16
    second = (2 * 3 * 8 * 16 + 16) + 2 * 8 * 16
    expected = 2 * 8 + first + second + 2 * shared + dense(8, 64) + dense(64, 2)
    assert sum(int(np.prod(w.shape)) for w in trained.trainable_weights) == expected


def test_mixed_bfloat16_is_near_float32():
    keras.utils.set_random_seed(3)
    plain = small(dtype="float32")
    mixed = small(dtype="mixed_bfloat16")
    mixed.set_weights(plain.get_weights())
    assert mixed.conditionals.compute_dtype == "bfloat16"
    batch = {"x": tf.constant(all_images()[::90])}
    found = mixed.log_prob(batch)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, plain.log_prob(batch), rtol=0.03)
    assert mixed.sample(2, seed=1).dtype == tf.float32


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    """The files of a model that only decodes and draws, and the one of a phone."""
    folder = tmp_path_factory.mktemp("export")
    write(DecoderServable(trained), folder / "decoder", MADE, warmup_batch_sizes=())
    signatures = tf.saved_model.load(str(folder / "decoder")).signatures
    z = {"z": IMAGES[:2], "label": LABEL[:2]}
    content = decoder_file(trained, "float32", z, sampler_file(trained))
    return signatures, LiteRTFile(content)


def test_served_files_and_phones_draw_what_python_does(trained, served):
    signatures, phone = served
    expected = trained.sample(4, seed=9, label=1)
    numbers = {"num_samples": [4], "first": [0], "seed": [9], "label": [1]}
    given = {name: np.array(value, "int32") for name, value in numbers.items()}
    found = call(signatures["sample"], **given, temperature=np.ones(1, "float32"))
    np.testing.assert_array_equal(found["x"][0], expected)
    np.testing.assert_array_equal(found["z"][0], expected)
    drawn = phone.run("sample_seeded", num_samples=4, seed=9, label=np.full(4, 1, "int32"))
    np.testing.assert_array_equal(drawn["x"], expected)


def test_served_it_decodes_x_as_x(served):
    found = call(served[0]["decode"], z=IMAGES[:3], label=LABEL[:3])
    np.testing.assert_array_equal(found["x"], IMAGES[:3])
