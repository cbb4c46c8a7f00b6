"""scikit-learn's handwritten digits: real data that need no network."""

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.splits import Split, hold_out

TEST_FRACTION = 0.2


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Read the 1,797 digits.

    Pixels count the inked cells of a 4x4 block, 0..16, so the value is count / 16. That is not a
    multiple of 1/255 in general, so the rows are float32; k / 16 is exact there.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    x = (data.images[..., None] / 16.0).astype(np.float32)
    columns = Columns(
        {"x": Rows(x), "label": Rows(data.target.astype(np.int32), spec.fields["label"])}
    )
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    return hold_out(spec, columns, fraction, "The digits")
