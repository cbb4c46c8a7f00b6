"""p(x_seen, s) of probabilistic PCA with a missing process: by quadrature over what is missing.

    p(x_seen, s) = p(x_seen) E[p(s|x)],   x_missing | x_seen ~ N(m, C), both known

of rows with two holes, by the product of two Gauss-Hermite rules for the whitened entries.
"""

import numpy as np
from scipy.special import expit

import tests.models.linear_missing as exact

HOLES = np.flatnonzero(exact.PATTERN == 0)
_RNG = np.random.default_rng(11)
WEIGHT, BIAS = 2.0 * _RNG.normal(size=exact.ENTRIES), _RNG.normal(size=exact.ENTRIES)
KERNEL = _RNG.normal(size=(exact.ENTRIES, exact.ENTRIES))
_POINTS, _MASSES = np.polynomial.hermite_e.hermegauss(80)


def self_masking(x):
    """P(s_i = 1|x)."""
    return expit(WEIGHT * x + BIAS)


def linear_masking(x):
    """P(s_i = 1|x)."""
    return expit(x @ KERNEL.T + BIAS)


def moments(probability):
    """log p(x_seen, s), E[x_hole | x_seen, s] and its variance, of the rows of `exact.SAME`."""
    means, variances = exact.posterior(exact.X, exact.SAME)
    eps = np.stack(np.meshgrid(_POINTS, _POINTS, indexing="ij"), axis=-1).reshape(-1, 2)
    masses = np.outer(_MASSES, _MASSES).reshape(-1) / (2 * np.pi)
    found = []
    for row, mean, variance in zip(exact.X, means, variances, strict=True):
        w = exact.W[HOLES]
        scale = np.linalg.cholesky(np.outer(w, w) * variance + exact.T**2 * np.eye(2))
        x = np.tile(row.astype("float64"), (len(eps), 1))
        x[:, HOLES] = w * mean + exact.B[HOLES] + eps @ scale.T
        p = probability(x)
        weights = masses * np.prod(np.where(exact.PATTERN > 0, p, 1.0 - p), axis=1)
        total, values = weights.sum(), x[:, HOLES]
        first = weights @ values / total
        found.append((np.log(total), first, weights @ (values - first) ** 2 / total))
    log_p, mean, variance = (np.array(part) for part in zip(*found, strict=True))
    return exact.log_p(exact.X, exact.SAME) + log_p, mean, variance
