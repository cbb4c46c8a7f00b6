"""Gives an encoder's head a posterior that is linear in its features."""

import numpy as np

from tfvae.distributions.folded_triangle import fold
from tfvae.heads import MultivariateNormalTriL


def set_posterior(head, gain, offset, factor):
    """loc = gain x + offset and L = factor whatever x is; of a diagonal head the factor's diagonal.

    The head makes L = diag(s) (I + N / sqrt(D)), s = softplus(raw + c) + 1e-5, s = 1 at raw = 0.
    """
    size, scale = len(factor), np.diag(factor)
    raw = np.log(np.expm1(scale - 1e-5)) - np.log(np.expm1(1 - 1e-5))
    kernel = np.concatenate([gain.T, np.zeros_like(gain.T)], axis=1)
    head.projection.set_weights([kernel, np.concatenate([offset, raw])])
    if isinstance(head, MultivariateNormalTriL):
        below = np.zeros(size * (size - 1) // 2)
        places = fold(size).index.reshape(size, size)  # from 1 on; 0 is no place
        lower = np.tril_indices(size, -1)
        below[places[lower] - 1] = (np.sqrt(size) * factor / scale[:, None])[lower]
        head.below.set_weights([np.zeros((gain.shape[1], len(below))), below])
