import numpy as np
import pytest
import tensorflow as tf

from tfvae.data import check_images, checked, load

GOOD = np.linspace(0, 1, 2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 1)


def spoilt(value):
    images = GOOD.copy()
    images[1, 2, 0, 0] = value
    return images


BAD = {
    "nan": (spoilt(np.nan), r"1 NaN or infinite values, the first \(nan\) at index \(1, 2, 0, 0\)"),
    "infinite": (spoilt(np.inf), r"the first \(inf\) at index \(1, 2, 0, 0\)"),
    "minus infinite": (spoilt(-np.inf), r"the first \(-inf\)"),
    "bytes as floats": (GOOD * 255, "values from 0 to 255; .* bytes 0..255: divide by 255"),
    "signed": (GOOD * 2 - 1, r"values from -1 to 1; .* use \(x \+ 1\) / 2"),
    "just above": (spoilt(1.0000002), "to 1.00000024; expected pixels in"),
    "just below": (spoilt(-1e-7), r"from -1.0+1e-07 to 1; .* x.clip\(0, 1\)"),
    "standardised": (GOOD * 6 - 3, r"\(x - x.min\(\)\) / \(x.max\(\) - x.min\(\)\)"),
}
BAD_SHAPES = {
    "flat": ((5, 784), r"rank 2 \(shape \(5, 784\)\); .* x.reshape\(-1, H, W, C\)"),
    "no channels": ((5, 28, 28), r"rank 3 .* x\[..., None\]"),
    "five axes": ((5, 1, 28, 28, 1), "rank 5 .* Reshape it"),
    "no images": ((0, 28, 28, 1), "is empty: its shape is .* at least one image"),
    "no pixels": ((5, 28, 0, 1), "is empty"),
    "empty list": ((0,), "is empty"),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_good_images_pass(dtype):
    check_images(GOOD.astype(dtype))


@pytest.mark.parametrize("case", BAD)
def test_bad_pixels(case):
    images, message = BAD[case]
    with pytest.raises(ValueError, match=f"^x has .*{message}"):
        check_images(images, "x")


def test_a_bad_pixel_in_a_later_chunk_is_found():
    images = np.zeros((6, 1000, 1000, 1), np.float32)
    images[5, -1, -1, 0] = 2
    with pytest.raises(ValueError, match="values from 0 to 2"):
        check_images(images)


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_bad_shapes(case):
    shape, message = BAD_SHAPES[case]
    with pytest.raises(ValueError, match=message):
        check_images(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("dtype", "advice"), [("uint8", "Divide bytes by 255"), ("int64", "Convert"), ("bool", "Conv")]
)
def test_whole_numbers_are_refused(dtype, advice):
    with pytest.raises(TypeError, match=f"x has dtype {dtype}; expected float32 .*{advice}"):
        check_images(np.zeros((2, 3, 3, 1), dtype), "x")


def test_a_good_data_set_passes_unchanged():
    images = tf.data.Dataset.from_tensor_slices(GOOD).batch(2)
    assert np.array_equal(next(iter(checked(images))), GOOD)
    assert checked(images).cardinality() == 1
    pairs = tf.data.Dataset.from_tensor_slices((GOOD, [3, 4])).batch(2)
    seen, labels = next(iter(checked(pairs)))
    assert np.array_equal(seen, GOOD)
    assert labels.numpy().tolist() == [3, 4]


@pytest.mark.parametrize("case", BAD)
def test_a_bad_batch_stops_the_iteration(case):
    images, message = BAD[case]
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate([GOOD, images])).batch(2)
    iterator = iter(checked(dataset, "training data"))
    next(iterator)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"training data has .*{message}"):
        next(iterator)


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf, -1e-9, 1.0000002])
def test_one_bad_pixel_is_found_wherever_it_is(value):
    # The kernels reduce in vectors and blocks, and not every minimum in the world minds a NaN.
    generator = np.random.default_rng(0)
    places = np.array([0, 1, 7, 63, 784 * 128 - 1, *generator.integers(784 * 128, size=20)])
    grey = tf.fill([128 * 784], 0.5)

    def spoil(place):
        pixels = tf.tensor_scatter_nd_update(grey, [[place]], [tf.constant(value, tf.float32)])
        return tf.reshape(pixels, [128, 28, 28, 1])

    iterator = iter(checked(tf.data.Dataset.from_tensor_slices(places).map(spoil)))
    for _ in places:
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected"):
            next(iterator)
    with pytest.raises(StopIteration):
        next(iterator)


def test_data_sets_of_wrong_type_or_rank_are_refused_at_once():
    def of(array):
        return tf.data.Dataset.from_tensor_slices(array)

    with pytest.raises(TypeError, match=r"dtype uint8; .* Divide bytes by 255"):
        checked(of(np.zeros((4, 3, 3, 1), np.uint8)).batch(2))
    with pytest.raises(ValueError, match=r"rank 3 .* \.batch\(batch_size\)"):
        checked(of(GOOD))
    with pytest.raises(ValueError, match="rank 2"):
        checked(of(GOOD.reshape(2, -1)).batch(2))
    with pytest.raises(TypeError, match="expected batches of images"):
        checked(of({"image": GOOD}).batch(2))


def test_an_unknown_rank_is_checked_when_it_is_known():
    def stream():
        yield np.zeros((2, 9), np.float32)

    dataset = tf.data.Dataset.from_generator(
        stream, output_signature=tf.TensorSpec(None, tf.float32)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="rank 2"):
        next(iter(checked(dataset)))


def test_own_data_sets_are_not_checked_twice_and_what_users_make_of_them_is():
    for dataset in load("digits"):
        assert checked(dataset) is dataset
        assert checked(dataset.take(1)) is not dataset
        spoilt = dataset.map(lambda images: images * 2)
        with pytest.raises(tf.errors.InvalidArgumentError, match="values from 0 to 2"):
            next(iter(checked(spoilt)))
