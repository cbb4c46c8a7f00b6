import pickle

import numpy as np
import pytest

from tfvae.data import Field, arrays, fields_of, load, mean
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
    assert data.train["x"].shape == (45, 6, 5, 1)
    np.testing.assert_array_equal(shown, data.test["x"].astype(np.float32) / np.float32(255))
    assert data.train.keys() == data.spec.fields.keys() == {"x"}
    both = np.concatenate([data.train["x"], data.test["x"]])[..., 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, BYTES))  # a split: nothing lost or doubled


def test_floats_with_channels_are_not_binarised_unless_asked(tmp_path):
    path = saved(tmp_path / "images.npy", FLOATS)
    train, _ = load(str(path), batch_size=45)
    shown = next(iter(train)).numpy()
    assert shown.dtype == np.float32
    assert len(np.unique(shown)) > 100
    bits, _ = load(str(path), batch_size=45, binarisation="dynamic")
    assert set(np.unique(next(iter(bits)))) == {0, 1}
    np.testing.assert_allclose(mean(train), arrays(path).train["x"].mean(axis=0), atol=1e-6)


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
    assert len(arrays(path, test_fraction=0.5).test["x"]) == 25


def test_an_archive_in_the_manner_of_keras(tmp_path):
    path = tmp_path / "mnist.npz"
    labels = np.arange(50, dtype=np.uint8)
    np.savez(path, x_train=BYTES, y_train=labels, x_test=BYTES[:7], y_test=labels[:7])
    data = arrays(path)
    np.testing.assert_array_equal(data.train["x"][..., 0], BYTES)
    np.testing.assert_array_equal(data.test["label"], np.arange(7))
    assert data.train["label"].dtype == np.int32
    assert data.spec.fields["label"] == Field.label(50)
    with pytest.raises(ValueError, match="has its own test set"):
        load(path, test_fraction=0.3)


def test_an_archive_with_one_array_of_any_name(tmp_path):
    path = tmp_path / "one.npz"
    np.savez(path, faces=BYTES)
    assert len(arrays(path).train["x"]) == 45


def test_labels_follow_their_images(tmp_path):
    path = tmp_path / "labelled.npz"
    images = np.repeat(np.arange(50, dtype=np.uint8), 30).reshape(50, 6, 5)
    np.savez(path, images=images, labels=np.arange(50))
    data = arrays(path)
    np.testing.assert_array_equal(data.train["x"][:, 0, 0, 0], data.train["label"])
    np.testing.assert_array_equal(data.test["x"][:, 0, 0, 0], data.test["label"])


def test_a_large_file_is_mapped_and_gives_the_same_batches(tmp_path, monkeypatch):
    path = saved(tmp_path / "images.npy", BYTES)
    resident = load(path, batch_size=16)
    monkeypatch.setattr(files, "MAPPED_ABOVE", 100)
    mapped = load(path, batch_size=16)
    assert not mapped[0].recipe.columns.resident
    for left, right in zip(resident, mapped, strict=True):
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(mean(mapped[0]), mean(resident[0]))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_static_bits_of_a_mapped_file_belong_to_the_image(tmp_path, monkeypatch, dtype):
    images = (BYTES / 255).astype(dtype) if dtype == "float32" else BYTES
    monkeypatch.setattr(files, "MAPPED_ABOVE", 100)
    path = saved(tmp_path / "images.npy", images)
    train, _ = load(path, batch_size=45, binarisation="static")
    first, second = (np.sort(b.numpy().reshape(45, -1).sum(axis=1)) for b in (*train, *train))
    np.testing.assert_array_equal(first, second)
    test = [load(path, binarisation="dynamic", seed=seed)[1] for seed in (0, 1)]
    np.testing.assert_array_equal(*(next(iter(part)) for part in test))


