"""q(z|x) over several levels of z, each drawn given those before it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions import divergences
from tfvae.distributions.draws import Draw
from tfvae.errors import UserError
from tfvae.heads.base import Head
from tfvae.inference.coordinates import Coordinates
from tfvae.inference.proposal import Proposal
from tfvae.noise import Noise

tfd = tfp.distributions

Choose = Callable[[str, tfd.Distribution], Draw]
"""From a level's name and q of it, given those before, to its z with log q."""


class LevelPass(NamedTuple):
    """One way through all levels: what z was chosen, and the distributions that it met.

    Attributes:
        z: Level -> z, `[S, B, *event]`, or without the axis of draws.
        log_posterior: Level -> log q(z_l|x, levels chosen before it), `[S, B]`.
        posteriors: Level -> q of it, batch shape `[B]` or `[S, B]`.
        priors: Level -> p(z_l|levels above it), batch shape `[]`, `[B]` or `[S, B]`.
        features: What goes on down to the decoder beside z_1, `[B, ...]` or `[S, B, ...]`; None
            where that is nothing.
    """

    z: dict[str, tf.Tensor]
    log_posterior: dict[str, tf.Tensor]
    posteriors: dict[str, tfd.Distribution]
    priors: dict[str, tfd.Distribution]
    features: tf.Tensor | None = None

    @property
    def log_prior(self) -> tf.Tensor:
        """log p(z) of all levels, `[S, B]`."""
        return tf.add_n([self.priors[name].log_prob(z) for name, z in self.z.items()])


class LevelsProposal(Proposal):
    """q(z|x) = prod_l q(z_l|x, levels before it), with z a dict of tensors by level.

    Args:
        run: Makes a `LevelPass` with what `choose` chooses for each level.
        heads: Level -> the head of its q.
        top_down: Whether q of each level is given those above alone, as its prior is, so that the
            KL of a level has a closed form.
    """

    def __init__(
        self, run: Callable[[Choose], LevelPass], heads: Mapping[str, Head], top_down: bool
    ):
        self.run, self.heads, self.top_down = run, heads, top_down
        # Whoever draws asks for log p(z) of these very draws next: the networks of the pass serve
        # both, where evaluating it anew would cost them, and their gradients, twice.
        self._last: LevelPass | None = None

    @property
    def reparameterised(self) -> bool:
        """Whether every level's head is."""
        return all(head.reparameterised for head in self.heads.values())

    @property
    def smooth(self) -> bool:
        """Whether every level's head is."""
        return all(head.smooth for head in self.heads.values())

    def draw(self, noise: Noise) -> Draw:
        """Draws level by level, each with a part of the noise of its own."""

        def choose(name: str, posterior: tfd.Distribution) -> Draw:
            return self.heads[name].draw(posterior, self.part(noise, name))

        self._last = self.run(choose)
        return Draw(self._last.z, _total(self._last.log_posterior))

    def part(self, noise: Noise, name: str) -> Noise:
        """The noise of one level."""
        return noise.part(1 + list(self.heads).index(name))

    def at(self, z: dict[str, tf.Tensor]) -> LevelPass:
        """Returns the pass with given z: the last one, if that drew it."""
        if self._last is None or self._last.z is not z:
            self._last = self.run(lambda name, q: Draw(z[name], q.log_prob(z[name])))
            self._last = self._last._replace(z=z)
        return self._last

    def frozen(self) -> Proposal:
        """Refuses: the parameters of a level follow from the draws of others."""
        raise UserError(
            "q of several levels can't hold its parameters constant in gradients, which this "
            "gradient needs. Choose gradient='pathwise'."
        )

    def log_prob(self, z: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns log q(z|x), `[S, B]`."""
        return _total(self.at(z).log_posterior)

    def level_kl(self, z: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns what each level adds to the KL at given z, `[S, B]` by level.

            KL_l = KL(q(z_l|x, z_>l) || p(z_l|z_>l))       closed form, of a top-down q
                 = log q(z_l|...) - log p(z_l|z_>l)        otherwise

        The mean over draws of their sum is KL(q(z|x) || p(z)).
        """
        found, kl = self.at(z), {}
        for name, log_q in found.log_posterior.items():
            prior = found.priors[name]
            closed = None
            if self.top_down:
                closed = divergences.closed_form(found.posteriors[name], prior)
            kl[name] = log_q - prior.log_prob(z[name]) if closed is None else closed
            kl[name] = tf.broadcast_to(kl[name], tf.shape(log_q))
        return kl

    def codes(self) -> LevelPass:
        """Returns the pass that chooses each level's point estimate, its densities left out."""

        def choose(name: str, posterior: tfd.Distribution) -> Draw:
            z = self.heads[name].code(posterior)
            return Draw(z, tf.zeros(tf.shape(z)[:-1]))  # some flows have no density of a given z

        return self.run(choose)

    def mean(self) -> dict[str, tf.Tensor]:
        """Returns the point estimate of each level given those of the levels before, `[B, *]`."""
        return self.codes().z

    def scale(self) -> dict[str, tf.Tensor]:
        """Returns the standard deviation of each level's q, at the codes of those before it."""
        found = self.codes().posteriors
        return {name: self.heads[name].moments(q).stddev for name, q in found.items()}

    def coordinates(self) -> Coordinates:
        """Returns those of each level given the levels before it."""

        def of(z: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            found = self.at(z).posteriors
            moments = {name: self.heads[name].moments(q) for name, q in found.items()}
            return {name: (z[name] - m.mean) / m.stddev for name, m in moments.items()}

        def place(u: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            log_scales = {}

            def choose(name: str, posterior: tfd.Distribution) -> Draw:
                moments, part = self.heads[name].moments(posterior), u[name]
                log_scale = tf.math.log(tf.broadcast_to(moments.stddev, tf.shape(part)))
                log_scales[name] = tf.reduce_sum(log_scale, range(2, part.shape.rank))
                z = moments.mean + moments.stddev * part
                return Draw(z, posterior.log_prob(z))

            self._last = self.run(choose)
            return self._last.z, _total(log_scales)

        return Coordinates(of, place)


def _total(nats: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Their sum, whose parts may lack the axis of draws."""
    return sum(list(nats.values())[1:], next(iter(nats.values())))
