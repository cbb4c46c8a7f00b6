"""q(y, z|x) of one class for each example, in the place of a sum over all classes."""

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions import divergences
from tfvae.distributions.draws import Draw
from tfvae.heads.base import Head
from tfvae.inference.by_class import CLASS, CODE, ClassAndCode
from tfvae.inference.classes import ClassPosterior
from tfvae.inference.proposal import Proposal
from tfvae.noise import Noise

tfd = tfp.distributions


class DrawnClass(Proposal):
    """q(z|x, y) of a class y that has been drawn for each example, or is known.

    All S draws of z have this y, so a bound's mean over y is that of the sum over classes: of an
    ELBO the same number, of an importance-weighted bound one that is lower. What q(y|x) costs is
    always its exact KL(q(y|x) || p(y)), the expectation of the logarithms' difference.

    Args:
        head: what made the posterior.
        posterior: q(z|x, y), batch shape `[B]`.
        y: the class, one-hot or relaxed, `[B, K]`.
        classes: q(y|x), of which y is.
        prior: p(y) p(z).
    """

    space = "a label beside real numbers"

    def __init__(
        self,
        head: Head,
        posterior: tfd.Distribution,
        y: tf.Tensor,
        classes: ClassPosterior,
        prior: ClassAndCode,
    ):
        self.head, self.posterior, self.y = head, posterior, y
        self.classes, self.prior = classes, prior

    @property
    def reparameterised(self) -> bool:
        """Whether the head says so: y has been drawn."""
        return self.head.reparameterised

    @property
    def correlated(self) -> bool:
        """Whether the head says so."""
        return self.head.correlated

    def draw(self, noise: Noise) -> Draw:
        """Draws z of the class, with log q(z|x, y) + KL(q(y|x) || p(y)) + log p(y)."""
        drawn = self.head.draw(self.posterior, noise)
        y = tf.broadcast_to(self.y, tf.concat([tf.shape(drawn.log_prob), [self.y.shape[-1]]], 0))
        labels = self.classes.labels
        log_class = (1.0 - labels.known) * tf.reduce_sum(self.y * self.prior.log_classes, axis=-1)
        log_prob = drawn.log_prob + self.classes.kl(self.prior.log_classes) + log_class
        return Draw({CLASS: y, CODE: drawn.z}, log_prob)

    def score(self) -> tf.Tensor:
        """log q(y|x) `[B]`, whose gradient is the score; 0 where the label is known."""
        return tf.reduce_sum(tf.stop_gradient(self.y) * self.classes.log_probabilities, axis=-1)

    def kl(self) -> dict[str, tf.Tensor]:
        """Returns `{"class": KL(q(y|x) || p(y)), "code": KL(q(z|x, y) || p(z))}`."""
        code = divergences.closed_form(self.posterior, self.prior.codes)
        if code is None:
            return {}
        return {"class": self.classes.kl(self.prior.log_classes), "code": code}
