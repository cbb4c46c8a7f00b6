import numpy as np
import pytest
import tensorflow as tf

from tfvae.data import arrays, load
from tfvae.data.catalogue import CATALOGUE
from tfvae.data.sources import omniglot


def drawing(label, number):
    """White paper with one black square of 15x15, which is 4x4 when reduced."""
    image = np.full((105, 105, 3), 255, np.uint8)
    top, left = 15 * (label % 7), 15 * (number % 7)
    image[top : top + 15, left : left + 15] = 0
    return image


class TinyBuilder:
    """Three characters of twenty drawings each; the last character is in the other part."""

    def as_dataset(self, split, shuffle_files):
        labels = (0, 1) if split == "train" else (2,)
        pairs = [(label, number) for number in range(20) for label in labels]
        columns = {
            "image": np.stack([drawing(*pair) for pair in pairs]),
            "label": np.array([label for label, _ in pairs], np.int64),
        }
        return tf.data.Dataset.from_tensor_slices(columns)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(omniglot, "prepared_builder", lambda spec: TinyBuilder())


@pytest.mark.usefixtures("tiny")
def test_every_character_gives_fifteen_drawings_to_train_and_five_to_test():
    data = arrays("omniglot")
    assert np.bincount(data.train["label"]).tolist() == [15, 15, 15]
    assert np.bincount(data.test["label"]).tolist() == [5, 5, 5]
    again = arrays("omniglot")
    np.testing.assert_array_equal(data.test["x"], again.test["x"])


@pytest.mark.usefixtures("tiny")
def test_drawings_are_reduced_and_inverted():
    data = arrays("omniglot")
    assert data.train["x"].shape == (45, 28, 28, 1)
    assert data.train["x"].dtype == np.uint8
    for image, label in zip(*data.train.values(), strict=True):
        assert image.sum() == 16 * 255  # ink = 1, and nothing of it is lost: 15 / 3.75 = 4
        assert image[4 * label : 4 * label + 4].sum() == 16 * 255


@pytest.mark.usefixtures("tiny")
def test_batches():
    train, test = load("omniglot", batch_size=45)
    assert next(iter(train)).shape == (45, 28, 28, 1)
    assert float(tf.reduce_sum(next(iter(test)))) == 15 * 16
    with pytest.raises(ValueError, match="omniglot has its own test set"):
        load("omniglot", test_fraction=0.5)


def test_the_real_builder_has_what_is_read(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    spec = CATALOGUE["omniglot"]
    builder = tfds.builder(f"{spec.name}:{spec.version}", data_dir=tmp_path)
    assert builder.info.features["image"].shape == (105, 105, 3)
    assert builder.info.features["label"].num_classes == 1623
