"""What stands for q(z|x) where z is drawn: draws, densities, and divergences in closed form."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions import divergences
from tfvae.distributions.draws import Draw
from tfvae.errors import UserError
from tfvae.heads.base import REALS, Head
from tfvae.inference.coordinates import Coordinates, standardised_by
from tfvae.noise import Noise

tfd = tfp.distributions


class Proposal(ABC):
    """q(z|x) of a batch of B examples; z is a tensor, or a nest of tensors over levels."""

    @property
    def reparameterised(self) -> bool:
        """Whether the draws are differentiable functions of q's parameters."""
        return True

    @property
    def smooth(self) -> bool:
        """Whether log q(z|x) changes along z by its slope alone, without jumps."""
        return True

    @property
    def strata(self) -> int:
        """Of how many parts of q `draw_strata` draws."""
        return 1

    enumerated = False
    """Whether estimates of log p(x) draw from each part, where there are several: an exact sum."""

    @property
    def evaluates(self) -> bool:
        """Whether log q(z|x) of a given z can be evaluated."""
        return type(self).log_prob is not Proposal.log_prob

    @property
    def space(self) -> str:
        """What z is, in words, such as "bits"."""
        return REALS

    @property
    def correlated(self) -> bool:
        """Whether q can hold dimensions of z that depend on each other."""
        return False

    @abstractmethod
    def draw(self, noise: Noise) -> Draw:
        """Draws z, `[S, B, ...]` each, and log q(z|x) `[S, B]`, from noise `[S, B]`."""

    def draw_strata(self, noise: Noise) -> tuple[Draw, tf.Tensor | None]:
        """Draws from each part of q, differentiably, and log of what each draw counts for.

        Returns:
            Draws of leading shape `[K S, B]`, and log-shares `[K S, B]`; None for equal ones.
        """
        return self.draw(noise), None

    def draw_held(self, noise: Noise) -> tuple[Any, Callable[[Any], tf.Tensor]]:
        """Draws z, with log q(z|x) at these draws, q's parameters held constant in gradients.

        Returns:
            z, and a function of z, whose values are these, to log q(z|x) `[S, B]`.
        """
        return self.draw(noise).z, self.frozen().log_prob

    def log_prob(self, z: Any) -> tf.Tensor:
        """Returns log q(z|x) `[S, B]` of given z."""
        raise UserError(
            f"{type(self).__name__} can't evaluate log q(z|x) of a given z, which this objective "
            "needs. Define its log_prob(z)."
        )

    def frozen(self) -> "Proposal":
        """Returns the same q, its parameters held constant in gradients."""
        raise UserError(
            f"{type(self).__name__} can't hold its parameters constant, which this objective "
            "needs. Define its frozen()."
        )

    def kl(self) -> dict[str, tf.Tensor]:
        """Returns KL(q(z|x) || p(z)) `[B]` by name, of the latents that have it in closed form.

        All latents or none: an objective estimates the whole KL where this is empty.
        """
        return {}

    def kl_per_dimension(self) -> tf.Tensor:
        """Returns the KL split over latent dimensions, `[B, D]`."""
        raise UserError(
            f"The KL of {type(self).__name__} does not split over latent dimensions: that takes a "
            "posterior over one vector and a prior, both of Normals or of independent numbers."
        )

    def mean(self) -> Any:
        """Returns the mean of each z, `[B, ...]`."""
        raise UserError(f"{type(self).__name__} does not know its mean: mean().")

    def scale(self) -> Any:
        """Returns the standard deviation of each z, `[B, ...]`: how far apart two draws are."""
        raise UserError(f"{type(self).__name__} does not know its standard deviation: scale().")

    def coordinates(self) -> Coordinates:
        """Returns those in which chains walk: z by its mean and standard deviation."""
        return standardised_by(self.mean(), self.scale())


class Posterior(Proposal):
    """The distribution that a head made, against a prior.

    Args:
        head: what made the distribution.
        distribution: q(z|x), batch shape `[B]`.
        prior: p(z), batch shape `[]` or `[B]`.
    """

    def __init__(self, head: Head, distribution: tfd.Distribution, prior: tfd.Distribution):
        self.head, self.distribution, self.prior = head, distribution, prior

    @property
    def reparameterised(self) -> bool:
        """Whether the head says so, and TFP does not say otherwise."""
        kind = self.distribution.reparameterization_type
        return self.head.reparameterised and kind == tfd.FULLY_REPARAMETERIZED

    @property
    def smooth(self) -> bool:
        """Whether the head says so."""
        return self.head.smooth

    @property
    def strata(self) -> int:
        """The head's."""
        return self.head.strata

    @property
    def evaluates(self) -> bool:
        """Whether the head says so."""
        return self.head.evaluates

    @property
    def space(self) -> str:
        """The head's."""
        return self.head.space

    @property
    def correlated(self) -> bool:
        """Whether the head says so."""
        return self.head.correlated

    def draw(self, noise: Noise) -> Draw:
        """Draws by the head."""
        return self.head.draw(self.distribution, noise)

    def draw_strata(self, noise: Noise) -> tuple[Draw, tf.Tensor | None]:
        """Draws by the head, of each part where q is a mixture of some."""
        if self.strata == 1:
            return super().draw_strata(noise)
        return self.head.draw_strata(self.distribution, noise)

    def draw_held(self, noise: Noise) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        """Draws by the head."""
        return self.head.draw_held(self.distribution, noise)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """Returns log q(z|x) `[S, B]`."""
        return self.distribution.log_prob(z)

    def frozen(self) -> "Posterior":
        """Returns the same q, its parameters held constant in gradients."""
        return Posterior(self.head, self.head.frozen(self.distribution), self.prior)

    def kl(self) -> dict[str, tf.Tensor]:
        """Returns `{"kl": [B]}` where TFP's registry has the closed form."""
        closed = divergences.closed_form(self.distribution, self.prior)
        return {} if closed is None else {"kl": closed}

    def kl_per_dimension(self) -> tf.Tensor:
        """Returns the KL split over latent dimensions, `[B, D]`."""
        return divergences.kl_per_dimension(self.distribution, self.prior)

    def mean(self) -> tf.Tensor:
        """Returns the mean of z, `[B, D]`."""
        return self.head.moments(self.distribution).mean

    def scale(self) -> tf.Tensor:
        """Returns the standard deviation of z, `[B, D]`."""
        return self.head.moments(self.distribution).stddev


class FromPrior(Proposal):
    """p(z) itself as the proposal, for estimates that need no encoder.

    Args:
        generate: noise to z, such as a model's.
        log_density: z to log p(z) `[S, B]`.
    """

    def __init__(self, generate: Any, log_density: Any):
        self.generate, self.log_density = generate, log_density

    def draw(self, noise: Noise) -> Draw:
        """Draws z from the prior."""
        z = self.generate(noise)
        return Draw(z, self.log_density(z))


def require_reals(proposal: Proposal, what: str, instead: str) -> None:
    """Refuses z that is not made of real numbers.

    Args:
        proposal: of a model.
        what: moves z along gradients, such as "refine()".
        instead: what to use, such as "log_likelihood()".

    Raises:
        UserError: for bits, categories and their relaxations on a simplex.
    """
    if proposal.space != REALS:
        raise UserError(
            f"{what} moves z along gradients, through real numbers; this model's z is "
            f"{proposal.space}. Use {instead}."
        )
