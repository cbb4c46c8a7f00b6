"""Posteriors of several kinds beside one another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.blocks import Blocks
from tfvae.distributions.draws import Draw
from tfvae.distributions.moments import Moments
from tfvae.errors import UserError
from tfvae.heads.base import REALS, Head, LatentHead
from tfvae.heads.parts import HeadOfParts, made_parts
from tfvae.noise import Noise

tfd = tfp.distributions


def joint_space(sizes: Sequence[int], spaces: Sequence[str]) -> str:
    """Returns what a z of several parts is, in words: that of one kind, where all are of it."""
    if set(spaces) == {REALS}:
        return REALS
    return ", then ".join(f"{size} {space}" for size, space in zip(sizes, spaces, strict=True))


class JointHead(HeadOfParts):
    """What heads of several posteriors share: `JointPosterior`, and those with a name."""

    def __init__(self, posteriors: Mapping[str, Head], **kwargs: Any):
        example = '{"normal": MultivariateNormalDiag(8), "piecewise": LatentPiecewise(8)}'
        super().__init__("posteriors", example, posteriors, **kwargs)
        for name, head in posteriors.items():
            if not isinstance(head, LatentHead) or head.strata > 1 or not head.has_density:
                raise UserError(
                    f"posteriors[{name!r}] is a {type(head).__name__}: a mixture, a point or no "
                    "posterior can't stand beside others. Use posteriors whose draw is one vector."
                )
        self.space = joint_space(
            [head.event_shape[0] for head in self.parts], [head.space for head in self.parts]
        )
        self.reparameterised = all(head.reparameterised for head in self.parts)
        self.smooth = all(head.smooth for head in self.parts)
        self.correlated = any(head.correlated for head in self.parts)

    @property
    def evaluates(self) -> bool:
        """Whether all do."""
        return all(head.evaluates for head in self.parts)

    def draw(self, distribution: Blocks, noise: Noise) -> Draw:
        """Draws by each head, from noise of its own."""
        draws = [
            head.draw(block, noise.part(number))
            for number, (head, block) in enumerate(self._pairs(distribution))
        ]
        z = tf.concat([found.z for found in draws], axis=-1)
        return Draw(z, tf.add_n([found.log_prob for found in draws]))

    def draw_held(
        self, distribution: Blocks, noise: Noise
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        """Draws by each head, with the sum of what they know of log q."""
        found = [
            head.draw_held(block, noise.part(number))
            for number, (head, block) in enumerate(self._pairs(distribution))
        ]

        def log_prob(z: tf.Tensor) -> tf.Tensor:
            parts = tf.split(z, distribution.sizes, axis=-1)
            return tf.add_n([of(part) for (_, of), part in zip(found, parts, strict=True)])

        return tf.concat([z for z, _ in found], axis=-1), log_prob

    def moments(self, distribution: Blocks) -> Moments:
        """Returns those of the heads."""
        found = [head.moments(block) for head, block in self._pairs(distribution)]
        mean = tf.concat([each.mean for each in found], axis=-1)
        stddev = tf.concat([each.stddev for each in found], axis=-1)
        drawn = {name for each in found for name in each.drawn}
        return Moments(mean, stddev, tuple(sorted(drawn)))

    def code(self, distribution: Blocks) -> tf.Tensor:
        """Returns the codes of the heads."""
        codes = [head.code(block) for head, block in self._pairs(distribution)]
        return tf.concat(codes, axis=-1)

    def embedded(self, z: tf.Tensor) -> tf.Tensor:
        """Returns what the decoder sees of each head's draws."""
        parts = tf.split(z, [head.event_shape[0] for head in self.parts], axis=-1)
        seen = [head.embedded(part) for head, part in zip(self.parts, parts, strict=True)]
        return tf.concat(seen, axis=-1)

    def frozen(self, distribution: Blocks) -> Blocks:
        """Returns the same q, its parameters held constant in gradients."""
        return Blocks([head.frozen(block) for head, block in self._pairs(distribution)])

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the outputs of all, and of the whole z `mean` and `stddev`, both `[N, D]`."""
        own = self.outputs_of_parts(parameters)
        whole = {
            name: tf.concat([own[f"{part}_{name}"] for part in self.names], axis=-1)
            for name in ("mean", "stddev")
        }
        return {**own, **whole}

    def _pairs(self, distribution: Blocks) -> list[tuple[Head, tfd.Distribution]]:
        return list(zip(self.parts, distribution.distributions, strict=True))


@keras.saving.register_keras_serializable("tfvae")
class JointPosterior(JointHead):
    """q(z|x) = prod_b q_b(z_b|x): posteriors of several kinds, whose draws are one vector z.

    Choose it where some of what x leaves open is a matter of degree, and some a choice of a few: a
    Normal vector beside a histogram's. Its prior is a `JointPrior` of as many parts, in their
    order; the KL is the sum of theirs, in closed form where each has one. Given x the parts are
    independent. In Python only: a command line has `NormalAndPiecewise`.

    Args:
        posteriors: Heads by name, in the order of z; the names stand before those of parameters
            ("normal_loc").
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> batch `[N]`, event `[D]`, D the sum of theirs.

    Raises:
        UserTypeError: if `posteriors` is no dict of heads.
        UserError: if it holds a mixture, a point without a density, or no posterior.

    Example:
        >>> import numpy as np
        >>> from tfvae.heads import LatentPiecewise, MultivariateNormalDiag
        >>> parts = {"normal": MultivariateNormalDiag(2), "piecewise": LatentPiecewise(1)}
        >>> head = JointPosterior(parts)
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.0, 0.0, 0.5]]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377: the hybrid of two kinds.
    """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "posteriors": self.parts_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "JointPosterior":
        """Creates one from `get_config`."""
        return cls(**{**config, "posteriors": made_parts(config["posteriors"])})
