import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfvae.data import arrays, fields_of, load, mean
from tfvae.data.sources import folder
from tfvae.errors import UserError

PIXELS = np.random.default_rng(1).integers(0, 256, (30, 6, 5), dtype=np.uint8)


def write(path, pixels=PIXELS, suffix=".png"):
    path.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(path / f"{number:03}{suffix}")
    return path


def test_png_pixels_arrive_as_they_are(tmp_path):
    path = write(tmp_path / "faces")
    data = arrays(path)
    assert data.spec.fields["x"].shape == (6, 5, 1)
    assert data.spec.name == "faces"
    assert data.train.keys() == {"x"}
    both = np.concatenate([data.train["x"], data.test["x"]])[..., 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, PIXELS))
    train, test = load(path, batch_size=27)
    assert next(iter(test)).shape == (3, 6, 5, 1)
    np.testing.assert_allclose(next(iter(train)).numpy().mean(0), mean(train), atol=1e-6)


def test_colour_jpeg(tmp_path):
    smooth = np.full((10, 16, 16, 3), (200, 100, 50), np.uint8)
    data = arrays(write(tmp_path, smooth, ".JPG"))
    assert data.train["x"].shape == (9, 16, 16, 3)
    np.testing.assert_allclose(data.train["x"][0, 8, 8], (200, 100, 50), atol=4)  # JPEG rounds


def test_one_colour_image_makes_all_three_channels(tmp_path):
    write(tmp_path)
    Image.fromarray(np.zeros((6, 5, 3), np.uint8)).save(tmp_path / "zz.png")
    assert arrays(tmp_path).train["x"].shape == (28, 6, 5, 3)


def test_subfolders_are_labels(tmp_path):
    write(tmp_path / "a", PIXELS[:10] // 2)
    write(tmp_path / "b", 255 - PIXELS[10:20] // 2)
    data = arrays(tmp_path)
    bright = data.train["x"].mean(axis=(1, 2, 3)) > 128
    np.testing.assert_array_equal(bright, data.train["label"] == 1)
    train, _ = load(tmp_path, fields=("label", "x"), batch_size=18)
    assert fields_of(train)["label"].interval == (0, 1)
    batch = next(iter(train))
    np.testing.assert_array_equal(np.mean(batch["x"], axis=(1, 2, 3)) > 0.5, batch["label"] == 1)


def test_different_sizes_need_a_size(tmp_path):
    write(tmp_path)
    Image.fromarray(np.full((12, 10), 70, np.uint8)).save(tmp_path / "zz.png")
    with pytest.raises(ValueError, match=r"000.png is 6x5 and .*zz.png is 12x10 .*size=\(H, W\)"):
        load(tmp_path)
    data = arrays(tmp_path, size=(3, 5), test_fraction=0.5)
    both = np.concatenate([data.train["x"], data.test["x"]])
    assert both.shape == (31, 3, 5, 1)
    assert any((image == 70).all() for image in both)


def test_a_large_folder_is_streamed_and_gives_the_same_batches(tmp_path, monkeypatch):
    write(tmp_path)
    resident = load(tmp_path, batch_size=16)
    monkeypatch.setattr(folder, "DECODED_ANEW_ABOVE", 100)
    streamed = load(tmp_path, batch_size=16)
    assert not streamed[0].recipe.columns.resident
    for left, right in zip(resident, streamed, strict=True):
        for _ in range(2):
            for a, b in zip(left, right, strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("no pictures here")
    with pytest.raises(ValueError, match=r"has no images; expected files ending in \.png, \.jpg"):
        load(tmp_path)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("damage", ["empty", "text", "half"])
def test_damaged_images(tmp_path, monkeypatch, damage, streamed):
    write(tmp_path)
    file = tmp_path / "007.png"
    whole = file.read_bytes()
    file.write_bytes({"empty": b"", "text": b"hello", "half": whole[: len(whole) // 2]}[damage])
    if streamed:
        monkeypatch.setattr(folder, "DECODED_ANEW_ABOVE", 100)
    message = "007.png cannot be read as an image .* replace it or remove it"
    # A header is read by `load`; what follows it, when the image is.
    late = streamed and damage == "half"
    with pytest.raises(tf.errors.OpError if late else ValueError, match=message):
        [list(part) for part in load(tmp_path)]


def test_pixels_that_have_no_one_reading(tmp_path):
    write(tmp_path)
    Image.fromarray(np.zeros((6, 5, 4), np.uint8), "CMYK").save(tmp_path / "x.jpg")
    with pytest.raises(ValueError, match=r"x.jpg has pixels of kind 'CMYK'; expected 8-bit grey"):
        load(tmp_path)


@pytest.mark.parametrize("size", [28, (0, 3), (3,), "28x28", (4.5, 4)])
def test_bad_sizes(tmp_path, size):
    write(tmp_path)
    with pytest.raises(ValueError, match=r"size is .*; expected \(height, width\)"):
        load(tmp_path, size=size)


@pytest.mark.parametrize(("background", "expected"), [("white", 255), ("black", 0)])
def test_transparent_images_show_the_background(tmp_path, background, expected):
    """Half of each image is transparent, a pixel in the middle half so: 200 alpha 128/255."""
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[:2, :, 3], pixels[2:, :, 3], pixels[3, 3, 3] = 0, 255, 128
    for number in range(12):
        Image.fromarray(pixels, "RGBA").save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match=r'is transparent .* background="white"'):
        arrays(tmp_path)
    x = arrays(tmp_path, background=background).train["x"]
    assert x.shape[1:] == (4, 4, 3)
    assert np.all(x[:, :2] == expected)
    assert np.all(x[:, 2] == 200)
    blend = 200 * 128 / 255 + expected * 127 / 255
    assert np.all(np.abs(x[:, 3, 3].astype(float) - blend) <= 1)
    with pytest.raises(UserError, match="Did you mean 'white'"):
        arrays(tmp_path, background="whit")


def test_grey_images_with_transparency_stay_grey(tmp_path):
    for number in range(12):
        Image.new("LA", (4, 4), (90, 255)).save(tmp_path / f"{number}.png")
    x = arrays(tmp_path, background="black").train["x"]
    assert x.shape[1:] == (4, 4, 1)
    assert np.all(x == 90)


def test_a_background_is_for_folders():
    with pytest.raises(UserError, match="background=white is for folders"):
        load("digits", background="white")
