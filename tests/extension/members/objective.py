"""An objective with a term that is no mean over the examples."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.objectives import Nats, Objective


@keras.saving.register_keras_serializable("stranger")
class MarginalKL(Objective):
    """loss = -ELBO + marginal_weight KL(q(z) || p(z)), where q(z) = 1/N sum_n q(z|x_n).

    The marginal is estimated from the batch, with stratified weights (R. T. Q. Chen et al., 2018,
    arXiv:1802.04942, appendix C.2): of N examples this is one, and the others of the batch stand
    for the N - 1 that are not.

        q(z_i) ~ 1/N q(z_i|x_i) + (N - 1)/N mean_{j != i} q(z_i|x_j)

    Args:
        marginal_weight: At least 0.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, marginal_weight: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.marginal_weight = marginal_weight
        self.add_term_weight("marginal_kl", marginal_weight)

    @property
    def names(self):
        return ("elbo", "nll", "kl", "marginal_kl")

    def nats(self, inference):
        draws = inference.draw(1)
        nll, kl = draws.nll, draws.log_ratio[0]
        terms = {"nll": nll, "kl": kl, "marginal_kl": self._marginal_kl(inference, draws)}
        return Nats(terms, draws.reconstruction, {"elbo": -nll - kl})

    def _marginal_kl(self, inference, draws):
        # One axis of draws and one of examples, `[B, 1, D]` against `[B]`: every pair, `[B, B]`.
        z = tf.nest.map_structure(lambda level: level[0][:, tf.newaxis], draws.z)
        pairs = inference.proposal.log_prob(z)
        batch = tf.cast(tf.shape(pairs)[0], tf.float32)
        examples = tf.maximum(inference.num_examples, batch)  # 0 where it is not known
        others = (examples - 1.0) / tf.maximum(batch - 1.0, 1.0)
        weights = tf.where(tf.eye(tf.shape(pairs)[0]) > 0.0, 1.0, others) / examples
        log_marginal = tf.reduce_logsumexp(pairs + tf.math.log(weights), axis=1)
        return tf.reduce_mean(log_marginal - draws.joint.log_prior[0])

    def get_config(self):
        return {**super().get_config(), "marginal_weight": self.marginal_weight}
