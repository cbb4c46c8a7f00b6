"""A conditional model whose every part is linear and Normal, and its exact log p(x|c).

c one of three classes, e its one-hot row, z of one dimension:

    z | c ~ N(a e, s^2),   x | z, c ~ N(w z + U e + b, t^2 I)
    x | c ~ N(w a e + U e + b, s^2 w w^T + t^2 I)
    z | x, c ~ N(a e + g^T (x - E[x|c]), v),   g = s^2 (s^2 w w^T + t^2 I)^-1 w,  v = s^2 - s^2 g w

so that q can be the exact posterior: then the ELBO is log p(x|c), and every importance weight is.
"""

import numpy as np
import scipy.stats

import tfvae
from tfvae import heads, networks, priors
from tfvae.distributions.scales import raw_diagonal

CLASSES, PIXELS, S, T = 3, 4, 0.7, 0.5
_RNG = np.random.default_rng(5)
A = _RNG.normal(size=CLASSES)
W, B = _RNG.normal(size=PIXELS), _RNG.normal(size=PIXELS)
U = _RNG.normal(size=(CLASSES, PIXELS))
COVARIANCE = S**2 * np.outer(W, W) + T**2 * np.eye(PIXELS)
GAIN = S**2 * np.linalg.solve(COVARIANCE, W)
VARIANCE = S**2 - S**2 * GAIN @ W
ROWS = 12
LABEL = (np.arange(ROWS) % CLASSES).astype("int32")
X = _RNG.normal(size=(ROWS, PIXELS)).astype("float32")
DATA = {"x": X, "label": LABEL}


def mean(label):
    """E[x|c]."""
    return np.outer(A[label], W) + U[label] + B


LOG_P = np.array(
    [
        scipy.stats.multivariate_normal.logpdf(x, m, COVARIANCE)
        for x, m in zip(X, mean(LABEL), strict=True)
    ]
)


def exact_model(**options):
    """The model with these very weights, q the exact posterior."""
    prior = priors.ConditionalNormal(1, units=[CLASSES], activation="linear")
    model = tfvae.ConditionalVAE(
        tfvae.Encoder(networks.SideBySide(), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.SideBySide(), heads.IndependentNormal((PIXELS,), scale=T)),
        {"label": tfvae.Field.label(CLASSES)},
        prior=prior,
        seed=3,
        **options,
    )
    model.build((None, PIXELS))
    # Inputs stand in the order of their names: label before x, and before z.
    a_bar = A - GAIN @ (np.outer(A, W) + U + B).T  # the part of the posterior mean that is of c
    q = model.encoder.head.projection
    kernel = np.zeros((CLASSES + PIXELS, 2))
    kernel[:CLASSES, 0], kernel[CLASSES:, 0] = a_bar, GAIN
    q.kernel.assign(kernel)
    q.bias.assign([0.0, raw_diagonal(np.sqrt(VARIANCE))])
    model.decoder.head.projection.kernel.assign(np.vstack([U, W]))
    model.decoder.head.bias.assign(B)
    hidden = prior.network.hidden[0]
    hidden.kernel.assign(np.eye(CLASSES))
    hidden.bias.assign(np.zeros(CLASSES))
    prior.head.projection.kernel.assign(np.stack([A, np.zeros(CLASSES)], axis=1))
    prior.head.projection.bias.assign([0.0, raw_diagonal(S)])
    return model
