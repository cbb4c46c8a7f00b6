"""Handwritten digits that images of several of them, or with more around them, are made of."""

import dataclasses

from tfvae.data.catalogue import DatasetSpec, describe
from tfvae.data.sources import digits, prepared
from tfvae.data.splits import Split


def handwritten_digits(spec: DatasetSpec, test_fraction: float | None) -> Split:
    """Reads what a data set is made of: scikit-learn's digits, or MNIST where it has a version.

    Args:
        spec: Of the data set that is made.
        test_fraction: Of scikit-learn's digits, the share that is held out.

    Raises:
        UserError: for a fraction of MNIST, which has a test set of its own.
        FileNotFoundError: if MNIST is not prepared and cannot be downloaded.
    """
    if spec.version is None:  # nothing that TensorFlow Datasets prepares
        return digits.read(describe("digits"), test_fraction)
    prepared.refuse_fraction(spec, test_fraction)
    return prepared.read(dataclasses.replace(describe("mnist"), version=spec.version))
