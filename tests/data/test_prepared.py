import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds

from tfvae.data import arrays, load, mean


@pytest.mark.parametrize("name", ["mnist", "omniglot"])
def test_a_set_that_is_not_prepared_without_a_network(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))

    def unplugged(url, **options):
        raise requests.ConnectionError(f"no route to {url}")

    monkeypatch.setattr(requests, "head", unplugged)
    with pytest.raises(FileNotFoundError, match=f"{name}:3.0..* is not prepared in .*") as caught:
        load(name)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "ConnectionError: no route to https://" in message
    assert f"tfds.load('{name}:3.0." in message
    assert "set TFDS_DATA_DIR to the folder" in message
    assert "Traceback" not in message
    assert list(tmp_path.iterdir()) == []


def test_cifar10_is_read_from_its_own_files(tmp_path, monkeypatch):
    """Of made-up photographs in files like the real ones, which are not here."""
    generator = np.random.default_rng(0)
    source = tmp_path / "files" / "cifar-10-batches-bin"
    source.mkdir(parents=True)
    (source / "batches.meta.txt").write_text("\n".join(f"kind {i}" for i in range(10)))
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    photographs = generator.integers(0, 256, (len(names), 2, 3, 32, 32), np.uint8)
    labels = generator.integers(0, 10, (len(names), 2, 1), np.uint8)
    for name, images, kinds in zip(names, photographs, labels, strict=True):
        np.concatenate([kinds, images.reshape(2, -1)], axis=1).tofile(source / name)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "prepared"))
    monkeypatch.setattr(requests, "head", lambda url, **options: None)
    manager = tfds.download.DownloadManager
    monkeypatch.setattr(manager, "download_and_extract", lambda self, url: str(tmp_path / "files"))
    data = arrays("cifar10")
    by_sum = np.argsort(data.train["x"].sum(axis=(1, 2, 3)))
    expected = photographs[:5].reshape(10, 3, 32, 32).transpose(0, 2, 3, 1)
    order = np.argsort(expected.sum(axis=(1, 2, 3)))
    np.testing.assert_array_equal(data.train["x"][by_sum], expected[order])
    np.testing.assert_array_equal(data.train["label"][by_sum], labels[:5].ravel()[order])
    _, test = load("cifar10", batch_size=2)
    assert next(iter(test)).shape == (2, 32, 32, 3)
    assert float(np.max(next(iter(test)))) <= 1.0


def everything(dataset):
    return np.concatenate([batch.numpy() for batch in dataset])


@pytest.mark.mnist
def test_mnist():
    train, test = load("mnist", batch_size=10_000)
    data = arrays("mnist")
    assert data.train["x"].shape == (60_000, 28, 28, 1)
    assert data.train["x"].dtype == np.uint8
    assert np.bincount(data.test["label"]).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    # The number that PyTorch tutorials normalise by.
    assert mean(train).mean() == pytest.approx(0.1306605, abs=1e-6)
    bits = everything(test)
    assert set(np.unique(bits)) == {0, 1}
    # The variance of a mean of 7.84 million bits is below mean(p (1 - p)) / 7.84e6: 1e-4 is 4 sigma
    assert bits.mean() == pytest.approx(data.test["x"].mean() / 255, abs=1e-4)
    with pytest.raises(ValueError, match="mnist has its own test set"):
        load("mnist", test_fraction=0.5)


@pytest.mark.mnist
def test_fashion_mnist():
    train, _ = load("fashion_mnist", binarisation="none", batch_size=60_000)
    shown = next(iter(train))
    assert float(np.max(shown)) == 1.0
    assert float(np.mean(shown)) == pytest.approx(0.2860406, abs=1e-5)


@pytest.mark.mnist
def test_binarized_mnist_is_bits_already():
    train, test = load("binarized_mnist", batch_size=10_000)
    assert train.cardinality() == 5
    bits = everything(test)
    assert bits.shape == (10_000, 28, 28, 1)
    assert set(np.unique(bits)) == {0, 1}
    assert mean(train).mean() == pytest.approx(everything(train).mean(), abs=1e-6)
    _, drawn = load("binarized_mnist", batch_size=10_000, binarisation="dynamic")
    np.testing.assert_array_equal(bits, everything(drawn))
