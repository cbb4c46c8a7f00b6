"""The exported signatures against the live model, and the rule that rows stay rows."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.export.conftest import IMAGE_SHAPE, LATENT_SIZE
from tfvae.export.encoder import posterior_draws
from tfvae.export.requests import random_request
from tfvae.export.saved_model import SERVABLES
from tfvae.export.signatures import Signature, of_bytes

EXPECTED = {
    "encoder": {"encode", "encode_uint8", "encode_image_bytes", "sample"},
    "decoder": {"decode", "sample"},
    "vae": {
        *("reconstruct", "reconstruct_uint8", "reconstruct_image_bytes", "interpolate"),
        *("score", "score_uint8", "score_image_bytes"),
    },
}
SIGNATURES = [(servable, name) for servable, names in EXPECTED.items() for name in sorted(names)]
DEFAULTS = {"encoder": "encode", "decoder": "decode", "vae": "reconstruct"}
TOLERANCE = 1e-5  # float32, a few dozen terms a sum


def call(signature, **inputs):
    outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def request(vae, servable, name, rows, seed=0):
    (found,) = [cls for cls in SERVABLES if cls.name == servable]
    spec = found(vae).signatures()[name].inputs
    return random_request(spec, rows, IMAGE_SHAPE, seed)


def row(values, index):
    return {name: value[index : index + 1] for name, value in values.items()}


def png(image):
    return tf.io.encode_png(image).numpy()


def test_names_and_default(signatures):
    for servable, names in EXPECTED.items():
        assert set(signatures[servable]) == names | {"serving_default"}
        default, named = (signatures[servable][n] for n in ("serving_default", DEFAULTS[servable]))
        assert default.structured_input_signature == named.structured_input_signature
        assert default.structured_outputs.keys() == named.structured_outputs.keys()


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
@pytest.mark.parametrize("rows", [1, 6])
def test_batch_comes_first_on_every_output(vae, signatures, servable, name, rows):
    signature = signatures[servable][name]
    for spec in signature.structured_input_signature[1].values():
        assert spec.shape[0] is None
    for output in call(signature, **request(vae, servable, name, rows)).values():
        assert output.shape[0] == rows
        assert output.dtype == np.float32


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
def test_a_row_depends_on_itself_only(vae, signatures, servable, name):
    signature, inputs = signatures[servable][name], request(vae, servable, name, 5)
    together = call(signature, **inputs)
    for index in range(5):
        alone = call(signature, **row(inputs, index))
        counts = [inputs[key][index] for key in ("num_samples", "steps") if key in inputs]
        for output, value in alone.items():
            got = together[output][index]
            if counts and "score" not in name:  # fewer than a neighbour asked for
                assert value.shape[1] == counts[0]
                got = got[: counts[0]]
            np.testing.assert_allclose(got, value[0], rtol=TOLERANCE, atol=TOLERANCE)


def test_encode_is_the_encoder(vae, signatures, images):
    got, posterior = call(signatures["encoder"]["encode"], images=images), vae.encoder(images)
    assert set(got) == {"loc", "scale_tril", "mean", "stddev"}
    np.testing.assert_allclose(got["mean"], posterior.mean(), atol=TOLERANCE)
    np.testing.assert_allclose(got["stddev"], posterior.stddev(), atol=TOLERANCE)
    covariance = got["scale_tril"] @ got["scale_tril"].transpose(0, 2, 1)
    np.testing.assert_allclose(covariance, posterior.covariance(), atol=TOLERANCE)


def test_posterior_samples_have_the_posterior_moments(vae, signatures, images):
    inputs = {"images": images, "num_samples": np.full(4, 4096), "seed": np.arange(4)}
    inputs = {name: np.asarray(v, "int32") if v.ndim == 1 else v for name, v in inputs.items()}
    z = call(signatures["encoder"]["sample"], **inputs)["z"]
    assert z.shape == (4, 4096, LATENT_SIZE)
    posterior = vae.encoder(images)
    error = 5 * posterior.stddev().numpy() / np.sqrt(4096)  # five standard errors
    assert np.all(np.abs(z.mean(1) - posterior.mean()) < error)
    for index in range(4):
        covariance = np.cov(z[index], rowvar=False)
        np.testing.assert_allclose(covariance, posterior.covariance()[index], rtol=0.2, atol=0.1)


def test_decode_is_the_decoder(vae, signatures):
    z = np.random.default_rng(0).normal(size=(4, LATENT_SIZE)).astype("float32")
    got = call(signatures["decoder"]["decode"], z=z)
    likelihood = vae.decoder(z).distribution
    np.testing.assert_allclose(got["logits"], likelihood.logits, atol=TOLERANCE)
    np.testing.assert_allclose(got["probs"], likelihood.probs_parameter(), atol=TOLERANCE)


@pytest.mark.parametrize("seed", [0, 7, -1, 2**31 - 1])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_one_seed_gives_one_picture_in_python_and_in_the_file(vae, signatures, seed, temperature):
    got = call(
        signatures["decoder"]["sample"],
        num_samples=np.array([3], "int32"),
        seed=np.array([seed], "int32"),
        temperature=np.array([temperature], "float32"),
    )
    expected = vae.sample(3, seed=seed, temperature=temperature)
    assert got["images"].shape == (1, 3, *IMAGE_SHAPE)
    np.testing.assert_allclose(got["images"][0], expected, atol=TOLERANCE)
    np.testing.assert_allclose(got["images"][0], vae.decoder(got["z"][0]).mean(), atol=TOLERANCE)


def test_reconstruct_is_the_model(vae, signatures, images):
    got = call(signatures["vae"]["reconstruct"], images=images)["images"]
    np.testing.assert_allclose(got, vae.reconstruct(images), atol=TOLERANCE)


def test_interpolation_is_the_line_between_posterior_means(vae, signatures, images):
    steps = np.array([3, 1, 5, 2], "int32")
    inputs = {"start_images": images, "end_images": images[::-1], "steps": steps}
    got = call(signatures["vae"]["interpolate"], **inputs)["images"]
    assert got.shape == (4, 5, *IMAGE_SHAPE)
    np.testing.assert_allclose(got[:, 0], vae.reconstruct(images), atol=TOLERANCE)
    ends = got[np.arange(4), steps - 1][[0, 2, 3]]
    expected = vae.reconstruct(images[::-1]).numpy()[[0, 2, 3]]
    np.testing.assert_allclose(ends, expected, atol=TOLERANCE)
    mean = vae.encoder(images).mean().numpy()
    middle = vae.decoder((mean[:1] + mean[3:]) / 2).mean()
    np.testing.assert_allclose(got[0, 1:2], middle, atol=TOLERANCE)


@pytest.mark.parametrize(("servable", "name"), [("encoder", "encode"), ("vae", "reconstruct")])
def test_bytes_are_scaled_inside_the_graph(signatures, servable, name):
    pixels = np.random.default_rng(0).integers(0, 256, (3, *IMAGE_SHAPE), np.uint8)
    found = signatures[servable]
    expected = call(found[name], images=pixels.astype("float32") / 255)
    from_uint8 = call(found[f"{name}_uint8"], images=pixels)
    files = np.array([png(image) for image in pixels], object)
    from_png = call(found[f"{name}_image_bytes"], image_bytes=files)
    for output, value in expected.items():
        np.testing.assert_allclose(from_uint8[output], value, atol=TOLERANCE)
        np.testing.assert_array_equal(from_png[output], from_uint8[output])


def test_jpeg_and_colour_files_are_read(signatures):
    grey = np.full((*IMAGE_SHAPE[:2], 3), 100, np.uint8)
    files = np.array([tf.io.encode_jpeg(grey, quality=100).numpy(), png(grey)], object)
    got = call(signatures["encoder"]["encode_image_bytes"], image_bytes=files)["mean"]
    exact = np.full((2, *IMAGE_SHAPE), 100, np.uint8)
    expected = call(signatures["encoder"]["encode_uint8"], images=exact)["mean"]
    np.testing.assert_allclose(got, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (png(np.zeros((9, 9, 1), np.uint8)), "height, width, channels are not"),
        (b"not an image", "Unknown image file format"),
        (b"", "empty|Unknown image"),
        (png(np.zeros(IMAGE_SHAPE, np.uint8))[:-30], "PNG"),
    ],
)
def test_files_that_are_no_image_of_the_model_are_refused(signatures, file, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(signatures["encoder"]["encode_image_bytes"], image_bytes=np.array([file], object))


@pytest.mark.parametrize(("servable", "name"), [s for s in SIGNATURES if "sample" in s[1]])
@pytest.mark.parametrize("count", [0, -3, 2**31 - 1, 4097])
def test_sample_counts_out_of_range_are_refused(vae, signatures, servable, name, count):
    inputs = request(vae, servable, name, 2)
    inputs["num_samples"] = np.array([1, count], "int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_samples must be from 1 to 4096"):
        call(signatures[servable][name], **inputs)


def test_score_and_interpolate_refuse_counts_out_of_range(vae, signatures):
    inputs = request(vae, "vae", "score", 1) | {"num_samples": np.array([100_001], "int32")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 1 to 100000"):
        call(signatures["vae"]["score"], **inputs)
    inputs = request(vae, "vae", "interpolate", 1) | {"steps": np.array([0], "int32")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="steps must be from 1 to 4096"):
        call(signatures["vae"]["interpolate"], **inputs)


def test_too_many_samples_in_all_rows_are_refused(vae, signatures):
    inputs = request(vae, "decoder", "sample", 5) | {"num_samples": np.full(5, 4096, "int32")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 16384"):
        call(signatures["decoder"]["sample"], **inputs)


def test_inputs_of_different_lengths_are_refused(vae, signatures, images):
    inputs = request(vae, "encoder", "sample", 3) | {"images": images}
    with pytest.raises(tf.errors.InvalidArgumentError, match="one value per row"):
        call(signatures["encoder"]["sample"], **inputs)


def test_images_that_no_file_holds_have_no_signature_for_files():
    signature = Signature(lambda images: {"sum": tf.reduce_sum(images, [1, 2, 3])}, {})
    assert set(of_bytes(signature, (4, 4, 3))) == {"uint8", "image_bytes"}
    assert set(of_bytes(signature, (4, 4, 2))) == {"uint8"}


def test_a_posterior_without_a_path_from_noise_is_refused():
    with pytest.raises(TypeError, match=r"maps standard normal noise to z, received Categorical"):
        posterior_draws(tfp.distributions.Categorical(logits=[0.0, 0.0]), tf.zeros([1, 1, 2]))
