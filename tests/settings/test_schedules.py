"""Schedules of the learning rate, against their formulas in NumPy."""

import numpy as np

from tfvae.settings import schedules


def test_constant_stays():
    assert schedules.constant(1e-3) == 1e-3


def test_cosine_is_the_papers_formula():
    """I. Loshchilov and F. Hutter, 2017, arXiv:1608.03983, eq. 5, with a floor."""
    t, steps, share = np.arange(0, 120, 7), 100, 0.05
    rate = schedules.cosine(2e-3, steps, share)
    progress = np.minimum(t / steps, 1.0)
    expected = 2e-3 * (share + (1 - share) * (1 + np.cos(np.pi * progress)) / 2)
    np.testing.assert_allclose([float(rate(step)) for step in t], expected, rtol=1e-5)
