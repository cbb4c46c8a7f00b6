"""A model of six bits: every expectation over its codes is a sum of 64 terms.

z ~ prod_i Bernoulli(sigmoid(a_i)),  x | z ~ prod_j Bernoulli(sigmoid((W z + b)_j)),
q(z|x) = prod_i Bernoulli(sigmoid(l_i))
"""

import itertools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads import LatentBernoulli
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.noise import training_noise

tfd = tfp.distributions

D, PIXELS = 6, 4
_RNG = np.random.default_rng(11)
CODES = np.array(list(itertools.product((0.0, 1.0), repeat=D)), "float32")  # [64, 6]
X = np.array([1.0, 0.0, 1.0, 1.0], "float32")
PARAMETERS = {
    "posterior": (0.8 * _RNG.normal(size=D)).astype("float32"),
    "prior": (0.5 * _RNG.normal(size=D)).astype("float32"),
    "weights": _RNG.normal(size=(PIXELS, D)).astype("float32"),
}


def bits(logits):
    return tfd.Independent(tfd.Bernoulli(logits=logits, dtype=tf.float32), 1)


def densities(z, parameters, x):
    """log q(z|x) and log p(z), log p(x|z), of `z [..., D]`."""
    likelihood = bits(tf.linalg.matvec(parameters["weights"], z))
    log_q = bits(parameters["posterior"]).log_prob(z)
    return log_q, bits(parameters["prior"]).log_prob(z), likelihood.log_prob(x)


def exact_gradient(num_samples, kl_weight=1.0):
    """The gradient of E[log 1/K sum_k w_k], or of the beta-ELBO for K = 1, by a sum over all codes.

    Returns:
        The value, float, and the gradient by parameter, flat `[P]`, both in float64.
    """
    values = {name: tf.Variable(value, dtype=tf.float64) for name, value in PARAMETERS.items()}
    sets = np.array(list(itertools.product(range(len(CODES)), repeat=num_samples)))
    z = tf.constant(CODES[sets], tf.float64)  # [64^K, K, D]
    with tf.GradientTape() as tape:
        weights, prior, posterior = (values[n] for n in ("weights", "prior", "posterior"))
        likelihood = _log_bits(tf.linalg.matvec(weights, z), tf.constant(X, tf.float64))
        log_p, log_q = _log_bits(prior, z), _log_bits(posterior, z)
        log_w = likelihood - kl_weight * (log_q - log_p)
        bound = tf.reduce_logsumexp(log_w, axis=-1) - np.log(num_samples)
        value = tf.reduce_sum(tf.exp(tf.reduce_sum(log_q, axis=-1)) * bound)
    gradients = tape.gradient(value, [values[name] for name in PARAMETERS])
    return float(value), np.concatenate([g.numpy().ravel() for g in gradients])


def _log_bits(logits, z):
    return tf.reduce_sum(z * logits - tf.math.softplus(logits), axis=-1)


def estimated_gradients(objective, rows, seed=(3, 4)):
    """One estimate of the loss's gradient a row.

    Returns:
        `[rows, P]`, of minus the bound.
    """
    parameters = {
        name: tf.Variable(np.repeat(value[np.newaxis], rows, axis=0))
        for name, value in PARAMETERS.items()
    }
    x = tf.constant(np.repeat(X[np.newaxis], rows, axis=0))

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            live = {name: tf.convert_to_tensor(value) for name, value in parameters.items()}
            prior = bits(live["prior"])

            def joint(z):
                likelihood = bits(tf.linalg.matvec(live["weights"], z))
                return Joint(likelihood.log_prob(x), prior.log_prob(z), likelihood.mean())

            proposal = Posterior(LatentBernoulli(D), bits(live["posterior"]), prior)
            noise = lambda draws: training_noise(tf.constant(seed), draws, rows)  # noqa: E731
            nats = objective.nats(Inference(proposal, joint, noise=noise, batch={"x": x}))
            loss = tf.add_n(
                [
                    objective.weight(name) * tf.reduce_sum(nats.surrogates.get(name, value))
                    for name, value in nats.terms.items()
                ]
            )
        return tape.gradient(loss, list(parameters.values()))

    return np.concatenate([g.numpy().reshape(rows, -1) for g in compute()], axis=1)
