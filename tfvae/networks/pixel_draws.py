"""Draws of a masked network, position by position, computing only what is new."""

from typing import Any

import tensorflow as tf

from tfvae.networks.pixel_cnn import GatedPixelCNN


def draw_levels(
    network: GatedPixelCNN, uniform: tf.Tensor, c: tf.Tensor | None = None
) -> tf.Tensor:
    """Draws x_i ~ p(x_i | x_1 .. x_{i-1}, c) for one position after the other.

    The vertical stack is computed a row at a time and the horizontal one a position at a time, from
    windows of what they see of the layer before; of attention, keys and values are kept. The draws
    are those of a loop that evaluates the whole network for every position.

    Args:
        network: Built.
        uniform: Numbers in (0, 1), one for each position, `[N, H * W]`.
        c: Conditions as `network.joined` has them, `[N, ...]`.

    Returns:
        x int32 `[N, H, W]`.
    """
    height, width = network.image_size
    rows, size = tf.shape(uniform)[0], network.filters

    def zeros(*shape: int) -> tf.Tensor:
        return tf.zeros([rows, *shape], network.compute_dtype)

    given = [layer.given(c) for layer in network.stacks]

    def one_row(r: tf.Tensor, x: tf.Tensor, above: list, kept: list) -> tuple[Any, ...]:
        above, to_h = _rows(network, r, above, given)
        line, kept = _line(network, r, uniform, to_h, kept)
        above[0] = _pushed(above[0], network.embedded(line))
        return r + 1, _pushed(x, line), above, kept

    above = [zeros(layer.seen - (not layer.first), width, size) for layer in network.stacks]
    kept = [[zeros(height * width, size)] * 2 for _ in network.blocks]
    start = (tf.constant(0), tf.zeros([rows, height, width], tf.int32), above, kept)
    return tf.while_loop(lambda r, *_: r < height, one_row, start, parallel_iterations=1)[1]


def level_at(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Returns the level in whose part of [0, 1] a number lies, int32, of logits `[..., K]`."""
    below = tf.cumsum(tf.nn.softmax(logits), axis=-1)[..., :-1]
    return tf.reduce_sum(tf.cast(uniform[..., tf.newaxis] > below, tf.int32), axis=-1)


def _rows(
    network: GatedPixelCNN, r: tf.Tensor, above: list[tf.Tensor], given: list[Any]
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The vertical stack of row r: the windows that it leaves, and `[N, W, layers, 2 F]` for h."""
    left, to_h, v = [], [], None
    for layer, before, (to_v, own) in zip(network.stacks, above, given, strict=True):
        seen = before if v is None else tf.concat([before, v[:, tf.newaxis]], axis=1)
        v, across = layer.row(seen, _of_row(to_v, r))
        to_h.append(across + _of_row(own, r))
        left.append(seen if layer.first else seen[:, 1:])  # the first has x's row to come
    return left, tf.stack(to_h, axis=2)


def _line(
    network: GatedPixelCNN, r: tf.Tensor, uniform: tf.Tensor, to_h: tf.Tensor, kept: list
) -> tuple[tf.Tensor, list]:
    """The levels of row r, int32 `[N, W]`, and keys and values with those of the row."""
    width, rows = network.image_size[1], tf.shape(uniform)[0]

    def position(column: tf.Tensor, line: tf.Tensor, left: list, kept: list) -> tuple[Any, ...]:
        i = r * width + column
        logits, seen, attending = _logits(network, i, left, tf.gather(to_h, column, axis=1), kept)
        x = level_at(logits, tf.gather(uniform, i, axis=1))
        e = network.embedded(x)
        fresh = [
            block.kept(h, e[:, tf.newaxis], place)
            for block, (h, place) in zip(network.blocks, attending, strict=True)
        ]
        kept = [
            [_pushed(old, new[:, 0]) for old, new in zip(pair, of_block, strict=True)]
            for pair, of_block in zip(kept, fresh, strict=True)
        ]
        return column + 1, _pushed(line, x), [_pushed(left[0], e), *seen[1:]], kept

    left = [
        tf.zeros([rows, layer.seen - (not layer.first), network.filters], network.compute_dtype)
        for layer in network.stacks
    ]
    start = (tf.constant(0), tf.zeros([rows, width], tf.int32), left, kept)
    found = tf.while_loop(lambda c, *_: c < width, position, start, parallel_iterations=1)
    return found[1], found[3]


def _logits(
    network: GatedPixelCNN, i: tf.Tensor, left: list, to_h: tf.Tensor, kept: list
) -> tuple[tf.Tensor, list[tf.Tensor], list[tuple[tf.Tensor, tf.Tensor]]]:
    """Logits of position i, what the layers leave for the next, and what each block attends by."""
    windows, attending, h = [], [], None
    for number, (layer, before) in enumerate(zip(network.stacks, left, strict=True)):
        seen = before if h is None else tf.concat([before, h[:, tf.newaxis]], axis=1)
        h = layer.position(seen, to_h[:, number])
        windows.append(seen if layer.first else seen[:, 1:])
        if (at := network.block_after(number)) is not None:
            block = network.blocks[at]
            place = tf.gather(tf.cast(block.places, h.dtype), i)
            place = tf.tile(place[tf.newaxis], [tf.shape(h)[0], 1])
            attending.append((h[:, tf.newaxis], place[:, tf.newaxis]))
            keys, values = kept[at]
            h = block.position(h, place, keys, values, i)
    return network.outputs(h), windows, attending


def _of_row(added: Any, r: tf.Tensor) -> Any:
    """Row r of what a condition adds `[N, H or 1, W or 1, 2 F]`; 0 where there is none."""
    if not tf.is_tensor(added):
        return added
    return added[:, 0] if added.shape[1] == 1 else tf.gather(added, r, axis=1)


def _pushed(window: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
    """A window `[N, positions, ...]` moved on by one."""
    return tf.concat([window[:, 1:], new[:, tf.newaxis]], axis=1)
