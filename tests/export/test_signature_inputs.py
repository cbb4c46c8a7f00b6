"""What signatures take besides float images: bytes and files; and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import IMAGE_SHAPE
from tests.export.test_signatures import SIGNATURES, TOLERANCE, call, request
from tfvae.data.fields import Field
from tfvae.export.servables.images import of_bytes
from tfvae.export.servables.signatures import ServedSignature


def png(image):
    return tf.io.encode_png(image).numpy()


@pytest.mark.parametrize(("servable", "name"), [("encoder", "encode"), ("vae", "reconstruct")])
def test_bytes_are_scaled_inside_the_graph(signatures, servable, name):
    pixels = np.random.default_rng(0).integers(0, 256, (3, *IMAGE_SHAPE), np.uint8)
    found = signatures[servable]
    expected = call(found[name], x=pixels.astype("float32") / 255)
    from_uint8 = call(found[f"{name}_uint8"], x=pixels)
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
    expected = call(signatures["encoder"]["encode_uint8"], x=exact)["mean"]
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


@pytest.mark.parametrize("temperature", [-1.0, np.nan, np.inf])
def test_temperatures_that_widen_nothing_are_refused(vae, signatures, temperature):
    inputs = request(vae, "decoder", "sample", 2)
    inputs["temperature"] = np.array([1.0, temperature], "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="temperature must be a finite number"):
        call(signatures["decoder"]["sample"], **inputs)


def test_too_many_samples_in_all_rows_are_refused(vae, signatures):
    inputs = request(vae, "decoder", "sample", 5) | {"num_samples": np.full(5, 4096, "int32")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 16384"):
        call(signatures["decoder"]["sample"], **inputs)


def test_inputs_of_different_lengths_are_refused(vae, signatures, images):
    inputs = request(vae, "encoder", "sample", 3) | {"x": images}
    with pytest.raises(tf.errors.InvalidArgumentError, match="one value per row"):
        call(signatures["encoder"]["sample"], **inputs)


@pytest.mark.parametrize(
    ("field", "forms"),
    [
        (Field((4, 4, 3)), {"uint8", "image_bytes"}),
        (Field((4, 4, 1), interval=None), {"uint8", "image_bytes"}),  # a Normal's support
        (Field((4, 4, 1), interval=(-1.0, 1.0)), set()),  # bytes become [0, 1]
        (Field((4, 4, 2)), set()),  # no file has two channels
        (Field((4, 4, 1), "int32", (0, 9)), set()),  # codes, not pixels
        (Field((6,), interval=None), set()),
    ],
)
def test_only_images_can_be_sent_as_bytes(field, forms):
    signature = ServedSignature(lambda **inputs: inputs, {}, {"x": field})
    assert set(of_bytes(signature, "x")) == forms
