"""The products of functions and models, and the whole benchmark on a tiny model."""

import json

import pytest
import tensorflow as tf
from click.testing import CliRunner

from tfvae import presets
from tfvae.benchmark.measure import model_products
from tfvae.benchmark.products import Products
from tfvae.cli.main import cli


def test_products_are_those_of_the_function():
    weights = tf.Variable(tf.zeros((3, 5)))
    kernel = tf.Variable(tf.zeros((3, 3, 1, 2)))

    def step(x, image):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(x @ weights) + tf.reduce_sum(
                tf.nn.conv2d(image, kernel, 2, "SAME")
            )
        return loss, *tape.gradient(loss, [weights, kernel])

    products = Products(step, tf.TensorSpec((4, 3)), tf.TensorSpec((2, 8, 8, 1)))
    (loop,) = products.loops
    kinds = sorted(operation.type for operation in loop.operations)
    assert kinds == ["Conv2D", "Conv2DBackpropFilter", "MatMul", "MatMul"]
    shapes = {tuple(operation.outputs[0].shape) for operation in loop.operations}
    assert shapes == {(4, 5), (3, 5), (2, 4, 4, 2), (3, 3, 1, 2)}
    products(2)


def test_loops_count_as_often_as_they_go_round():
    def function(x):
        def body(i, x):
            return i + 1, x @ x

        start = (tf.constant(0), x)
        _, bounded = tf.while_loop(lambda i, _: i < 9, body, start, maximum_iterations=5)
        _, unbounded = tf.while_loop(lambda i, _: i < tf.cast(x[0, 0], tf.int32), body, start)
        return bounded + unbounded

    products = Products(function, tf.TensorSpec((3, 3)), rounds=7)
    assert products.multiplications == (5 + 7) * 27
    products(2)


PIXELS, UNITS, SIZE, BATCH, IMAGES, SAMPLES = 64, 8, 4, 10, 3, 6
ENCODER = PIXELS * UNITS + UNITS * 2 * SIZE
DECODER = SIZE * UNITS + UNITS * PIXELS
FLOW = 3 * (SIZE * 16 + 5 * 16 + 16 * 2 * SIZE)  # three masked networks, each with a context of 5
CONTEXT = UNITS * 3 * 5
INPUT = PIXELS * UNITS  # whose gradient nobody asks for
IWAE = {"objective": "importance_weighted", "objective.num_samples": SAMPLES}
# Name -> settings, multiplications of a step for each image, and of evaluation and of a sample.
COUNTS = {
    "diag": ({}, 3 * (ENCODER + DECODER) - INPUT, (ENCODER, DECODER), DECODER),
    "iaf": (
        {
            "posterior": "iaf",
            "posterior.num_steps": 3,
            "posterior.units": (16,),
            "posterior.context_size": 5,
        },
        3 * (ENCODER + DECODER + FLOW + CONTEXT) - INPUT,
        # V c of a context is computed in each chunk, here one.
        (ENCODER + CONTEXT + 3 * 5 * 16, DECODER + FLOW - 3 * 5 * 16),
        DECODER,
    ),
    "iwae": (
        IWAE,
        3 * (ENCODER + SAMPLES * DECODER) - INPUT,
        (ENCODER, DECODER),
        DECODER,
    ),
    "vimco": (  # no gradient goes through z
        {**IWAE, "objective.gradient": "vimco"},
        3 * (ENCODER + SAMPLES * DECODER) - INPUT - SAMPLES * SIZE * UNITS,
        (ENCODER, DECODER),
        DECODER,
    ),
    "vamp": (  # seven pseudo-inputs, with the gradient of theirs, and seven densities of each z
        {"prior": "vamp", "prior.num_components": 7},
        3 * (ENCODER + DECODER) - INPUT + 3 * 7 * ENCODER / BATCH + 3 * 7 * 2 * SIZE,
        (ENCODER + 7 * ENCODER / IMAGES, DECODER + 7 * 2 * SIZE),
        DECODER + 7 * ENCODER / 2048,
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_products_of_a_model_are_those_counted_by_hand(name):
    changes, step, (of_image, of_draw), of_sample = COUNTS[name]
    config = presets.get("digits", **{"network.units": (UNITS,), "latent_size": SIZE, **changes})
    vae = config.model((8, 8, 1))
    vae.compile("adam")
    vae.build(vae.input_shapes())
    found = model_products(vae, BATCH, IMAGES, SAMPLES)
    assert found["training"].multiplications == pytest.approx(BATCH * step)
    assert found["evaluation"].multiplications == pytest.approx(
        IMAGES * (of_image + SAMPLES * of_draw)
    )
    assert found["sampling"].multiplications == pytest.approx(2048 * of_sample)


def test_command_prints_a_table_and_writes_json(tmp_path):
    output = tmp_path / "benchmark.json"
    arguments = "benchmark digits --units 8 --latent-size 2 --images 256 --samples 20 --rounds 1"
    result = CliRunner().invoke(
        cli, [*arguments.split(), "--seconds", "0", "--output", str(output)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert "share" in result.output
    measured = json.loads(output.read_text())
    for name in ("training", "evaluation", "sampling"):
        assert measured[name]["per_second"] > 0
        assert measured[name]["share_of_products"] > 0
    assert measured["evaluation"]["num_samples"] == 20
    assert measured["peak_memory_mb"] is None or measured["peak_memory_mb"] > 0
