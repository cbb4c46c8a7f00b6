"""Independent vectors behind one another, each with a distribution of its own."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw, draw_of
from tfvae.distributions.quantiles import coordinate_quantiles
from tfvae.noise import Noise

tfd = tfp.distributions


class Blocks(tfd.Distribution):
    """p(x) = prod_b p_b(x_b), x the vectors x_b behind one another.

    Unlike `tfd.Blockwise`, it has a standard deviation, and draws block by block from noise.

    Args:
        distributions: Over vectors, of one batch shape.
    """

    def __init__(self, distributions: Sequence[tfd.Distribution]):
        parameters = dict(locals())
        self.distributions = list(distributions)
        super().__init__(
            dtype=self.distributions[0].dtype,
            reparameterization_type=self._path(),
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name="Blocks",
        )

    def _path(self) -> tfd.ReparameterizationType:
        """Fully reparameterised where all are: a part without a path has no gradient."""
        kinds = [block.reparameterization_type for block in self.distributions]
        full = all(kind == tfd.FULLY_REPARAMETERIZED for kind in kinds)
        return tfd.FULLY_REPARAMETERIZED if full else tfd.NOT_REPARAMETERIZED

    def _batch_shape(self) -> tf.TensorShape:
        return self.distributions[0].batch_shape

    def _batch_shape_tensor(self, **_: Any) -> tf.Tensor:
        return self.distributions[0].batch_shape_tensor()

    @property
    def sizes(self) -> list[int]:
        """Of the vectors."""
        return [block.event_shape[0] for block in self.distributions]

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([sum(self.sizes)])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([sum(self.sizes)])

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        parts = tf.split(value, self.sizes, axis=-1)
        return tf.add_n(
            [block.log_prob(x) for block, x in zip(self.distributions, parts, strict=True)]
        )

    def _joined(self, statistic: Callable[[tfd.Distribution], tf.Tensor]) -> tf.Tensor:
        return tf.concat([statistic(block) for block in self.distributions], axis=-1)

    def _mean(self) -> tf.Tensor:
        return self._joined(lambda block: block.mean())

    def _variance(self) -> tf.Tensor:
        return self._joined(lambda block: block.variance())

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        seeds = iter(tfp.random.split_seed(seed, len(self.distributions)))
        return self._joined(lambda block: block.sample(n, seed=next(seeds)))


@tfd.RegisterKL(Blocks, Blocks)
def _kl(q: Blocks, p: Blocks, name: str | None = None) -> tf.Tensor:
    """The sum over blocks, where each has a closed form."""
    if q.sizes != p.sizes:
        raise NotImplementedError(f"Blocks of {q.sizes} and {p.sizes} numbers.")
    pairs = zip(q.distributions, p.distributions, strict=True)
    return tf.add_n([of_q.kl_divergence(of_p) for of_q, of_p in pairs])


@coordinate_quantiles.register(Blocks)
def _(distribution: Blocks, probabilities: tf.Tensor) -> tf.Tensor:
    parts = tf.split(probabilities, distribution.sizes, axis=-1)
    pairs = zip(distribution.distributions, parts, strict=True)
    return tf.concat([coordinate_quantiles(block, its) for block, its in pairs], axis=-1)


@draw_of.register(Blocks)
def _(distribution: Blocks, noise: Noise, shape: tuple[int, ...]) -> Draw:
    draws = [
        draw_of(block, noise.part(number), tuple(block.event_shape))
        for number, block in enumerate(distribution.distributions)
    ]
    z = tf.concat([found.z for found in draws], axis=-1)
    return Draw(z, tf.add_n([found.log_prob for found in draws]))
