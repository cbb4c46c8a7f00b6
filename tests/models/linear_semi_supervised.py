"""A semi-supervised model that is linear and Normal given its label: all is known exactly.

y one of three classes with p(y), e its one-hot row, z of one dimension, independent of y:

    z ~ N(0, 1),   x | z, y ~ N(w z + U e + b, t^2 I)
    x | y ~ N(U e + b, w w^T + t^2 I),   p(y|x) by Bayes
    z | x, y ~ N(g^T (x - U e - b), v),   g = (w w^T + t^2 I)^-1 w,  v = 1 - g w

log p(y) + log p(x|y) is linear in x but for a term that all classes share, so p(y|x) is a softmax
of a linear function, and q(y|x) q(z|x, y) can be the exact posterior. Then the bound is log p(x)
where the label is not known, and log p(x, y) where it is.
"""

import numpy as np
import scipy.special
import scipy.stats

import tfvae
from tfvae import heads, networks
from tfvae.distributions.scales import raw_diagonal

CLASSES, PIXELS, T = 3, 4, 0.5
PRIOR = np.array([0.2, 0.3, 0.5])
_RNG = np.random.default_rng(6)
W, B = _RNG.normal(size=PIXELS), _RNG.normal(size=PIXELS)
U = 0.7 * _RNG.normal(size=(CLASSES, PIXELS))
COVARIANCE = np.outer(W, W) + T**2 * np.eye(PIXELS)
GAIN = np.linalg.solve(COVARIANCE, W)
VARIANCE = 1 - GAIN @ W
ROWS = 12
LABEL = np.where(np.arange(ROWS) < 6, np.arange(ROWS) % CLASSES, -1).astype("int32")
X = _RNG.normal(size=(ROWS, PIXELS)).astype("float32")
DATA = {"x": X, "label": LABEL}

# log p(x, y) of each row and class, log p(x), and log p of what is known of each row.
JOINT = np.stack(
    [
        np.log(PRIOR[k]) + scipy.stats.multivariate_normal.logpdf(X, U[k] + B, COVARIANCE)
        for k in range(CLASSES)
    ],
    axis=1,
)
LOG_P = scipy.special.logsumexp(JOINT, axis=1)
LOG_KNOWN = np.where(LABEL >= 0, JOINT[np.arange(ROWS), LABEL], LOG_P)
POSTERIOR = np.exp(JOINT - LOG_P[:, None])


def exact_model(**options):
    """The model with these very weights, q the exact posterior."""
    model = tfvae.SemiSupervisedVAE(
        tfvae.Encoder(networks.SideBySide(), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.SideBySide(), heads.IndependentNormal((PIXELS,), scale=T)),
        tfvae.Encoder(networks.SideBySide(), heads.LatentCategorical(CLASSES, CLASSES)),
        {"label": tfvae.Field.label(CLASSES)},
        class_prior=PRIOR,
        seed=3,
        **options,
    )
    model.build((None, PIXELS))
    # Inputs stand in the order of their names: label before x, and before z.
    q = model.encoder.head.projection
    kernel = np.zeros((CLASSES + PIXELS, 2))
    kernel[:CLASSES, 0], kernel[CLASSES:, 0] = -(U + B) @ GAIN, GAIN
    q.kernel.assign(kernel)
    q.bias.assign([0.0, raw_diagonal(np.sqrt(VARIANCE))])
    model.decoder.head.projection.kernel.assign(np.vstack([U, W]))
    model.decoder.head.bias.assign(B)
    means = U + B
    weights = np.linalg.solve(COVARIANCE, means.T)  # [P, K]
    offsets = np.log(PRIOR) - 0.5 * np.sum(means.T * weights, axis=0)
    model.classifier.head.projection.kernel.assign(weights)
    model.classifier.head.projection.bias.assign(offsets)
    return model
