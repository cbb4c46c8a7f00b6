"""What signatures take besides float images: bytes and files; and what they refuse."""

import struct
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from tests.export.conftest import IMAGE_SHAPE
from tests.export.test_signatures import SIGNATURES, TOLERANCE, call, request
from tfvae.data.fields import Field
from tfvae.export.limits import MAX_FIRST, MAX_ROWS, MAX_SAMPLES_PER_ROW, MAX_SCORE_SAMPLES
from tfvae.export.servables.images import of_bytes
from tfvae.export.servables.signatures import ServedSignature

REFUSED = tf.errors.InvalidArgumentError


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
        (png(np.zeros((9, 9, 1), np.uint8)), r"height, width are not .* \[9 9\]"),
        (tf.io.encode_jpeg(np.zeros((9, 4, 1), np.uint8)).numpy(), r"height, width are not .*9 4"),
        (b"not an image", "must be a PNG or JPEG"),
        (b"GIF89a" + b"\0" * 40, "must be a PNG or JPEG"),
        (b"", "must be a PNG or JPEG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (png(np.zeros(IMAGE_SHAPE, np.uint8))[:20], r"height, width are not .* \[0 4\]"),
        (png(np.zeros(IMAGE_SHAPE, np.uint8))[:-30], "PNG"),
    ],
)
def test_files_that_are_no_image_of_the_model_are_refused(signatures, file, message):
    with pytest.raises(REFUSED, match=message):
        call(signatures["encoder"]["encode_image_bytes"], image_bytes=np.array([file], object))


def test_a_large_image_is_refused_before_it_is_decoded(signatures):
    """By the time: 20,000 x 10,000 pixels in 195 kB took a second and 199 MB."""
    lines = zlib.compressobj(9)
    data = b"".join(lines.compress(bytes(20_001)) for _ in range(10_000)) + lines.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 20_000, 10_000, 8, 0, 0, 0, 0)), (b"IDAT", data)]
    bomb = b"\x89PNG\r\n\x1a\n"
    for kind, body in [*chunks, (b"IEND", b"")]:
        bomb += (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )
    assert tf.io.decode_png(bomb).shape == (10_000, 20_000, 1)
    small = np.array([png(np.zeros(IMAGE_SHAPE, np.uint8))], object)
    encode = signatures["encoder"]["encode_image_bytes"]
    call(encode, image_bytes=small)
    began = time.perf_counter()
    with pytest.raises(REFUSED, match="10000 20000"):
        call(encode, image_bytes=np.array([bomb], object))
    assert time.perf_counter() - began < 0.2


TOO_MANY = [
    (MAX_SAMPLES_PER_ROW, "num_samples", [("encoder", "sample"), ("decoder", "sample")]),
    (MAX_SCORE_SAMPLES, "num_samples", [("vae", "score"), ("vae", "score_image_bytes")]),
    (MAX_SAMPLES_PER_ROW, "steps", [("vae", "interpolate")]),
]


@pytest.mark.parametrize(
    ("limit", "name", "served"), [(*row[:2], found) for row in TOO_MANY for found in row[2]]
)
def test_counts_out_of_range_are_refused(vae, signatures, limit, name, served):
    inputs = request(vae, *served, 2)
    for count in (0, -3, limit + 1, 2**31 - 1):
        inputs[name] = np.array([1, count], "int32")
        with pytest.raises(REFUSED, match=f"{name} must be from 1 to {limit}"):
            call(signatures[served[0]][served[1]], **inputs)


@pytest.mark.parametrize("servable", ["encoder", "decoder"])
@pytest.mark.parametrize("first", [-1, MAX_FIRST + 1, 2**31 - 1])
def test_draws_out_of_range_are_refused(vae, signatures, servable, first):
    inputs = request(vae, servable, "sample", 2) | {"first": np.array([0, first], "int32")}
    with pytest.raises(REFUSED, match=f"first must be from 0 to {MAX_FIRST}"):
        call(signatures[servable]["sample"], **inputs)


def misshaped(inputs):
    """Each input with an axis more, an axis less, other sizes and another length."""
    for key, value in inputs.items():
        yield key, value[..., np.newaxis]
        if value.ndim > 1:
            yield from ((key, value[:, 0]), (key, np.repeat(value, 2, axis=1)))
        if len(inputs) > 1:
            yield key, value[:1]


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
def test_shapes_and_rows_are_asserted_in_the_graph(vae, exported, servable, name):
    """As TensorFlow Serving runs it: in a session, which looks at no shape by itself."""
    inputs = request(vae, servable, name, 2)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(exported.paths[servable]))
        definition = meta.signature_def[name]
        options = config_pb2.CallableOptions(
            feed=[definition.inputs[key].name for key in inputs],
            fetch=[output.name for output in definition.outputs.values()],
        )
        run = session._make_callable_from_options(options)
        assert len(run(*inputs.values())[0]) == 2
        for key, value in misshaped(inputs):
            with pytest.raises(REFUSED, match=r"compatible with expected|one value per row"):
                run(*(inputs | {key: value}).values())
        with pytest.raises(REFUSED, match=f"at most {MAX_ROWS} rows: split it"):
            run(*(np.repeat(value, 129, axis=0) for value in inputs.values()))


@pytest.mark.parametrize("temperature", [-1.0, np.nan, np.inf])
def test_temperatures_that_widen_nothing_are_refused(vae, signatures, temperature):
    inputs = request(vae, "decoder", "sample", 2)
    inputs["temperature"] = np.array([1.0, temperature], "float32")
    with pytest.raises(REFUSED, match="temperature must be a finite number"):
        call(signatures["decoder"]["sample"], **inputs)


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
