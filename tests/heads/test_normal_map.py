"""The Normal whose dimensions are the places and channels of a map."""

import numpy as np
import pytest
import scipy.stats

from tests.networks.test_residual import correlated
from tfvae import heads
from tfvae.errors import UserError

RNG = np.random.default_rng(3)
FEATURES = (3 * RNG.normal(size=(2, 4, 3, 5))).astype("float32")
SIZE = 4 * 3 * 2


def test_each_dimension_is_made_at_its_place():
    head = heads.NormalMap(SIZE, limit=2.0)
    q = head(FEATURES)
    raw = np.stack([correlated(x, head.projection) for x in FEATURES.astype("float64")])
    clamped = 2 * np.tanh(raw / 2)
    assert np.abs(raw).max() > 2, "else the clamp is not seen"
    loc, scale = clamped[..., :2].reshape(2, -1), np.exp(clamped[..., 2:]).reshape(2, -1)
    np.testing.assert_allclose(q.mean(), loc, atol=1e-5)
    np.testing.assert_allclose(q.stddev(), scale, rtol=1e-4)
    z = RNG.normal(size=(2, SIZE)).astype("float32")
    expected = scipy.stats.norm(loc, scale).logpdf(z).sum(axis=1)
    np.testing.assert_allclose(q.log_prob(z), expected, rtol=1e-4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"25 dimensions cannot be laid over maps of 4x3\. Give a"):
        heads.NormalMap(25)(FEATURES)
    with pytest.raises(UserError, match=r"expects maps of features \[B, H, W, C\], received shape"):
        heads.NormalMap(24)(FEATURES.reshape(2, -1))
    with pytest.raises(UserError, match="limit must be a finite number above 0"):
        heads.NormalMap(24, limit=0.0)
