import numpy as np
import pytest
import tensorflow as tf

from tfvae.data import Field, check_array, checked, load

GOOD = np.linspace(0, 1, 2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 1)
IMAGE = Field((3, 3, 1))
ONE = {"x": IMAGE}
TWO = {"x": IMAGE, "label": Field.label(10)}


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
    "just above": (spoilt(1.0000002), "to 1.00000024; expected values in .0, 1"),
    "just below": (spoilt(-1e-7), r"from -1.0+1e-07 to 1; .* x.clip\(0, 1\)"),
    "standardised": (GOOD * 6 - 3, r"\(x - x.min\(\)\) / \(x.max\(\) - x.min\(\)\)"),
}
BAD_SHAPES = {
    "flat": ((5, 784), r"rank 2 \(shape \(5, 784\)\); .* x.reshape\(-1, 28, 28, 1\)"),
    "no channels": ((5, 28, 28), r"rank 3 .* x\[..., None\]"),
    "one image": ((28, 28, 1), r"rank 3 .* batch axis, x\[None\]"),
    "five axes": ((5, 1, 28, 28, 1), r"rank 5 .* Reshape it to \[N, 28, 28, 1\]"),
    "other size": ((5, 28, 27, 1), r"shape \(28, 27, 1\) and the model takes \(28, 28, 1\)"),
    "colour": ((5, 28, 28, 3), "1 of grey images, 3 of colour"),
    "no images": ((0, 28, 28, 1), "is empty: its shape is .* at least one example"),
    "no pixels": ((5, 28, 0, 1), "is empty"),
    "empty list": ((0,), "is empty"),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_good_images_pass(dtype):
    check_array(GOOD.astype(dtype), IMAGE)


@pytest.mark.parametrize("case", BAD)
def test_bad_pixels(case):
    images, message = BAD[case]
    with pytest.raises(ValueError, match=f"^x has .*{message}"):
        check_array(images, IMAGE, "x")


def test_a_bad_pixel_in_a_later_chunk_is_found():
    images = np.zeros((6, 1000, 1000, 1), np.float32)
    images[5, -1, -1, 0] = 2
    with pytest.raises(ValueError, match="values from 0 to 2"):
        check_array(images, Field((1000, 1000, 1)))


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_bad_shapes(case):
    shape, message = BAD_SHAPES[case]
    with pytest.raises(ValueError, match=message):
        check_array(np.zeros(shape, np.float32), Field((28, 28, 1)))


@pytest.mark.parametrize(
    ("dtype", "advice"), [("uint8", "Divide bytes by 255"), ("int64", "Convert"), ("bool", "Conv")]
)
def test_whole_numbers_are_refused(dtype, advice):
    with pytest.raises(TypeError, match=f"x has dtype {dtype}; expected float32 .*{advice}"):
        check_array(np.zeros((2, 3, 3, 1), dtype), IMAGE, "x")


@pytest.mark.parametrize(
    ("array", "field", "error", "message"),
    [
        ([3, 10], Field.label(10), ValueError, "from 3 to 10; expected whole numbers from 0 to 9"),
        ([1, 10], Field.label(10), ValueError, "seem to count from 1: subtract 1"),
        ([-1, 3], Field.label(10), ValueError, "from -1 to 3"),
        ([1.0, 2.0], Field.label(10), TypeError, r"dtype float64.*x.astype\('int32'\)"),
        ([True], Field.label(10), TypeError, "dtype bool; expected whole numbers"),
        ([[1], [2]], Field.label(10), ValueError, r"rank 2 .*expected \[N\]. Drop the last axis"),
        ([2**31], Field((), "int32", None), ValueError, "expected finite whole numbers"),
        ([1.5, -0.5], Field((), interval=(0.0, np.inf)), ValueError, "of at least 0. Shift them"),
        (
            [1.5, np.inf],
            Field((), interval=None),
            ValueError,
            r"first \(inf\) at .*isfinite\(x\)\]",
        ),
        ([[0.5, np.nan]], Field((2,), interval=None), ValueError, r"axis=\(1,\)"),
        ([2**24 + 1], Field((), interval=None), ValueError, "from 16777217 to 16777217"),
        ([5.0], Field((), interval=(-1.0, 1.0)), ValueError, r"outside \[-1, 1\]"),
    ],
)
def test_other_fields(array, field, error, message):
    array = np.array(array)
    with pytest.raises(error, match=f"^x .*{message}"):
        check_array(array, field, "x")
    dataset = tf.data.Dataset.from_tensors(array)
    with pytest.raises((error, tf.errors.InvalidArgumentError), match=message):
        next(iter(checked(dataset, {"x": field})))


def test_other_fields_pass_as_their_dtype():
    for array, field in (
        (np.array([0, 9]), Field.label(10)),
        (np.array([0, 9], np.uint8), Field((), interval=None)),
        (np.array([[-(2**24)]]), Field((1,), interval=None)),
        (np.array([0.0, 3e38]), Field((), interval=(0.0, np.inf))),
        (np.array([-(2**31), 2**31 - 1]), Field((), "int32", None)),
    ):
        check_array(array, field)
        batch = next(iter(checked(tf.data.Dataset.from_tensors(array), {"x": field})))
        assert batch.dtype == field.dtype
        np.testing.assert_allclose(batch, array)


def test_a_good_data_set_passes_unchanged():
    images = tf.data.Dataset.from_tensor_slices(GOOD).batch(2)
    assert np.array_equal(next(iter(checked(images, ONE))), GOOD)
    assert checked(images, ONE).cardinality() == 1
    for element in ((GOOD, [3, 4]), {"label": [3, 4], "x": GOOD}):
        dataset = checked(tf.data.Dataset.from_tensor_slices(element).batch(2), TWO)
        assert dataset.element_spec["label"].dtype == tf.int32
        batch = next(iter(dataset))
        assert np.array_equal(batch["x"], GOOD)
        assert batch["label"].numpy().tolist() == [3, 4]


def test_an_empty_batch_is_refused():
    counts = tf.data.Dataset.from_tensors(0)  # so that the size is not known before
    empty = counts.map(lambda count: tf.constant(GOOD)[:count])
    with pytest.raises(tf.errors.InvalidArgumentError, match="x is empty"):
        next(iter(checked(empty, ONE)))


def test_fields_of_a_batch_have_one_length():
    batches = tf.data.Dataset.from_tensors({"x": GOOD, "label": [1, 2, 3]})
    message = r"different lengths: .*x.* 2, .*label.* 3"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        next(iter(checked(batches, TWO)))


@pytest.mark.parametrize("case", BAD)
def test_a_bad_batch_stops_the_iteration(case):
    images, message = BAD[case]
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate([GOOD, images])).batch(2)
    iterator = iter(checked(dataset, ONE, "training data"))
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

    iterator = iter(
        checked(tf.data.Dataset.from_tensor_slices(places).map(spoil), {"x": Field((28, 28, 1))})
    )
    for _ in places:
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected"):
            next(iterator)
    with pytest.raises(StopIteration):
        next(iterator)


