"""q(y, z|x) of a label y that is known of some examples, and of a code z."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions import divergences
from tfvae.distributions.draws import Draw
from tfvae.heads.base import Head
from tfvae.inference.classes import ClassPosterior
from tfvae.inference.proposal import Proposal
from tfvae.noise import KeptNoise, Noise

tfd = tfp.distributions

CLASS, CODE = "y", "z"  # the levels of a code: a one-hot label, and what is left beside it


class ClassAndCode(NamedTuple):
    """p(y) p(z) as one distribution, of the levels of a code.

    Attributes:
        log_classes: log p(y), `[K]`.
        codes: p(z), batch shape `[]`.
    """

    log_classes: tf.Tensor
    codes: tfd.Distribution

    @property
    def batch_shape(self) -> tf.TensorShape:
        """`[]`."""
        return self.codes.batch_shape

    def sample(self, shape: Any, seed: Sequence[int]) -> dict[str, tf.Tensor]:
        """Draws both by TFP's own samplers."""
        classes = tfd.OneHotCategorical(logits=self.log_classes, dtype=tf.float32)
        first, second = tf.unstack(tf.random.split(tf.constant(seed)))
        return {CLASS: classes.sample(shape, first), CODE: self.codes.sample(shape, second)}

    def log_prob(self, z: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns log p(y) + log p(z), `[...]`."""
        return tf.reduce_sum(z[CLASS] * self.log_classes, axis=-1) + self.codes.log_prob(z[CODE])


class ByClass(Proposal):
    """q(y, z|x) = q(y|x) q(z|x, y), y one of K classes; the label itself where that is known.

    A mixture of K parts, of which objectives draw each, counting for q(y|x): the sum over classes
    is exact. A label that is known is data: its log p(y) belongs to the likelihood, and not here.

    Args:
        head: what made the posteriors.
        posteriors: q(z|x, y) of each class, batch shape `[B]`.
        classes: q(y|x).
        prior: p(y) p(z).
    """

    space = "a label beside real numbers"
    enumerated = True

    def __init__(
        self,
        head: Head,
        posteriors: Sequence[tfd.Distribution],
        classes: ClassPosterior,
        prior: ClassAndCode,
    ):
        self.head, self.posteriors, self.classes, self.prior = head, posteriors, classes, prior
        self.log_class = classes.log_probabilities

    @property
    def reparameterised(self) -> bool:
        """No: which class a draw has is no differentiable choice."""
        return False

    @property
    def strata(self) -> int:
        """K, where the codes of a class have differentiable draws."""
        return len(self.posteriors) if self.head.reparameterised else 1

    @property
    def correlated(self) -> bool:
        """Whether the head says so."""
        return self.head.correlated

    def draw(self, noise: Noise) -> Draw:
        """Draws a class, and the code that its posterior has at this noise."""
        kept = KeptNoise(noise)
        draws = [self.head.draw(q, kept) for q in self.posteriors]
        y = self.classes.draw(noise)
        z = tf.add_n([y[..., k, tf.newaxis] * d.z for k, d in enumerate(draws)])
        log_prob = tf.add_n([y[..., k] * d.log_prob for k, d in enumerate(draws)])
        log_prob += tf.reduce_sum(y * self.log_class, axis=-1)
        return Draw({CLASS: y, CODE: z}, log_prob)

    def draw_strata(self, noise: Noise) -> tuple[Draw, tf.Tensor]:
        """Draws a code of each class, all at the same noise, with log(K q(y|x))."""
        count, noise = len(self.posteriors), KeptNoise(noise)
        y, z, log_prob, shares = [], [], [], []
        for k, posterior in enumerate(self.posteriors):
            drawn = self.head.draw(posterior, noise)
            shape, log_class = tf.shape(drawn.log_prob), self.log_class[:, k]
            y.append(tf.broadcast_to(tf.one_hot(k, count), tf.concat([shape, [count]], axis=0)))
            z.append(drawn.z)
            log_prob.append(drawn.log_prob + log_class)
            shares.append(tf.broadcast_to(log_class + math.log(count), shape))
        codes = {CLASS: tf.concat(y, axis=0), CODE: tf.concat(z, axis=0)}
        return Draw(codes, tf.concat(log_prob, axis=0)), tf.concat(shares, axis=0)

    def kl(self) -> dict[str, tf.Tensor]:
        """Returns `{"class": KL(q(y|x) || p(y)), "code": sum_y q(y|x) KL(q(z|x, y) || p(z))}`."""
        closed = [divergences.closed_form(q, self.prior.codes) for q in self.posteriors]
        found = [kl for kl in closed if kl is not None]
        if len(found) < len(closed):
            return {}
        code = tf.reduce_sum(tf.exp(self.log_class) * tf.stack(found, axis=-1), axis=-1)
        return {"class": self.classes.kl(self.prior.log_classes), "code": code}
