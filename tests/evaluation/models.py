"""Models whose log p(x) is known some other way."""

import numpy as np
import scipy.stats

from tests.posterior import set_posterior
from tfvae import VAE, Decoder, Encoder, heads, networks

SHAPE = (4, 4, 1)
PIXELS = 16
NOISE = 0.3


def images(count, shape=SHAPE, seed=0):
    """Grey images, uniform in [0, 1]."""
    return np.random.default_rng(seed).uniform(size=(count, *shape)).astype("float32")


class LinearGaussian:
    """Probabilistic PCA: p(z) = N(0, I), p(x|z) = N(W z + b, s^2 I), and q(z|x) linear in x.

    p(x) = N(b, W W^T + s^2 I) and p(z|x) = N(A (x - b), C) with C = (I + W^T W / s^2)^-1 and
    A = C W^T / s^2. The encoder's mean is exact but for `shift`; its covariance is `widen`^2 C with
    the full head, and `widen`^2 diag(C) with the diagonal one.
    """

    def __init__(self, full, latent_size=3, shift=0.0, widen=1.0, seed=0):
        import keras

        rng = np.random.default_rng(seed)
        self.W = rng.normal(size=(PIXELS, latent_size)) * 0.3
        self.b = rng.uniform(0.4, 0.6, size=PIXELS)
        self.C = np.linalg.inv(np.eye(latent_size) + self.W.T @ self.W / NOISE**2)
        self.A = self.C @ self.W.T / NOISE**2
        self.shift = shift
        head = heads.MultivariateNormalTriL if full else heads.MultivariateNormalDiag
        self.model = VAE(
            Encoder(keras.layers.Flatten(), head(latent_size)),
            Decoder(keras.layers.Flatten(), heads.IndependentNormal(SHAPE, scale=NOISE)),
        )
        self.model.build((None, *SHAPE))
        self.L = np.linalg.cholesky(self.C) if full else np.diag(np.sqrt(np.diag(self.C)))
        self.L = self.L * widen
        offset = self.shift - self.A @ self.b
        set_posterior(self.model.encoder.head, self.A, offset, self.L)
        self.model.decoder.head.projection.set_weights([self.W.T])
        self.model.decoder.head.bias.assign(self.b.reshape(SHAPE))

    def log_likelihood(self, x):
        """The exact log p(x), `[N]`."""
        covariance = self.W @ self.W.T + NOISE**2 * np.eye(PIXELS)
        return scipy.stats.multivariate_normal(self.b, covariance).logpdf(x.reshape(len(x), -1))

    def gap(self):
        """The exact KL(q(z|x) || p(z|x)), the same for every x."""
        difference = np.full(len(self.C), self.shift)
        precision, covariance = np.linalg.inv(self.C), self.L @ self.L.T
        log_ratio = np.linalg.slogdet(self.C)[1] - np.linalg.slogdet(covariance)[1]
        trace = np.trace(precision @ covariance)
        return 0.5 * (trace + difference @ precision @ difference - len(self.C) + log_ratio)


def digits_model(latent_size, full=False, units=(32,), prior=None, seed=0, posterior=None):
    """An untrained VAE of 8 x 8 binary images."""
    import keras

    keras.utils.set_random_seed(seed)
    normal = heads.MultivariateNormalTriL if full else heads.MultivariateNormalDiag
    head = posterior or normal
    model = VAE(
        Encoder(networks.MLP(list(units)), head(latent_size)),
        Decoder(networks.MLP(list(units)), heads.IndependentBernoulli((8, 8, 1))),
        prior=prior,
        seed=seed,
    )
    model.build((None, 8, 8, 1))
    return model


def bits(count, shape=(8, 8, 1), seed=0):
    """Binary images, 3 pixels in 10 lit."""
    return (images(count, shape, seed) < 0.3).astype("float32")


def bits_as_codes():
    """An untrained VAE of digits, whose z is three bits."""
    import tfvae

    return tfvae.presets.model(
        "digits", posterior="bernoulli", prior="bernoulli", latent_size=3, units=(4,),
        gradient="score_function",
    )  # fmt: skip
