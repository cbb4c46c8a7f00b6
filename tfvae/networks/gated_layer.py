"""One layer of a gated PixelCNN: a stack of rows above, and one of the row itself."""

from typing import Any

import keras
import tensorflow as tf


class GatedLayer(keras.layers.Layer):
    """Convolutions of what comes before a position in raster order, in two stacks.

        a = W_v * v,  v' = gate(a + V_v c)
        h' = h + W_o gate(W_h * h + W_a a + V_h c),   gate([s, t]) = tanh(s) sigmoid(t)

    The vertical stack v sees the rows above and all columns, the horizontal stack h what is left
    in the row, and v through W_a: together all that comes before, without a blind spot. Of the
    first layer the kernels leave out the position itself (mask A), and h' has no h to be added to;
    those of the others contain it (mask B).

    It computes the whole image, or one row of v and one position of h from what they see of the
    layer before: the same numbers.

    Args:
        filters: F, channels of both stacks.
        kernel_size: Columns that W_v sees, an odd number of at least 3.
        first: Whether this is the first layer.
        **kwargs: Keras layer arguments.

    Shapes: v, h `[B, H, W, C]`, c None or `[B, H or 1, W or 1, G]` -> v', h' `[B, H, W, F]`.

    References:
        A. van den Oord et al., 2016, "Conditional Image Generation with PixelCNN Decoders",
        arXiv:1606.05328, figure 2 and eq. 2, 4 and 5. Departure: the first kernel of v leaves out
        the position's own row, which is where they shift v by a row.
    """

    def __init__(self, filters: int, kernel_size: int, first: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.first = filters, kernel_size, first
        self.seen = kernel_size // 2 + (not first)  # rows of W_v, and columns of W_h
        options: dict[str, Any] = {"padding": "valid", "dtype": self.dtype_policy}
        self.vertical = keras.layers.Conv2D(
            2 * filters, (self.seen, kernel_size), name="vertical", **options
        )
        self.horizontal = keras.layers.Conv2D(
            2 * filters, (1, self.seen), use_bias=False, name="horizontal", **options
        )
        self.across = self._dense(2 * filters, "across")
        self.out = self._dense(filters, "out")
        self.condition = self._dense(4 * filters, "condition", use_bias=False)

    def _dense(self, units: int, name: str, **options: Any) -> keras.layers.Dense:
        return keras.layers.Dense(units, dtype=self.dtype_policy, name=name, **options)

    def build(self, channels: int, given_size: int = 0) -> None:
        """Creates the weights for C channels, and for a condition of G where there is one."""
        shape = (None, None, None, channels)
        self.vertical.build(shape)
        self.horizontal.build(shape)
        self.across.build((None, 2 * self.filters))
        self.out.build((None, self.filters))
        if given_size:
            self.condition.build((None, given_size))
        self.built = True

    def given(self, c: tf.Tensor | None) -> tuple[Any, Any]:
        """Returns what a condition adds to both stacks before their gates, or zeros."""
        return (0.0, 0.0) if c is None else tf.split(self.condition(c), 2, axis=-1)

    def call(self, v: tf.Tensor, h: tf.Tensor, c: tf.Tensor | None = None) -> tuple[Any, Any]:
        """Returns v' and h' of the whole image."""
        side, seen = self.kernel_size // 2, self.seen
        to_v, to_h = self.given(c)
        above = v[:, :-1] if self.first else v
        left = h[:, :, :-1] if self.first else h
        before = seen if self.first else seen - 1
        a = self.vertical(tf.pad(above, [[0, 0], [before, 0], [side, side], [0, 0]]))
        own = self.horizontal(tf.pad(left, [[0, 0], [0, 0], [before, 0], [0, 0]]))
        added = self.out(_gated(own + self.across(a) + to_h))
        return _gated(a + to_v), added if self.first else h + added

    def row(self, above: tf.Tensor, to_v: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns one row of v', and what it adds to h' before the gate.

        Args:
            above: The rows that it sees of v, the last one lowest, `[N, rows, W, C]`.
            to_v: What the condition adds, `[N, W or 1, 2 F]`, or 0.

        Returns:
            `[N, W, F]` and `[N, W, 2 F]`.
        """
        side, width = self.kernel_size // 2, above.shape[2]
        padded = tf.pad(above, [[0, 0], [0, 0], [side, side], [0, 0]])
        columns = [padded[:, :, j : j + width] for j in range(self.kernel_size)]
        parts = tf.concat([c[:, i] for i in range(self.seen) for c in columns], axis=-1)
        a = _product(parts, self.vertical, self.compute_dtype)
        return _gated(a + to_v), self.across(a)

    def position(self, left: tf.Tensor, to_h: tf.Tensor) -> tf.Tensor:
        """Returns h' of one position.

        Args:
            left: The positions that it sees of h, the last one to the right, `[N, columns, C]`.
            to_h: What v and the condition add before the gate, `[N, 2 F]`.

        Returns:
            `[N, F]`.
        """
        parts = tf.concat(tf.unstack(left, axis=1), axis=-1)
        added = self.out(_gated(_product(parts, self.horizontal, self.compute_dtype) + to_h))
        return added if self.first else left[:, -1] + added


def _gated(x: tf.Tensor) -> tf.Tensor:
    signal, gate = tf.split(x, 2, axis=-1)
    return tf.tanh(signal) * tf.sigmoid(gate)


def _product(parts: tf.Tensor, convolution: keras.layers.Conv2D, dtype: str) -> tf.Tensor:
    """A convolution as one product of what its kernel lies over, `[..., rows * columns * C]`."""
    kernel = tf.cast(convolution.kernel, dtype)
    kernel = tf.reshape(kernel, [-1, kernel.shape[-1]])
    found = tf.reshape(
        tf.matmul(tf.reshape(parts, [-1, kernel.shape[0]]), kernel),
        tf.concat([tf.shape(parts)[:-1], kernel.shape[1:]], axis=0),
    )
    return found + tf.cast(convolution.bias, dtype) if convolution.use_bias else found
