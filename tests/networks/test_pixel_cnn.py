"""PixelCNN's networks: what a position depends on, by the Jacobian, and draws by halves of work."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.flows.made import moved
from tests.networks.naive_pixels import naive_levels
from tfvae import networks
from tfvae.errors import UserError
from tfvae.networks.pixel_draws import draw_levels

HEIGHT, WIDTH, LEVELS, ROWS = 4, 5, 3, 6
COUNT = HEIGHT * WIDTH
BEFORE = np.tril(np.ones((COUNT, COUNT), bool), -1)
GIVEN = {"label": (3,), "map": (HEIGHT, WIDTH, 2)}
GATED = {"filters": 8, "num_layers": 4, "first_kernel_size": 3, "units": 16}
# One layer, which sees two rows and columns of the nearest: what it attends to is all the rest.
SNAIL = {"filters": 8, "num_layers": 1, "first_kernel_size": 5, "num_heads": 2, "units": 16}
DEEP = {**SNAIL, "num_layers": 3, "first_kernel_size": 3, "every": 1}  # layers after attention
MADE = {
    "gated": functools.partial(networks.GatedPixelCNN, LEVELS, **GATED),
    "pixel_snail": functools.partial(networks.PixelSNAIL, LEVELS, **SNAIL),
    "deep_snail": functools.partial(networks.PixelSNAIL, LEVELS, **DEEP),
}


@functools.cache
def made(kind, given=()):
    network = MADE[kind]()
    shapes = {name: (None, *GIVEN[name]) for name in given}
    network.build({"x": (None, HEIGHT, WIDTH), **shapes})
    return moved(network)


def condition(network, given, rows=ROWS):
    rng = np.random.default_rng(2)
    values = {n: tf.constant(rng.normal(size=(rows, *GIVEN[n])), tf.float32) for n in given}
    return network.joined(values)


def depends(network, c):
    """Whether the logits of position i depend on the level at j, and on c `[COUNT, ...]`."""
    e = np.random.default_rng(3).normal(size=(2, HEIGHT, WIDTH, network.filters))
    e = tf.constant(e, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([e, *([] if c is None else [c])])
        out = tf.reshape(network.logits(e, c), [2, COUNT, LEVELS])
    of_x = tf.reshape(tape.batch_jacobian(out, e), [2, COUNT, LEVELS, COUNT, -1])
    of_c = None if c is None else np.abs(tape.batch_jacobian(out, c)).max(axis=(0, 2))
    return np.abs(of_x).max(axis=(0, 2, 4)), of_c


@pytest.mark.parametrize("kind", MADE)
def test_a_position_depends_on_all_before_it_and_on_nothing_else(kind):
    """No blind spot: of four layers each position sees all, as of one with attention."""
    found, _ = depends(made(kind), None)
    np.testing.assert_array_equal(found[~BEFORE], 0.0)
    assert np.all(found[BEFORE] > 0)


def test_one_layer_without_attention_sees_its_kernel_alone():
    """Else the test above sees nothing: a kernel of 3 sees the row above, and one to the left."""
    network = networks.GatedPixelCNN(LEVELS, **{**GATED, "num_layers": 1})
    network.build((None, HEIGHT, WIDTH))
    found, _ = depends(moved(network), None)
    row, column = np.divmod(np.arange(COUNT), WIDTH)
    down, right = row[:, None] - row, column[:, None] - column
    seen = ((down == 1) & (np.abs(right) <= 1)) | ((down == 0) & (right == 1))
    np.testing.assert_array_equal(found > 0, seen)


def test_conditions_reach_every_position_and_causality_stays():
    network = made("gated", tuple(GIVEN))
    found, of_c = depends(network, condition(network, tuple(GIVEN), rows=2))
    np.testing.assert_array_equal(found[~BEFORE], 0.0)
    whole = of_c.reshape(COUNT, COUNT, -1)
    assert np.all(whole[np.arange(COUNT), np.arange(COUNT)] > 0)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("gated", ()),
        ("gated", ("label", "map")),
        ("pixel_snail", ("label",)),
        ("deep_snail", ()),
    ],
)
def test_draws_are_those_of_the_loop_that_computes_everything(kind, given):
    network = made(kind, given)
    c = condition(network, given)
    uniform = tf.constant(np.random.default_rng(4).random((ROWS, COUNT)), tf.float32)
    draws = [
        tf.function(functools.partial(draw, network), autograph=False)(uniform, c).numpy()
        for draw in (draw_levels, naive_levels)
    ]
    np.testing.assert_array_equal(*draws)
    assert set(draws[0].flat) == set(range(LEVELS))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"kernel_size": 4}, "kernel_size must be odd"),
        ({"first_kernel_size": 1}, "first_kernel_size must be an integer of at least 3"),
        ({"num_levels": 1}, "num_levels must be an integer of at least 2"),
        ({"num_heads": 3}, "num_heads=3 does not divide filters=8"),
    ],
)
def test_bad_sizes_are_refused(bad, said):
    with pytest.raises(UserError, match=said):
        networks.PixelSNAIL(**{"num_levels": 2, "filters": 8, **bad})


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ((None, 4, 4, 3), r"expects levels \[B, H, W\]"),
        ({"x": (None, 4, 4), "map": (None, 2, 2, 1)}, "expected a vector, or an image of 4 x 4"),
    ],
)
def test_bad_shapes_are_refused(shapes, said):
    with pytest.raises(UserError, match=said):
        networks.GatedPixelCNN(2).build(shapes)
