"""Attention of each position to all that come before it in raster order."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class CausalAttention(keras.layers.Layer):
    """Each position's weighted sum over all before it, however far away.

        h'_i = h_i + W_o sum_{j < i} softmax_j(q_i . k_j / sqrt(d)) v_j
        q_i = W_q [h_i, r_i],  k_j = W_k [h_j, e_j, r_j],  v_j = W_v [h_j, e_j]

    e_j is the level at j, embedded, and r_j its row and column. The first position has nothing
    before it: h'_0 = h_0 + b_o. Of several heads each has a part of q, k and v.

    Args:
        filters: F, channels of h.
        num_heads: Heads, which divide F; d = F / num_heads.
        **kwargs: Keras layer arguments.

    Shapes: h `[B, H, W, F]`, e `[B, H, W, E]` -> `[B, H, W, F]`.

    References:
        X. Chen, N. Mishra, M. Rohaninejad, P. Abbeel, 2017, "PixelSNAIL: An Improved Autoregressive
        Generative Model", arXiv:1712.09763, section 2.2.
    """

    def __init__(self, filters: int, num_heads: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.num_heads = filters, num_heads
        self.query = self._dense("query")
        self.key = self._dense("key")
        self.value = self._dense("value")
        self.out = self._dense("out")

    def _dense(self, name: str) -> keras.layers.Dense:
        return keras.layers.Dense(self.filters, dtype=self.dtype_policy, name=name)

    def build(self, embedding_size: int, height: int, width: int) -> None:
        """Creates the weights for embedded levels of this size, of images of this size."""
        self.query.build((None, self.filters + 2))
        self.key.build((None, self.filters + embedding_size + 2))
        self.value.build((None, self.filters + embedding_size))
        self.out.build((None, self.filters))
        rows, columns = np.linspace(-0.5, 0.5, height), np.linspace(-0.5, 0.5, width)
        places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        self.places = places.reshape(-1, 2).astype(np.float32)
        self.built = True

    def call(self, h: tf.Tensor, e: tf.Tensor) -> tf.Tensor:
        """Returns h' of the whole image."""
        count = len(self.places)
        flat_h, flat_e = (tf.reshape(x, [-1, count, x.shape[-1]]) for x in (h, e))
        places = tf.tile(tf.cast(self.places, h.dtype)[tf.newaxis], [tf.shape(h)[0], 1, 1])
        keys, values = self.kept(flat_h, flat_e, places)
        before = np.tril(np.ones((count, count), np.float32), -1)
        found = self._attended(flat_h, places, keys, values, tf.constant(before))
        return tf.reshape(found, tf.shape(h))

    def kept(self, h: tf.Tensor, e: tf.Tensor, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns k and v of positions, `[N, positions, F]` each."""
        beside = tf.concat([h, e], axis=-1)
        return self.key(tf.concat([beside, places], axis=-1)), self.value(beside)

    def position(
        self, h: tf.Tensor, place: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, count: tf.Tensor
    ) -> tf.Tensor:
        """Returns h' of one position, `[N, F]`.

        Args:
            h: `[N, F]`.
            place: Its row and column as `places` has them, `[N, 2]`.
            keys, values: `kept` of as many positions as an image has, `[N, positions, F]`, of which
                the last `count` are those before this one.
            count: How many come before.
        """
        positions = keys.shape[1]
        before = tf.cast(tf.range(positions) >= positions - count, tf.float32)[tf.newaxis]
        found = self._attended(h[:, tf.newaxis], place[:, tf.newaxis], keys, values, before)
        return found[:, 0]

    def _attended(
        self, h: tf.Tensor, places: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, seen: tf.Tensor
    ) -> tf.Tensor:
        """h' of positions `[N, Q, F]` that see what is 1 in `[Q, K]`; weights in float32."""
        q = self._heads(self.query(tf.concat([h, places], axis=-1)))
        scores = tf.matmul(q, self._heads(keys), transpose_b=True)
        scores = tf.cast(scores, tf.float32) / math.sqrt(self.filters / self.num_heads)
        # Weights of what is not seen are zero, and those of the first position, which sees nothing.
        weights = tf.nn.softmax(scores - 1e9 * (1.0 - seen)) * seen
        mixed = tf.matmul(tf.cast(weights, h.dtype), self._heads(values))
        mixed = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), tf.shape(h))
        return h + self.out(mixed)

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        """`[N, positions, F]` as `[N, heads, positions, d]`."""
        size = self.filters // self.num_heads
        split = tf.reshape(x, [-1, x.shape[1], self.num_heads, size])
        return tf.transpose(split, [0, 2, 1, 3])
