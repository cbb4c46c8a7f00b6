"""Affine images of a proposal: of a Normal q every other Normal, with q's draws and density."""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.distributions.draws import Draw
from tfvae.inference.proposal import Proposal
from tfvae.noise import Noise


class Affine(NamedTuple):
    """A map u -> A u + b of each example, A = diag(exp(a)) (I + strictly_lower(N) / sqrt(D)).

    Attributes:
        shift: b, `[B, ...]`.
        log_scale: a, `[B, ...]`.
        below: N, `[B, D, D]`, of which only what is below the diagonal counts; None for 0.
    """

    shift: tf.Tensor
    log_scale: tf.Tensor
    below: tf.Tensor | None = None

    def __call__(self, u: tf.Tensor) -> tf.Tensor:
        """Returns A u + b of `u [S, B, ...]`."""
        if self.below is not None:
            lower = tf.linalg.set_diag(
                tf.linalg.band_part(self.below, -1, 0), tf.zeros_like(self.shift)
            )
            u += tf.einsum("bij,sbj->sbi", lower, u) / math.sqrt(u.shape[-1])
        return tf.exp(self.log_scale) * u + self.shift

    @classmethod
    def identity(cls, like: tf.Tensor, correlated: bool) -> "Affine":
        """Returns the map that changes nothing.

        Args:
            like: z of one draw, `[B, ...]`.
            correlated: whether A has entries below the diagonal, where z is a vector.
        """
        zeros = tf.zeros_like(like)
        matrices = correlated and like.shape.rank == 2
        return cls(zeros, zeros, tf.linalg.diag(zeros) if matrices else None)

    def tensors(self) -> list[tf.Tensor]:
        """Returns what can be changed of it: what `Affine` is made of."""
        return [part for part in self if part is not None]

    def log_volume(self) -> tf.Tensor:
        """Returns log |A|, `[B]`."""
        return tf.reduce_sum(self.log_scale, axis=list(range(1, self.log_scale.shape.rank)))


class AffineImage(Proposal):
    """The law of z' = m + s f((z - m) / s), z ~ q, with m and s the mean and deviation of q.

        log q'(z') = log q(z) - log |A|

    The maps work in units of q's own standard deviation, so that one step size suits every
    dimension. Images of N(m, diag(s^2)) by diagonal maps are all Normals with a diagonal
    covariance, those of N(m, L L^T) by triangular ones all Normals.

    Args:
        base: q, which knows its mean and scale.
        maps: f of each part of z, in the order of `tf.nest.flatten`.
    """

    def __init__(self, base: Proposal, maps: list[Affine]):
        self.base, self.maps = base, maps

    @property
    def space(self) -> str:
        """Of q."""
        return self.base.space

    def draw(self, noise: Noise) -> Draw:
        """Draws from q, and maps."""
        z, log_prob = self.base.draw(noise)
        log_volume = tf.add_n([affine.log_volume() for affine in self.maps])
        return Draw(self._mapped(z), log_prob - log_volume)

    def mean(self) -> Any:
        """Returns the mean of each z', `[B, ...]`."""
        mean = self.base.mean()
        draws = tf.nest.map_structure(lambda part: part[tf.newaxis], mean)
        return tf.nest.map_structure(lambda part: part[0], self._mapped(draws))

    def _mapped(self, z: Any) -> Any:
        parts = zip(
            self.maps,
            *map(tf.nest.flatten, (z, self.base.mean(), self.base.scale())),
            strict=True,
        )
        return tf.nest.pack_sequence_as(
            z, [mean + scale * affine((part - mean) / scale) for affine, part, mean, scale in parts]
        )