BAD = {
    "empty": (BYTES[:0], "is empty"),
    "one image": (BYTES[:1], "holds 1 example; expected at least 2"),
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


def test_vectors(tmp_path):
    """Floats in [0, 1] are flat images, other reals and whole numbers are not, bytes are pixels."""
    flat = FLOATS.reshape(50, 90)
    for array, interval in (
        (flat, (0.0, 1.0)),
        (4 * flat - 2, None),
        (BYTES.reshape(50, 30).astype("int64"), None),
        (BYTES.reshape(50, 30), (0.0, 1.0)),
        (flat[:, 0] * 9, None),
    ):
        train, _ = load(saved(tmp_path / "x.npy", array), batch_size=45)
        assert fields_of(train) == {"x": Field(array.shape[1:], interval=interval)}
        batch = next(iter(train))
        assert batch.dtype == "float32"
        assert batch.shape == (45, *array.shape[1:])
    with pytest.raises(ValueError, match=r"'dynamic', which is for pixels in .*finite values"):
        load(tmp_path / "x.npy", binarisation="dynamic")
    saved(tmp_path / "x.npy", np.full((5, 3), 2**24 + 1))
    with pytest.raises(ValueError, match="from 16777217 to 16777217; expected finite values"):
        load(tmp_path / "x.npy")


def test_an_archives_arrays_are_columns(tmp_path):
    path = tmp_path / "table.npz"
    columns = {
        "x": FLOATS,
        "age": np.linspace(20, 70, 50),
        "year": np.arange(1950, 2000),
        "shift": np.arange(-25, 25)[:, None],
        "mask": BYTES > 99,
    }
    np.savez(path, **columns)
    train, test = load(path, batch_size=50, fields=tuple(columns))
    assert fields_of(train) == {
        "x": Field((6, 5, 3)),
        "age": Field((), interval=None),
        "year": Field.label(2000),
        "shift": Field((), "int32", None),
        "mask": Field((6, 5, 1)),
    }
    for batch in (next(iter(train)), next(iter(test))):
        rows = np.asarray(batch["year"]) - 1950
        for name, column in columns.items():
            expected = column[rows][..., None] if name == "mask" else column[rows]
            np.testing.assert_allclose(batch[name], expected.reshape(batch[name].shape), rtol=1e-6)
    assert list(next(iter(load(path, fields=("year",))[0]))) == ["year"]


def test_columns_of_two_parts(tmp_path):
    path = tmp_path / "parts.npz"
    np.savez(path, x_train=BYTES, x_test=BYTES[:7], age_train=np.ones(50), age_test=np.ones(7))
    assert {name: len(rows) for name, rows in arrays(path).test.items()} == {"x": 7, "age": 7}
    np.savez(path, x_train=BYTES, x_test=BYTES[:7], y_train=np.arange(50))
    assert arrays(path).train.keys() == {"x"}  # labels of one part alone are no column


def test_columns_that_are_not_there(tmp_path):
    path = tmp_path / "columns.npz"
    np.savez(path, a=BYTES, b=BYTES)
    with pytest.raises(ValueError, match=r"has no column 'x'\. It has 'a' and 'b'"):
        load(path)
    np.savez(path, images=BYTES, labels=np.arange(50))
    with pytest.raises(ValueError, match=r"no column 'lable'\. Did you mean 'label'"):
        load(path, fields=("x", "lable"))
    np.savez(path, x_train=BYTES, y_test=np.arange(5))
    with pytest.raises(ValueError, match=r"holds the arrays .*; expected columns of one length"):
        load(path)
    for fields, message in (("label", "expected names, such as"), (("x", "x"), "each name once")):
        with pytest.raises(ValueError, match=message):
            load(path, fields=fields)


def test_columns_that_do_not_fit(tmp_path):
    path = tmp_path / "columns.npz"
    np.savez(path, x_train=BYTES, x_test=FLOATS)
    with pytest.raises(ValueError, match=r"shape \(6, 5, 1\) and .* of shape \(6, 5, 3\)"):
        load(path)
    np.savez(path, images=BYTES, labels=np.arange(49))
    with pytest.raises(ValueError, match=r"different lengths: 'x' 50, 'label' 49"):
        load(path)
    np.savez(path, images=BYTES, labels=np.arange(50) + 2**31)
    with pytest.raises(ValueError, match=r"labels.*values from .*expected whole numbers"):
        load(path)
