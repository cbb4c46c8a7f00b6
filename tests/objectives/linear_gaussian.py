"""A linear-Gaussian model: everything that an objective estimates has an exact value.

z ~ N(0, I),  x | z ~ N(W z + b, s^2 I)   =>   x ~ N(b, W W^T + s^2 I)
z | x ~ N(M^-1 W^T (x - b), s^2 M^-1),    M = W^T W + s^2 I
"""

import numpy as np
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads import MultivariateNormalDiag
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.noise import training_noise

tfd = tfp.distributions

D, PIXELS, SIGMA = 2, 5, 0.8
_RNG = np.random.default_rng(42)
W = _RNG.normal(size=(PIXELS, D))
B = _RNG.normal(size=PIXELS)
X = _RNG.normal(size=(3, PIXELS)) * 1.5

LOG_PX = scipy.stats.multivariate_normal.logpdf(X, B, W @ W.T + SIGMA**2 * np.eye(PIXELS))
_M = W.T @ W + SIGMA**2 * np.eye(D)
TRUE_LOC = (X - B) @ W @ np.linalg.inv(_M)
TRUE_COVARIANCE = SIGMA**2 * np.linalg.inv(_M)

# A posterior that is wrong in every respect, and near enough for importance weights.
LOC = TRUE_LOC + 0.3 * _RNG.normal(size=(3, D))
SCALE = np.sqrt(np.diag(TRUE_COVARIANCE)) * np.array([1.4, 1.2])


def prior():
    return tfd.MultivariateNormalDiag(tf.zeros(D), tf.ones(D))


def posterior(loc=LOC, scale=SCALE, rows=1):
    loc = tf.repeat(tf.cast(loc, tf.float32), rows, axis=0)
    scale = tf.cast(scale, tf.float32) * tf.ones_like(loc)
    return tfd.MultivariateNormalDiag(loc, scale)


def true_posterior(rows=1):
    loc = tf.repeat(tf.cast(TRUE_LOC, tf.float32), rows, axis=0)
    factor = tf.cast(np.linalg.cholesky(TRUE_COVARIANCE), tf.float32)
    return tfd.MultivariateNormalTriL(loc, tf.broadcast_to(factor, [len(loc), D, D]))


def decoder(z, weights=W, bias=B):
    loc = tf.linalg.matvec(tf.cast(weights, tf.float32), z) + tf.cast(bias, tf.float32)
    return tfd.Independent(tfd.Normal(loc, SIGMA), reinterpreted_batch_ndims=1)


def images(rows=1):
    return tf.repeat(tf.constant(X, tf.float32), rows, axis=0)


def inference(q, p=None, likelihood=decoder, x=None, seed=(1, 2)):
    """What a model with these distributions would hand an objective."""
    p = prior() if p is None else p
    x = images(q.batch_shape[0] // len(X)) if x is None else x
    rows, seed = len(x), tf.constant(seed)

    def joint(z):
        found = likelihood(z)
        return Joint(found.log_prob(x), p.log_prob(z), found.mean())

    # Its draws and its frozen() are those of every head.
    proposal = Posterior(MultivariateNormalDiag(D), q, p)
    return Inference(proposal, joint, noise=lambda draws: training_noise(seed, draws, rows))


def exact_elbo(loc=LOC, scale=SCALE):
    """E_q[log p(x|z)] - KL, both in closed form."""
    expected = scipy.stats.norm.logpdf(X, loc @ W.T + B, SIGMA).sum(axis=1)
    expected -= 0.5 * np.sum((W * scale) ** 2) / SIGMA**2
    kl = 0.5 * np.sum(scale**2 + loc**2 - 1 - 2 * np.log(scale), axis=1)
    return expected - kl


def per_image(values, rows):
    """Averages and standard errors over the copies of each image, `[3]` each."""
    values = np.asarray(values, "float64").reshape(len(X), rows)
    return values.mean(axis=1), values.std(axis=1) / np.sqrt(rows)
