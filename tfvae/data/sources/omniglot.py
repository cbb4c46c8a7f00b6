"""Omniglot, reduced to 28x28 with ink = 1."""

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.resize import by_area
from tfvae.data.rows import Columns, Rows
from tfvae.data.sources.prepared import prepared_builder, refuse_fraction
from tfvae.data.splits import Split

OMNIGLOT_SEED = 20150501
HELD_OUT = 0.25  # 5 of a character's 20 drawings


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Read both of TFDS's parts (background and evaluation alphabets) and split every character.

    Likelihood papers (Burda et al. 2016, arXiv:1509.00519, and after) use a 28x28 version,
    `chardata.mat`, with 24,345 drawings to train (15 of each character's 20) and 8,070 to test.
    That file is not in TFDS. Here the original 105x105 drawings of Lake et al. 2015 are inverted,
    averaged over areas of 3.75 x 3.75 pixels and rounded to bytes; 15 drawings of each character
    train and 5 are held out (24,345 + 8,115), chosen once from a fixed seed. So numbers are like
    the papers' in kind and not comparable with them to the decimal. Labels are the characters.
    """
    refuse_fraction(spec, test_fraction)
    builder = prepared_builder(spec)
    images, numbers = [], []
    for part in ("train", "test"):
        for example in builder.as_dataset(split=part, shuffle_files=False).as_numpy_iterator():
            images.append(reduced(example["image"], spec.fields["x"].shape))
            numbers.append(example["label"])
    labels = np.array(numbers, np.int32)
    columns = Columns({"x": Rows(np.stack(images)), "label": Rows(labels, spec.fields["label"])})
    held = held_out(labels)
    return Split(spec, columns.subset(~held), columns.subset(held))


def reduced(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Black on white RGB drawing -> small grey image, ink = 255."""
    return by_area(255 - image[..., :1], *shape[:2])


def held_out(labels: np.ndarray) -> np.ndarray:
    """Which rows are held out: the same share of each label, from the fixed seed."""
    generator = np.random.Generator(np.random.PCG64(OMNIGLOT_SEED))
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        held[generator.permutation(rows)[: round(HELD_OUT * len(rows))]] = True
    return held
