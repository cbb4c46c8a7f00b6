"""Hierarchies of two levels, linear and Normal, and their exact log p(x).

    z2 ~ N(0, 1),   z1 | z2 ~ N(a z2, s^2),   x | z1 ~ N(w z1 + b, t^2 I)
    x ~ N(b, (a^2 + s^2) w w^T + t^2 I)

q can be the exact posterior in both directions:

    up     z1 | x ~ N(g^T (x - b), v1),   z2 | z1 ~ N(a z1 / (a^2 + s^2), s^2 / (a^2 + s^2))
    down   z2 | x ~ N(h^T (x - b), v2),   z1 | x, z2: the precisions of p(z1|z2) and of what x says
           of z1 alone, N(w^T (x - b) / w^T w, t^2 / w^T w), add up: the ladder's merge
"""

import keras
import numpy as np
import scipy.stats

import tfvae
from tfvae import heads, networks
from tfvae.distributions.scales import raw_diagonal

PIXELS, A, S, T = 4, 1.3, 0.6, 0.5
_RNG = np.random.default_rng(8)
W, B = _RNG.normal(size=PIXELS), _RNG.normal(size=PIXELS)
X = (_RNG.normal(size=(12, PIXELS)) * 1.5).astype("float32")


class Known:
    """What is known of the hierarchy whose z1 is s from a z2."""

    def __init__(self, s: float):
        self.s, self.v1 = s, A**2 + s**2  # v1 of z1
        self.covariance = self.v1 * np.outer(W, W) + T**2 * np.eye(PIXELS)
        self.log_p = scipy.stats.multivariate_normal.logpdf(X, B, self.covariance)
        self.g = self.v1 * np.linalg.solve(self.covariance, W)
        self.h = A * np.linalg.solve(self.covariance, W)
        self.loc1, self.variance1 = (X - B) @ self.g, self.v1 - self.v1 * self.g @ W
        self.loc2, self.variance2 = (X - B) @ self.h, 1 - A * self.h @ W


_KNOWN = Known(S)
V1, COVARIANCE, LOG_P, G, H = _KNOWN.v1, _KNOWN.covariance, _KNOWN.log_p, _KNOWN.g, _KNOWN.h
LOC2, VARIANCE2 = _KNOWN.loc2, _KNOWN.variance2
KL2 = 0.5 * (VARIANCE2 + LOC2**2 - 1 - np.log(VARIANCE2))
"""KL(q(z2|x) || p(z2)) of the ladder."""
KL = -LOG_P - np.array(
    [
        # E[-log p(x|z1)] under z1 | x, in closed form.
        0.5 * PIXELS * np.log(2 * np.pi * T**2)
        + 0.5 * (np.sum((x - B - W * m) ** 2) + (V1 - V1 * G @ W) * W @ W) / T**2
        for x, m in zip(X, (X - B) @ G, strict=True)
    ]
)
"""KL(q(z1, z2|x) || p(z1, z2)), the same of both: nll + KL = -log p(x)."""


def exact_model(kind, posterior=heads.MultivariateNormalDiag, known=_KNOWN, **options):
    """`HierarchicalVAE` or `LadderVAE` with these very weights, its q the exact posterior.

    Heads of flows, made by `posterior`, have it for their base.
    """
    prior = heads.MultivariateNormalDiag(1)
    level = tfvae.Level(
        networks.SideBySide(), posterior(1), networks.SideBySide(), prior, name="level_2"
    )
    model = kind(
        tfvae.Encoder(networks.SideBySide(), posterior(1)),
        [level],
        tfvae.Decoder(networks.SideBySide(), heads.IndependentNormal((PIXELS,), scale=T)),
        seed=3,
        **options,
    )
    model.build((None, PIXELS))
    if kind is tfvae.HierarchicalVAE:
        _set(model.encoder.head, known.g, -known.g @ B, known.variance1)
        _set(level.up.head, [A / known.v1], 0.0, known.s**2 / known.v1)
    else:
        _set(model.encoder.head, W / (W @ W), -W @ B / (W @ W), T**2 / (W @ W))
        _set(level.up.head, known.h, -known.h @ B, known.variance2)
    _set(level.down.head, [A], 0.0, known.s**2)
    kernel = model.decoder.head.projection.kernel
    kernel.assign(np.stack([*np.zeros([kernel.shape[0] - 1, PIXELS]), W]))  # z1 is the last
    model.decoder.head.bias.assign(B)
    return model


def _set(head: keras.layers.Layer, slope, offset, variance) -> None:
    """N(slope^T h + offset, variance) as a head's projection."""
    slope, head = np.asarray(slope), getattr(head, "base", head)
    head.projection.kernel.assign(np.stack([slope, np.zeros(len(slope))], axis=1))
    head.projection.bias.assign([offset, raw_diagonal(np.sqrt(variance))])
