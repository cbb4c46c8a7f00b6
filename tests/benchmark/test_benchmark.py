"""The products of a function, and the whole benchmark on a tiny model."""

import json

import tensorflow as tf
from click.testing import CliRunner

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
    kinds = sorted(operation.type for operation in products.operations)
    assert kinds == ["Conv2D", "Conv2DBackpropFilter", "MatMul", "MatMul"]
    shapes = {tuple(operation.outputs[0].shape) for operation in products.operations}
    assert shapes == {(4, 5), (3, 5), (2, 4, 4, 2), (3, 3, 1, 2)}
    products(2)


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