def test_data_sets_of_wrong_type_or_rank_are_refused_at_once():
    def of(array):
        return tf.data.Dataset.from_tensor_slices(array)

    with pytest.raises(TypeError, match=r"dtype uint8; .* Divide bytes by 255"):
        checked(of(np.zeros((4, 3, 3, 1), np.uint8)).batch(2), ONE)
    with pytest.raises(ValueError, match=r"rank 3 .* \.batch\(batch_size\)"):
        checked(of(GOOD), ONE)
    with pytest.raises(ValueError, match="rank 2"):
        checked(of(GOOD.reshape(2, -1)).batch(2), ONE)
    with pytest.raises(ValueError, match="has the field 'image', which the model does not have"):
        checked(of({"image": GOOD}).batch(2), ONE)
    with pytest.raises(TypeError, match=r"x\['label'\] has dtype float32; expected whole numbers"):
        checked(of((GOOD, GOOD[:, 0, 0, 0])).batch(2), TWO)
    with pytest.raises(TypeError, match=r"expected batches \[N, 3, 3, 1\], or dicts"):
        checked(of({"x": {"y": GOOD}}).batch(2), ONE)


def test_an_unknown_rank_is_checked_when_it_is_known():
    def stream():
        yield np.zeros((2, 9), np.float32)

    dataset = tf.data.Dataset.from_generator(
        stream, output_signature=tf.TensorSpec(None, tf.float32)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="rank 2"):
        next(iter(checked(dataset, ONE)))


def test_own_data_sets_are_not_checked_twice_and_what_users_make_of_them_is():
    digits = {"x": Field((8, 8, 1))}
    for dataset in load("digits"):
        assert checked(dataset, digits) is dataset
        assert checked(dataset.take(1), digits) is not dataset
        spoilt = dataset.map(lambda images: images * 2)
        with pytest.raises(tf.errors.InvalidArgumentError, match="values from 0 to 2"):
            next(iter(checked(spoilt, digits)))


def test_own_data_sets_that_may_hold_more_than_a_field_are_looked_at_once(tmp_path):
    train, _ = load("digits", fields=("x", "label"))
    assert checked(train, {"x": Field((8, 8, 1)), "label": Field.label(12)}) is train
    with pytest.raises(ValueError, match=r"x\['label'\] has values from 0 to 9; .*from 0 to 4"):
        checked(train, {"x": Field((8, 8, 1)), "label": Field.label(5)})
    with pytest.raises(ValueError, match="lacks the field 'label'"):
        checked(load("digits")[0], TWO)
    np.save(tmp_path / "reals.npy", np.array([[-1.0], [1.0]] * 5))
    train, _ = load(tmp_path / "reals.npy")
    assert checked(train, {"x": Field((), interval=None)}) is train
    with pytest.raises(ValueError, match=r"x has values from .*\(x \+ 1\) / 2"):
        checked(train, {"x": Field(())})
    labels = checked(load("digits", fields=("label",))[0], {"label": Field((), interval=None)})
    assert next(iter(labels))["label"].dtype == tf.float32, "reals where a model wants reals"
