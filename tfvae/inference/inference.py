"""What a model hands an objective: draws of z with all their densities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.inference.proposal import Proposal
from tfvae.noise import Noise

# The part of a step's noise that draws from the prior; a model's own latents count theirs from 0.
_PRIOR = 0x20000000


class Joint(NamedTuple):
    """log p(x, z) of S draws for each of B examples, in its parts.

    Attributes:
        log_likelihood: log p(x|z), `[S, B]`.
        log_prior: log p(z), `[S, B]`.
        mean: E[x|z], `[S, B, ...]`, or a nest of such.
        completed: x with what is missing drawn, `[S, B, ...]`, where the likelihood is of a whole
            example; None where it is not.
    """

    log_likelihood: tf.Tensor
    log_prior: tf.Tensor
    mean: Any
    completed: tf.Tensor | None = None


class Draws(NamedTuple):
    """S draws of z for each of B examples, with their densities.

    Attributes:
        z: `[S, B, ...]`, or a nest over levels.
        log_posterior: log q(z|x), `[S, B]`.
        joint: log p(x, z).
        log_shares: log of what each draw counts for, `[S, B]`, one on average; None where all count
            alike.
    """

    z: Any
    log_posterior: tf.Tensor
    joint: Joint
    log_shares: tf.Tensor | None = None

    @property
    def log_weights(self) -> tf.Tensor:
        """log p(x, z) - log q(z|x), and log of the share, `[S, B]`."""
        log_weights = self.joint.log_likelihood - self.log_ratio
        return log_weights if self.log_shares is None else log_weights + self.log_shares

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """E_q of a function of z, `[B]`, from its values at the draws, `[S, B]`."""
        if self.log_shares is not None:
            values = tf.exp(self.log_shares) * values
        return tf.reduce_mean(values, axis=0)

    @property
    def log_ratio(self) -> tf.Tensor:
        """log q(z|x) - log p(z), `[S, B]`."""
        return self.log_posterior - self.joint.log_prior

    @property
    def nll(self) -> tf.Tensor:
        """-1/S sum_s log p(x|z_s), `[B]`, each draw by its share."""
        return -self.mean(self.joint.log_likelihood)

    @property
    def reconstruction(self) -> Any:
        """E[x|z] at the first draw, `[B, ...]`."""
        return tf.nest.map_structure(lambda mean: mean[0], self.joint.mean)


@dataclass(frozen=True)
class Inference:
    """A batch of B examples seen by a model: q(z|x) and p(x, z), made once for any number of draws.

    Attributes:
        proposal: q(z|x).
        joint: z to log p(x, z).
        noise: S to the noise `[S, B]` of this step; what an objective draws with.
        generate: noise to z from p(z), given the batch's conditions; None where the model does not
            generate.
        num_examples: N, the size of the training set, float32 `[]`; 0 where it is not known.
        batch: the examples, by field, for a learned baseline; None where nobody has told.
        joint_drawn: z and the noise that it was drawn with to log p(x, z), where that itself takes
            draws, such as of what is missing of x; None where `joint` does.
    """

    proposal: Proposal
    joint: Callable[[Any], Joint]
    noise: Callable[[int], Noise] | None = None
    generate: Callable[[Noise], Any] | None = None
    num_examples: tf.Tensor | float = 0.0
    batch: Mapping[str, tf.Tensor] | None = None
    joint_drawn: Callable[[Any, Noise], Joint] | None = None

    def draw(self, num_samples: int) -> Draws:
        """Draws z from q, S times with the noise of this step, and evaluates the densities."""
        assert self.noise is not None  # an objective's inference has that of its step
        return self.draw_from(self.noise(num_samples))

    def draw_strata(self, num_samples: int, frozen: bool = False) -> Draws:
        """Draws z from each part of q, S times with the noise of this step, differentiably.

        The same as `draw` unless q is a mixture. Its draws count unequally: average by
        `Draws.mean`, and say so by `Objective.stratified`.

        Args:
            num_samples: S.
            frozen: whether log q(z|x) holds q's parameters constant in gradients.
        """
        assert self.noise is not None  # as in draw
        noise = self.noise(num_samples)
        if frozen and self.proposal.strata == 1:
            z, log_prob = self.proposal.draw_held(noise)
            return Draws(z, log_prob(z), self._joint_at(z, noise))
        (z, log_posterior), log_shares = self.proposal.draw_strata(noise)
        if frozen:
            return self.at(z, frozen=True)._replace(log_shares=log_shares)
        return Draws(z, log_posterior, self._joint_at(z, noise), log_shares)

    def at(self, z: Any, frozen: bool = False) -> Draws:
        """Evaluates the densities at given z, `[S, B, ...]`.

        Args:
            z: drawn from q.
            frozen: whether log q(z|x) holds q's parameters constant in gradients; z itself never
                does.
        """
        proposal = self.proposal.frozen() if frozen else self.proposal
        return Draws(z, proposal.log_prob(z), self.joint(z))

    def draw_prior(self, num_samples: int) -> Any:
        """Draws z from p(z), `[S, B, ...]` each, with noise of this step that q does not use.

        For divergences between sets of draws (MMD, adversaries), of any prior.

        Raises:
            UserError: if the model does not generate.
        """
        if self.generate is None:
            raise UserError(
                "The objective draws from the prior, and this model can't: give it "
                "generate(noise, conditions), or choose another objective."
            )
        assert self.noise is not None  # as in draw
        return self.generate(self.noise(num_samples).part(_PRIOR))

    def draw_from(self, noise: Noise) -> Draws:
        """Draws z from q with given noise `[S, B]`, and evaluates the densities."""
        z, log_posterior = self.proposal.draw(noise)
        return Draws(z, log_posterior, self._joint_at(z, noise))

    def _joint_at(self, z: Any, noise: Noise) -> Joint:
        """log p(x, z) of z that was drawn with a noise."""
        return self.joint(z) if self.joint_drawn is None else self.joint_drawn(z, noise)
