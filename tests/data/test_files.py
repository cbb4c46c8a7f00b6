import pickle

import numpy as np
import pytest

from tfvae.data import arrays, load, mean_image
from tfvae.data.epochs import provenance
from tfvae.data.sources import files

BYTES = np.random.default_rng(1).integers(0, 256, (50, 6, 5), dtype=np.uint8)
FLOATS = np.random.default_rng(2).random((50, 6, 5, 3))


def saved(path, array):
    np.save(path, array)
    return path


def test_bytes_without_channels(tmp_path):
    path = saved(tmp_path / "images.npy", BYTES)
    train, test = load(path, batch_size=20)
    assert train.element_spec.shape.as_list() == [None, 6, 5, 1]
    assert (train.cardinality(), test.cardinality()) == (3, 1)
    shown = np.concatenate([b.numpy() for b in test])
    data = arrays(path)
    assert data.train.shape == (45, 6, 5, 1)
    np.testing.assert_array_equal(shown, data.test.astype(np.float32) / np.float32(255))
    assert data.train_labels is None
    both = np.concatenate([data.train, data.test])[..., 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, BYTES))  # a split: nothing lost or doubled


def test_floats_with_channels_are_not_binarised_unless_asked(tmp_path):
    path = saved(tmp_path / "images.npy", FLOATS)
    train, _ = load(str(path), batch_size=45)
    shown = next(iter(train)).numpy()
    assert shown.dtype == np.float32
    assert len(np.unique(shown)) > 100
    bits, _ = load(str(path), batch_size=45, binarisation="dynamic")
    assert set(np.unique(next(iter(bits)))) == {0, 1}
    np.testing.assert_allclose(mean_image(train), arrays(path).train.mean(axis=0), atol=1e-6)


def test_booleans_are_bits(tmp_path):
    train, _ = load(saved(tmp_path / "bits.npy", BYTES > 99), batch_size=45)
    assert set(np.unique(next(iter(train)))) == {0, 1}


def test_the_held_out_images_are_the_same_for_all_seeds(tmp_path):
    path = saved(tmp_path / "images.npy", BYTES)
    tests = [
        np.concatenate([b.numpy() for b in load(path, seed=seed, binarisation="dynamic")[1]])
        for seed in (0, 1)
    ]
    assert len(tests[0]) == 5
    np.testing.assert_array_equal(*tests)
    assert len(arrays(path, test_fraction=0.5).test) == 25


def test_an_archive_in_the_manner_of_keras(tmp_path):
    path = tmp_path / "mnist.npz"
    labels = np.arange(50, dtype=np.uint8)
    np.savez(path, x_train=BYTES, y_train=labels, x_test=BYTES[:7], y_test=labels[:7])
    data = arrays(path)
    np.testing.assert_array_equal(data.train[..., 0], BYTES)
    np.testing.assert_array_equal(data.test_labels, np.arange(7))
    assert data.train_labels.dtype == np.int64
    with pytest.raises(ValueError, match="has its own test images"):
        load(path, test_fraction=0.3)


def test_an_archive_with_one_array_of_any_name(tmp_path):
    path = tmp_path / "one.npz"
    np.savez(path, faces=BYTES)
    assert len(arrays(path).train) == 45


def test_labels_follow_their_images(tmp_path):
    path = tmp_path / "labelled.npz"
    images = np.repeat(np.arange(50, dtype=np.uint8), 30).reshape(50, 6, 5)
    np.savez(path, images=images, labels=np.arange(50))
    data = arrays(path)
    np.testing.assert_array_equal(data.train[:, 0, 0, 0], data.train_labels)
    np.testing.assert_array_equal(data.test[:, 0, 0, 0], data.test_labels)


def test_a_large_file_is_mapped_and_gives_the_same_batches(tmp_path, monkeypatch):
    path = saved(tmp_path / "images.npy", BYTES)
    resident = load(path, batch_size=16)
    monkeypatch.setattr(files, "RESIDENT_BYTES", 100)
    mapped = load(path, batch_size=16)
    assert not provenance(mapped[0]).rows.resident
    for left, right in zip(resident, mapped, strict=True):
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(mean_image(mapped[0]), mean_image(resident[0]))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_static_bits_of_a_mapped_file_belong_to_the_image(tmp_path, monkeypatch, dtype):
    images = (BYTES / 255).astype(dtype) if dtype == "float32" else BYTES
    monkeypatch.setattr(files, "RESIDENT_BYTES", 100)
    path = saved(tmp_path / "images.npy", images)
    train, _ = load(path, batch_size=45, binarisation="static")
    first, second = (np.sort(b.numpy().reshape(45, -1).sum(axis=1)) for b in (*train, *train))
    np.testing.assert_array_equal(first, second)
    test = [load(path, binarisation="dynamic", seed=seed)[1] for seed in (0, 1)]
    np.testing.assert_array_equal(*(next(iter(part)) for part in test))


BAD = {
    "flat": (BYTES.reshape(50, 30), r"rank 2 .* x.reshape\(-1, H, W, C\)"),
    "empty": (BYTES[:0], "is empty"),
    "one image": (BYTES[:1], "holds 1 image; expected at least 2"),
    "bytes as floats": (BYTES.astype(np.float32), "bytes 0..255: divide by 255"),
    "nan": (np.where(FLOATS > 0.99, np.nan, FLOATS), "NaN or infinite values, the first"),
    "bits as bytes": (BYTES // 128, r"none is above 1; .* save them as bool: x.astype\(bool\)"),
    "long integers": (
        BYTES.astype(np.int64),
        r"dtype int64; expected uint8 .* x.astype\('uint8'\)",
    ),
    "text": (np.array(["a", "b"]).reshape(2, 1, 1), "dtype <U1; expected uint8"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(tmp_path, case):
    array, message = BAD[case]
    path = saved(tmp_path / "images.npy", array)
    with pytest.raises(ValueError, match=f"images.npy.*{message}"):
        load(path)


def test_a_pickle_is_not_read(tmp_path):
    bare = tmp_path / "bare.npy"
    bare.write_bytes(pickle.dumps(BYTES))
    with pytest.raises(
        ValueError, match=r"cannot be read as a \.npy file .ValueError: it begins with b'"
    ):
        load(bare)
    path = tmp_path / "images.npy"
    np.save(path, np.array([BYTES[0], BYTES[1, :3]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"holds Python objects \(a pickle\), which can run code"):
        load(path)
    path = path.with_suffix(".npz")
    np.savez(path, x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="holds Python objects"):
        load(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("damage", ["empty", "half", "text"])
def test_damaged_files(tmp_path, suffix, damage):
    path = tmp_path / f"images{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, BYTES)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "text": b"hello\n"}[damage])
    expected = f"images{suffix} cannot be read as a {suffix} file .*Write it again"
    with pytest.raises(ValueError, match=expected):
        load(path)


def test_a_damaged_member_of_an_archive(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, BYTES)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"cannot be read as a \.npz file \(BadZipFile: Bad CRC"):
        load(path)


def test_archives_that_do_not_say_what_is_what(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, a=BYTES, b=BYTES)
    with pytest.raises(ValueError, match=r"holds the arrays \['a', 'b'\]; expected one array"):
        load(path)
    np.savez(path, x_train=BYTES, x_test=FLOATS)
    with pytest.raises(ValueError, match=r"shape \(6, 5, 1\) and test images of shape \(6, 5, 3\)"):
        load(path)
    np.savez(path, images=BYTES, labels=np.arange(49))
    with pytest.raises(ValueError, match=r"labels of shape \(49,\) .* for 50 images"):
        load(path)
