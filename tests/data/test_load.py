import doctest
import os
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfvae.data import arrays, fields_of, load, loading, mean
from tfvae.data.loaded import LoadedSet


def everything(dataset):
    return np.concatenate([batch.numpy() for batch in dataset])


def test_digits():
    train, test = load("digits")
    data = arrays("digits")
    assert (len(data.train["x"]), len(data.test["label"])) == (1438, 359)
    assert set(np.unique(data.train["x"])) == {k / 16 for k in range(17)}
    assert set(np.unique(data.train["label"])) == set(range(10))
    for part, size in ((train, 1438), (test, 359)):
        assert part.element_spec == tf.TensorSpec([None, 8, 8, 1], tf.float32)
        shown = everything(part)
        assert shown.shape == (size, 8, 8, 1)
        assert set(np.unique(shown)) == {0, 1}
        assert part.cardinality() == -(-size // 128)
    np.testing.assert_allclose(mean(train), data.train["x"].mean(axis=0), atol=1e-6)


def test_digits_need_neither_network_nor_tfds(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)  # importing it now fails
    load("digits")


@pytest.mark.parametrize("binarisation", ["dynamic", "static"])
def test_the_held_out_bits_are_the_same_for_every_seed_and_pass(binarisation):
    tests = [load("digits", seed=seed, binarisation=binarisation)[1] for seed in (0, 1)]
    first = everything(tests[0])
    np.testing.assert_array_equal(first, everything(tests[0]))
    np.testing.assert_array_equal(first, everything(tests[1]))
    np.testing.assert_allclose(first.mean(), arrays("digits").test["x"].mean(), atol=0.01)


def test_the_example_in_the_docstring():
    results = doctest.testmod(loading)
    assert results.attempted == 4
    assert results.failed == 0


def test_grey_levels():
    _, test = load("digits", binarisation="none")
    np.testing.assert_array_equal(everything(test), arrays("digits").test["x"])


def test_the_remainder():
    train, test = load("digits", batch_size=1000, drop_remainder=True)
    assert train.element_spec.shape.as_list() == [1000, 8, 8, 1]
    assert len(everything(train)) == 1000
    assert len(everything(test)) == 359
    assert [len(batch) for batch in load("digits", batch_size=1000)[0]] == [1000, 438]
    with pytest.raises(ValueError, match="1438 training examples, fewer than batch_size=2000"):
        load("digits", batch_size=2000, drop_remainder=True)
    assert [len(batch) for batch in load("digits", batch_size=2000)[0]] == [1438]


def test_mean_of_any_data_set():
    images = np.random.default_rng(0).random((10, 3, 3, 1), np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(images)
    np.testing.assert_allclose(mean(dataset.batch(4)), images.mean(axis=0), atol=1e-6)
    pairs = dataset.map(lambda image: (image, 0)).batch(4)
    np.testing.assert_allclose(mean(pairs), images.mean(axis=0), atol=1e-6)
    with pytest.raises(ValueError, match="The data set is empty"):
        mean(dataset.take(0).batch(4))


@pytest.mark.parametrize("binarisation", ["dynamic", "static", "none"])
def test_fields_change_neither_order_nor_noise(binarisation):
    options = {"batch_size": 100, "binarisation": binarisation, "seed": 3}
    bare, named = load("digits", **options), load("digits", **options, fields=("label", "x"))
    stored = arrays("digits")
    for part, (images, batches) in enumerate(zip(bare, named, strict=True)):
        assert fields_of(batches) == stored.spec.fields
        for _ in range(2):
            for expected, batch in zip(images, batches, strict=True):
                np.testing.assert_array_equal(batch["x"], expected)
        if part and binarisation == "none":
            labels = np.concatenate([batch["label"] for batch in batches])
            np.testing.assert_array_equal(labels, stored.test["label"])
        assert batches.element_spec["label"].dtype == tf.int32


def test_labels_belong_to_their_images():
    stored, (train, _) = arrays("digits").train, load("digits", 1438, "none", fields=("x", "label"))
    batch = next(iter(train))

    def pairs(images, labels):
        return sorted(zip(map(bytes, np.asarray(images)), np.asarray(labels), strict=True))

    assert pairs(batch["x"], batch["label"]) == pairs(stored["x"], stored["label"])
    np.testing.assert_allclose(mean(train, "label"), np.mean(stored["label"]), rtol=1e-6)


BAD = {
    "name": (("mnits",), {}, ValueError, "Unknown data set 'mnits'. Did you mean 'mnist'"),
    "file": (("no/such/folder",), {}, FileNotFoundError, "No such file or folder: no/such/folder"),
    "npy": (("none.npy",), {}, FileNotFoundError, "No such file or folder: none.npy"),
    "kind": ((__file__,), {}, ValueError, "not a kind of file that is read here"),
    "array": ((np.zeros((2, 8, 8, 1)),), {}, TypeError, "ndarray; .* go straight into fit"),
    "batch": (("digits", 0), {}, ValueError, "batch_size is 0; expected 1 or more"),
    "float": (("digits", 12.5), {}, TypeError, r"batch_size is 12.5 \(float\); expected a whole"),
    "seed": (("digits",), {"seed": -1}, ValueError, "seed is -1; expected 0 or more"),
    "big seed": (("digits",), {"seed": 2**32}, ValueError, "seed is 4294967296; .*4,294,967,295"),
    "epoch": (("digits",), {"first_epoch": True}, TypeError, r"first_epoch is True \(bool\)"),
    "bits": (("digits", 8, "on"), {}, ValueError, "binarisation is 'on'.* \"dynamic\""),
    "no share": (("digits",), {"test_fraction": "a"}, ValueError, "test_fraction is 'a'; expected"),
    "empty": (("",), {}, ValueError, "name of the data set is empty"),
    "share": (("digits",), {"test_fraction": 1.0}, ValueError, "test_fraction is 1.0; expected"),
    "column": (
        ("digits",),
        {"fields": ("x", "labels")},
        ValueError,
        "'labels'. Did you mean 'label",
    ),
    "bits of labels": (
        ("digits", 8, "static"),
        {"fields": ("label",)},
        ValueError,
        "'static', which is for pixels in .* no column x is loaded",
    ),
    "size": (("digits",), {"size": (4, 4)}, ValueError, "size=.4, 4. is for folders of images"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    arguments, options, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        load(*arguments, **options)


def test_a_path_spelt_like_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("mnist")
    with pytest.raises(ValueError, match="The folder mnist has no images"):
        load("./mnist")


def test_data_sets_know_how_they_were_made():
    train, test = load("digits", batch_size=50, seed=3)
    made = train.recipe
    assert (made.batch_size, made.seed, made.binarisation) == (50, 3, "dynamic")
    assert made.columns.resident
    assert test.recipe.epochs is None
    assert not isinstance(train.take(3), LoadedSet)
    with pytest.raises(TypeError, match=r"fields_of got .*as tfvae.data.load returned it"):
        fields_of(train.take(3))
