"""scikit-learn's small tables: real data that need no network."""

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.splits import Split, hold_out

TEST_FRACTION = 0.2
# The diabetes table comes scaled, over all of its rows, unless its own units are asked for.
_OPTIONS = {"diabetes": {"scaled": False}}


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Read a table in its own units: x its columns, and what they were collected to predict."""
    from sklearn import datasets

    table = getattr(datasets, f"load_{spec.name}")(**_OPTIONS.get(spec.name, {}))
    rows = {"x": Rows(table.data.astype(np.float32), spec.fields["x"])}
    for name in spec.fields.keys() - {"x"}:
        field = spec.fields[name]
        rows[name] = Rows(table.target.astype(field.dtype), field)
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    return hold_out(spec, Columns(rows), fraction, f"The table {spec.name}")
