"""q(y, z|x) of a label y that is known of some examples, and of a code z."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions import divergences
from tfvae.distributions.draws import Draw
from tfvae.heads.base import Head
from tfvae.inference.proposal import Proposal
from tfvae.noise import KeptNoise, Noise

tfd = tfp.distributions

CLASS, CODE = "y", "z"  # the levels of a code: a one-hot label, and what is left beside it
_CHOICE = 0x10000000  # the part of the noise that chooses the class; heads and priors count from 0

# log of the share of a class that a known label rules out: e^-80 = 2e-35 is lost in any sum, and
# unlike log 0 times 0 it is a number.
_RULED_OUT = -80.0


class Labels(NamedTuple):
    """Which label each of B examples has.

    Attributes:
        one_hot: `[B, K]`; zeros where it is not known.
        known: `[B]`, 1 where it is known, else 0.
    """

    one_hot: tf.Tensor
    known: tf.Tensor

    def log_allowed(self, y: tf.Tensor) -> tf.Tensor:
        """log 1[y is the label] `[..., B]` of one-hot y `[..., B, K]`; 0 where it is not known."""
        agrees = tf.reduce_sum(y * self.one_hot, axis=-1)
        return self.known * (1.0 - agrees) * _RULED_OUT


def draw_class(probabilities: tf.Tensor, noise: Noise) -> tf.Tensor:
    """Draws one-hot y `[*leading, K]`: the class in whose part of [0, 1] a uniform number lies."""
    below = tf.cumsum(probabilities, axis=-1)[..., :-1]
    chosen = tf.reduce_sum(tf.cast(noise.part(_CHOICE).uniform(1) > below, tf.int32), axis=-1)
    return tf.one_hot(chosen, probabilities.shape[-1])


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
        logits: of q(y|x), `[B, K]`.
        labels: of the examples.
        prior: p(y) p(z).
    """

    space = "a label beside real numbers"
    enumerated = True

    def __init__(
        self,
        head: Head,
        posteriors: Sequence[tfd.Distribution],
        logits: tf.Tensor,
        labels: Labels,
        prior: ClassAndCode,
    ):
        self.head, self.posteriors, self.labels, self.prior = head, posteriors, labels, prior
        ruled_out = (1.0 - labels.one_hot) * _RULED_OUT
        known = labels.known[:, tf.newaxis] > 0
        self.log_class = tf.where(known, ruled_out, tf.nn.log_softmax(logits))

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
        y = draw_class(tf.exp(self.log_class), noise)
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

    def class_kl(self) -> tf.Tensor:
        """KL(q(y|x) || p(y)) `[B]`, 0 where the label is known."""
        log_ratio = self.log_class - self.prior.log_classes
        return (1.0 - self.labels.known) * tf.reduce_sum(tf.exp(self.log_class) * log_ratio, -1)

    def kl(self) -> dict[str, tf.Tensor]:
        """Returns `{"class": KL(q(y|x) || p(y)), "code": sum_y q(y|x) KL(q(z|x, y) || p(z))}`."""
        closed = [divergences.closed_form(q, self.prior.codes) for q in self.posteriors]
        found = [kl for kl in closed if kl is not None]
        if len(found) < len(closed):
            return {}
        code = tf.reduce_sum(tf.exp(self.log_class) * tf.stack(found, axis=-1), axis=-1)
        return {"class": self.class_kl(), "code": code}
