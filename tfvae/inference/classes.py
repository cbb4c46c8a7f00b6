"""q(y|x) of a label y that is known of some examples."""

from typing import NamedTuple

import tensorflow as tf

from tfvae.distributions.draws import draw
from tfvae.distributions.relaxed_blocks import log_concrete
from tfvae.noise import Noise

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

    def instead_of(self, y: tf.Tensor) -> tf.Tensor:
        """Returns the label where it is known, and else y, `[..., B, K]`."""
        return tf.where(self.known[:, tf.newaxis] > 0, self.one_hot, y)


class ClassPosterior(NamedTuple):
    """q(y|x) of B examples: of a label that is known that label.

    Attributes:
        logits: of q(y|x), `[B, K]`, whatever the label says.
        labels: of the examples.
        log_probabilities: log q(y|x), `[B, K]`; constants where the label is known.
    """

    logits: tf.Tensor
    labels: Labels
    log_probabilities: tf.Tensor

    @classmethod
    def of(cls, logits: tf.Tensor, labels: Labels) -> "ClassPosterior":
        """Returns q(y|x) with these logits, `[B, K]`, where the label is not known."""
        ruled_out = (1.0 - labels.one_hot) * _RULED_OUT
        known = labels.known[:, tf.newaxis] > 0
        return cls(logits, labels, tf.where(known, ruled_out, tf.nn.log_softmax(logits)))

    @property
    def probabilities(self) -> tf.Tensor:
        """q(y|x), `[B, K]`."""
        return tf.exp(self.log_probabilities)

    def kl(self, log_classes: tf.Tensor) -> tf.Tensor:
        """KL(q(y|x) || p(y)) `[B]` for log p(y) `[K]`; 0 where the label is known."""
        log_ratio = self.log_probabilities - log_classes
        return (1.0 - self.labels.known) * tf.reduce_sum(self.probabilities * log_ratio, axis=-1)

    def draw(self, noise: Noise) -> tf.Tensor:
        """Draws one-hot y, `[*leading, K]`."""
        return draw_class(self.probabilities, noise)

    def draw_relaxed(self, noise: Noise, temperature: float) -> tf.Tensor:
        """Draws y = softmax((log q(y|x) + Gumbel) / t), `[*leading, K]`, on the simplex."""
        relaxed = log_concrete(self.log_probabilities[:, tf.newaxis], temperature)
        return tf.exp(draw(relaxed, noise.part(_CHOICE)).z)


def draw_class(probabilities: tf.Tensor, noise: Noise) -> tf.Tensor:
    """Draws one-hot y `[*leading, K]`: the class in whose part of [0, 1] a uniform number lies."""
    below = tf.cumsum(probabilities, axis=-1)[..., :-1]
    chosen = tf.reduce_sum(tf.cast(noise.part(_CHOICE).uniform(1) > below, tf.int32), axis=-1)
    return tf.one_hot(chosen, probabilities.shape[-1])
