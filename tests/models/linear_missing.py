"""Probabilistic PCA with one component, of rows with holes: every quantity is exact.

z ~ N(0, 1),  x | z ~ N(w z + b, t^2 I),  o the entries of a row that are seen

    x_o ~ N(b_o, w_o w_o^T + t^2 I)
    z | x_o ~ N(g^T (x_o - b_o), v),   v = t^2 / (t^2 + |w_o|^2),  g = v w_o / t^2
    E[x | x_o] = w E[z | x_o] + b,     Var[x_i | x_o] = w_i^2 v + t^2  of what is missing

q(z|x_o) is linear in x with 0 in the holes, and so exact for rows with the holes of one pattern.
"""

import numpy as np
import scipy.stats

import tfvae
from tfvae import heads, networks
from tfvae.distributions.scales import raw_diagonal

ENTRIES, T = 5, 0.6
_RNG = np.random.default_rng(7)
W, B = _RNG.normal(size=ENTRIES), _RNG.normal(size=ENTRIES)
PATTERN = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
ROWS = 12
X = (_RNG.normal(size=(ROWS, 1)) * W + B + T * _RNG.normal(size=(ROWS, ENTRIES))).astype("float32")
SAME = np.tile(PATTERN, (ROWS, 1)).astype("float32")
MIXED = (_RNG.random((ROWS, ENTRIES)) > 0.5).astype("float32")
MIXED[:, 0] = 1  # something is seen


def log_p(x, seen):
    """log p(x_o) of each row, and of z given that the mean and the variance."""
    found = []
    for row, mask in zip(x, seen > 0, strict=True):
        covariance = np.outer(W[mask], W[mask]) + T**2 * np.eye(mask.sum())
        found.append(scipy.stats.multivariate_normal.logpdf(row[mask], B[mask], covariance))
    return np.array(found)


def posterior(x, seen):
    """Mean and variance of z | x_o of each row."""
    variance = T**2 / (T**2 + (seen * W**2).sum(axis=1))
    return variance * (seen * (x - B) * W).sum(axis=1) / T**2, variance


def expected(x, seen):
    """x with E[x_i | x_o] in the holes."""
    return np.where(seen > 0, x, posterior(x, seen)[0][:, None] * W + B)


def exact_model(pattern=PATTERN, **options):
    """The model with these very weights, q exact for rows of this pattern; None for q = p(z)."""
    model = tfvae.MissingDataVAE(
        tfvae.Encoder(networks.SideBySide(), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.SideBySide(), heads.IndependentNormal((ENTRIES,), scale=T)),
        seed=3,
        **options,
    )
    model.build((None, ENTRIES))
    gain, variance = np.zeros(ENTRIES), 1.0
    if pattern is not None:
        variance = T**2 / (T**2 + pattern @ W**2)
        gain = variance * pattern * W / T**2
    q = model.encoder.head.projection
    q.kernel.assign(np.stack([gain, np.zeros(ENTRIES)], axis=1))
    q.bias.assign([-gain @ B, raw_diagonal(np.sqrt(variance))])
    model.decoder.head.projection.kernel.assign(W[None])
    model.decoder.head.bias.assign(B)
    return model
