"""The exported signatures against the live model, and the rule that rows stay rows."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import IMAGE_SHAPE, LATENT_SIZE
from tfvae.export.saved_models.requests import random_request
from tfvae.export.servables.choice import SERVABLES

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
    return random_request(found(vae).signatures()[name], rows, seed)


def row(values, index):
    return {name: value[index : index + 1] for name, value in values.items()}


def test_names_and_default(signatures):
    for servable, names in EXPECTED.items():
        assert set(signatures[servable]) == names | {"serving_default", "about"}
        default, named = (signatures[servable][n] for n in ("serving_default", DEFAULTS[servable]))
        assert default.structured_input_signature == named.structured_input_signature
        assert default.structured_outputs.keys() == named.structured_outputs.keys()


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
@pytest.mark.parametrize("rows", [0, 1, 6])
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
    got, posterior = call(signatures["encoder"]["encode"], x=images), vae.encoder(images)
    assert set(got) == {"loc", "scale_tril", "mean", "stddev"}
    np.testing.assert_allclose(got["mean"], posterior.mean(), atol=TOLERANCE)
    np.testing.assert_allclose(got["stddev"], posterior.stddev(), atol=TOLERANCE)
    covariance = got["scale_tril"] @ got["scale_tril"].transpose(0, 2, 1)
    np.testing.assert_allclose(covariance, posterior.covariance(), atol=TOLERANCE)


def test_posterior_samples_have_the_posterior_moments(vae, signatures, images):
    counts = {"num_samples": np.full(256, 64), "seed": np.repeat(np.arange(4), 64)}
    counts |= {"first": np.tile(np.arange(64) * 64, 4)}
    counts = {name: values.astype("int32") for name, values in counts.items()}
    z = call(signatures["encoder"]["sample"], x=np.repeat(images, 64, axis=0), **counts)["z"]
    z = z.reshape(4, 4096, LATENT_SIZE)
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
        num_samples=np.array([3, 2], "int32"),
        first=np.array([0, 3], "int32"),
        seed=np.array([seed, seed], "int32"),
        temperature=np.array([temperature, temperature], "float32"),
    )
    assert got["x"].shape == (2, 3, *IMAGE_SHAPE)
    drawn = np.concatenate([got["x"][0], got["x"][1, :2]])  # the second row goes on
    expected = vae.sample(5, seed=seed, temperature=temperature)
    np.testing.assert_allclose(drawn, expected, atol=TOLERANCE)
    np.testing.assert_allclose(got["x"][0], vae.decoder(got["z"][0]).mean(), atol=TOLERANCE)


def test_reconstruct_is_the_model(vae, signatures, images):
    got = call(signatures["vae"]["reconstruct"], x=images)["x"]
    np.testing.assert_allclose(got, vae.reconstruct(images), atol=TOLERANCE)


def test_interpolation_is_the_line_between_posterior_means(vae, signatures, images):
    steps = np.array([3, 1, 5, 2], "int32")
    inputs = {"start_x": images, "end_x": images[::-1], "steps": steps}
    got = call(signatures["vae"]["interpolate"], **inputs)["x"]
    assert got.shape == (4, 5, *IMAGE_SHAPE)
    np.testing.assert_allclose(got[:, 0], vae.reconstruct(images), atol=TOLERANCE)
    ends = got[np.arange(4), steps - 1][[0, 2, 3]]
    expected = vae.reconstruct(images[::-1]).numpy()[[0, 2, 3]]
    np.testing.assert_allclose(ends, expected, atol=TOLERANCE)
    mean = vae.encoder(images).mean().numpy()
    middle = vae.decoder((mean[:1] + mean[3:]) / 2).mean()
    np.testing.assert_allclose(got[0, 1:2], middle, atol=TOLERANCE)
