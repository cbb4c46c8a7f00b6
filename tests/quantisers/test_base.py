"""What a quantiser of somebody else's has to have."""

import numpy as np
import pytest

from tfvae.errors import UserError
from tfvae.quantisers import Quantiser
from tfvae.quantisers.base import code_counts


def test_a_quantiser_without_its_methods_is_refused():
    class Half(Quantiser):
        def quantise(self, inputs, noise, num_rows, training):
            return None

    with pytest.raises(UserError, match=r"Half is a Quantiser without lookup\(\); define it"):
        Half()


def test_counts_are_numpys():
    indices = np.random.default_rng(0).integers(0, 7, (5, 3, 2)).astype("int32")
    np.testing.assert_array_equal(code_counts(indices, 9), np.bincount(indices.ravel(), None, 9))
    some = np.bincount(indices[:2].ravel(), None, 9)
    np.testing.assert_array_equal(code_counts(indices, 9, 2), some)
