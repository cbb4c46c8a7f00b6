"""Numbers in [0, 1] whose density is a histogram."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

UNIT_INTERVAL = "numbers in [0, 1]"

# A piece of less mass is drawn once in 10^12 times, by the rounding of a sum: its slope, and the
# square of that in the gradient, stay finite.
_LEAST = 1e-12


class PiecewiseConstant(tfd.Distribution):
    """z in [0, 1] with the density n pi_i on the i-th of n equal pieces, pi = softmax(logits).

        F(z)    = sum_i pi_i clip(n z - i, 0, 1)
        F^-1(u) = (i + (u - sum_j<i pi_j) / pi_i) / n,   i the piece in which F reaches u

    The quantile is continuous in u and in pi, across the pieces too, so that draws z = F^-1(u) are
    differentiable, and E[df(z)/dpi] is the gradient of E[f(z)] for a continuous f. The density
    jumps: log q of a draw does not change along z, and what it changes by at the ends of pieces no
    gradient sees. So a KL is taken in closed form, never by the path through a draw.

    Args:
        logits: `[..., n]`, n at least 1; 1 is the uniform law.

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377.
    """

    def __init__(self, logits: tf.Tensor, name: str = "PiecewiseConstant"):
        self.logits = tf.convert_to_tensor(logits)
        super().__init__(
            dtype=self.logits.dtype,
            reparameterization_type=tfd.FULLY_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters={"logits": self.logits, "name": name},
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {"logits": tfp.util.ParameterProperties(event_ndims=1)}

    @property
    def num_pieces(self) -> int:
        """n."""
        return self.logits.shape[-1]

    def masses(self) -> tf.Tensor:
        """Returns pi `[..., n]`, which sum to 1."""
        return tf.nn.softmax(self.logits)

    def log_densities(self) -> tf.Tensor:
        """Returns log(n pi) `[..., n]`."""
        return tf.nn.log_softmax(self.logits) + np.log(self.num_pieces).astype("float32")

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([], tf.int32)

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        inner = self._edges()[1:-1]
        piece = tf.reduce_sum(tf.cast(value[..., tf.newaxis] >= inner, tf.int32), axis=-1)
        found = tf.reduce_sum(self._chosen(piece) * self.log_densities(), axis=-1)
        inside = (value >= 0.0) & (value <= 1.0)
        return tf.where(inside, found, -np.inf)

    def _cdf(self, value: tf.Tensor) -> tf.Tensor:
        filled = value[..., tf.newaxis] * self.num_pieces - np.arange(self.num_pieces)
        return tf.reduce_sum(self.masses() * tf.clip_by_value(filled, 0.0, 1.0), axis=-1)

    def _quantile(self, value: tf.Tensor) -> tf.Tensor:
        masses = self.masses()
        reached = tf.cumsum(masses, axis=-1)
        above = value[..., tf.newaxis] > reached[..., :-1]
        piece = tf.reduce_sum(tf.cast(above, tf.int32), axis=-1)
        chosen = self._chosen(piece)
        before = tf.reduce_sum(chosen * (reached - masses), axis=-1)
        mass = tf.maximum(tf.reduce_sum(chosen * masses, axis=-1), _LEAST)
        inside = tf.clip_by_value((value - before) / mass, 0.0, 1.0)
        return (tf.cast(piece, self.dtype) + inside) / self.num_pieces

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        shape = tf.concat([[n], tf.shape(self.logits)[:-1]], axis=0)
        seed = tfp.random.sanitize_seed(seed)
        return self._quantile(tf.random.stateless_uniform(shape, seed, dtype=self.dtype))

    def _mean(self) -> tf.Tensor:
        return tf.reduce_sum(self.masses() * self._middles(), axis=-1)

    def _variance(self) -> tf.Tensor:
        """Of the pieces' middles, and within a piece, which is uniform."""
        squares = tf.square(self._middles() - self._mean()[..., tf.newaxis])
        within = 1.0 / (12.0 * self.num_pieces**2)
        return tf.reduce_sum(self.masses() * squares, axis=-1) + within

    def _entropy(self) -> tf.Tensor:
        return -tf.reduce_sum(self.masses() * self.log_densities(), axis=-1)

    def _chosen(self, piece: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(piece, self.num_pieces, dtype=self.dtype)

    def _edges(self) -> np.ndarray:
        return (np.arange(self.num_pieces + 1) / self.num_pieces).astype("float32")

    def _middles(self) -> np.ndarray:
        return ((np.arange(self.num_pieces) + 0.5) / self.num_pieces).astype("float32")


@tfd.RegisterKL(PiecewiseConstant, PiecewiseConstant)
def _kl(q: PiecewiseConstant, p: PiecewiseConstant, name: str | None = None) -> tf.Tensor:
    """KL(q || p) = sum over pieces of pi_i log(n pi_i / (m rho_j)), on which both are constant."""
    of_q, of_p, shares = _common_pieces(q.num_pieces, p.num_pieces)
    log_ratio = tf.gather(q.log_densities(), of_q, axis=-1)
    log_ratio -= tf.gather(p.log_densities(), of_p, axis=-1)
    return tf.reduce_sum(tf.gather(q.masses(), of_q, axis=-1) * shares * log_ratio, axis=-1)


def _common_pieces(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pieces between all edges i / n and j / m: within which of n, of m, and the share of n.

    In units of 1 / (n m), so that edges that are equal are so exactly.
    """
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    return edges[:-1] // m, edges[:-1] // n, (np.diff(edges) / m).astype("float32")
