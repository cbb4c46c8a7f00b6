"""What must not go in silently: targets, weights, shapes, ranges. Each message says what to do."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.tiny import IMAGES, SHAPE, compiled, vae

LABELS = np.arange(len(IMAGES))
WEIGHTS = np.ones(len(IMAGES), "float32")
QUIET = {"verbose": 0}
TARGETS = "learns from .* alone.* received targets"
SAMPLE_WEIGHT = "sample_weight is not supported"


def slices(*arrays, batch=8):
    return tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0]).batch(batch)


@pytest.fixture(scope="module")
def model():
    return compiled()


def calls(model, x, **kwargs):
    """The three ways in."""
    return [
        lambda: model.fit(x, **QUIET, **kwargs),
        lambda: model.evaluate(x, **QUIET, **kwargs),
        lambda: model.fit(IMAGES, validation_data=x, **QUIET),
    ]


def test_targets_are_refused_everywhere(model):
    for call in (
        lambda: model.fit(IMAGES, LABELS, **QUIET),
        lambda: model.fit(IMAGES, y=IMAGES, **QUIET),
        lambda: model.evaluate(IMAGES, LABELS, **QUIET),
        lambda: model.fit(slices(IMAGES, LABELS), **QUIET),
        lambda: model.evaluate(slices(IMAGES, LABELS), **QUIET),
        lambda: model.fit(IMAGES, validation_data=(IMAGES, LABELS), **QUIET),
        lambda: model.fit(IMAGES, validation_data=slices(IMAGES, LABELS), **QUIET),
        lambda: model.train_on_batch(IMAGES, LABELS),
        lambda: model.test_on_batch(IMAGES, LABELS),
    ):
        with pytest.raises(ValueError, match=TARGETS):
            call()


def test_sample_weights_are_refused_everywhere(model):
    for call in (
        lambda: model.fit(IMAGES, sample_weight=WEIGHTS, **QUIET),
        lambda: model.evaluate(IMAGES, sample_weight=WEIGHTS, **QUIET),
        lambda: model.fit(IMAGES, validation_data=(IMAGES, None, WEIGHTS), **QUIET),
        lambda: model.train_on_batch(IMAGES, sample_weight=WEIGHTS),
    ):
        with pytest.raises(ValueError, match=SAMPLE_WEIGHT):
            call()
    with pytest.raises(ValueError, match=f"{TARGETS}|{SAMPLE_WEIGHT}"):
        model.fit(slices(IMAGES, LABELS, WEIGHTS), **QUIET)


def test_class_weights_are_not_ignored(model):
    with pytest.raises((ValueError, TypeError), match="class_weight"):
        model.fit(IMAGES, class_weight={0: 2.0}, **QUIET)
    with pytest.raises(ValueError, match="class_weight"):
        model.train_on_batch(IMAGES, class_weight={0: 2.0})


def test_labels_free_tuples_are_fine(model):
    model.fit(IMAGES, validation_data=(IMAGES,), **QUIET)
    model.fit(IMAGES, validation_data=(IMAGES, None), **QUIET)
    model.fit(tf.data.Dataset.from_tensor_slices((IMAGES,)).batch(8), **QUIET)


def test_a_python_generator_with_labels_is_refused(model):
    def batches():
        yield IMAGES[:8], LABELS[:8]

    with pytest.raises(ValueError, match=TARGETS):
        model.fit(batches(), steps_per_epoch=1, **QUIET)
    model.fit(IMAGES, **QUIET)  # a step that was refused while it was traced leaves no damage


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (IMAGES[..., 0], ValueError, r"rank 3 .*\(20, 8, 8\).*\.\.\., None"),
        (IMAGES.reshape(20, 64), ValueError, r"rank 2 .*reshape"),
        (IMAGES[:, :7], ValueError, r"\(7, 8, 1\).*\(8, 8, 1\)"),
        (np.repeat(IMAGES, 3, axis=-1), ValueError, r"\(8, 8, 3\).*\(8, 8, 1\)"),
        ((IMAGES * 255).astype("uint8"), TypeError, r"uint8.*255"),
        (IMAGES.astype("int64"), TypeError, r"int64.*float32"),
        (IMAGES.astype(bool), TypeError, r"bool.*float32"),
        (IMAGES * 255, ValueError, r"from 0 to 255; .*divide by 255"),
        (IMAGES * 2 - 1, ValueError, r"from -1 to 1; .*\(x \+ 1\) / 2"),
        (np.where(IMAGES > 0, np.nan, IMAGES), ValueError, r"NaN or infinite.*index"),
        (np.where(IMAGES > 0, np.inf, IMAGES), ValueError, r"NaN or infinite.*index"),
        (IMAGES[:0], ValueError, r"empty"),
    ],
)
def test_bad_arrays_are_refused_before_anything_trains(model, images, error, message):
    before = int(model.optimizer.iterations)
    for call in [*calls(model, images), lambda: model.predict(images, verbose=0)]:
        with pytest.raises(error, match=message):
            call()
    assert int(model.optimizer.iterations) == before


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[..., 0], r"rank 3.*channel axis"),
        ((IMAGES * 255).astype("uint8"), r"uint8.*255"),
        (IMAGES[:, :7], r"\(7, 8, 1\).*\(8, 8, 1\)"),
        (IMAGES * 255, r"from 0 to 255"),
        (np.where(IMAGES > 0, np.nan, IMAGES), r"NaN or infinite"),
    ],
)
def test_bad_data_sets_are_refused(model, images, message):
    for call in calls(compiled(), slices(images)):
        with pytest.raises((ValueError, TypeError, tf.errors.InvalidArgumentError), match=message):
            call()


class Batches(keras.utils.PyDataset):
    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 2

    def __getitem__(self, index):
        parts = tuple(array[10 * index : 10 * index + 10] for array in self.arrays)
        return parts if len(parts) > 1 else parts[0]


def generated(*arrays):
    batches = Batches(*arrays)
    return (batches[i % 2] for i in itertools.count())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[:, :7], r"\(7, 8, 1\).*\(8, 8, 1\)"),
        (IMAGES * 255, r"from 0 to 255"),
        (np.where(IMAGES > 0, np.nan, IMAGES), r"NaN or infinite"),
        ((IMAGES * 255).astype("uint8"), r"uint8.*255"),
    ],
)
@pytest.mark.parametrize("wrap", [Batches, generated, lambda x: [x], lambda x: (x,)])
def test_batches_of_every_kind_are_checked(model, wrap, images, message):
    before = int(model.optimizer.iterations)
    for call in (
        lambda: model.fit(wrap(images), **QUIET),
        lambda: model.evaluate(wrap(images), **QUIET),
        lambda: model.predict(wrap(images), **QUIET),
        lambda: model.fit(IMAGES[:1], validation_data=wrap(images), **QUIET),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            call()
    assert int(model.optimizer.iterations) <= before + 1, "only the good image may have trained"


def test_batches_of_every_kind_train(model):
    for wrap in (Batches, generated, lambda x: [x], lambda x: (x,)):
        expected = model.predict(IMAGES, **QUIET)
        endless = wrap is generated
        steps = {"steps": 2} if endless else {}
        images = model.predict(wrap(IMAGES), **steps, **QUIET)
        np.testing.assert_allclose(images, expected, atol=1e-6)
        before = int(model.optimizer.iterations)
        steps = {"steps_per_epoch": 2, "validation_steps": 2} if endless else {"batch_size": 10}
        model.fit(wrap(IMAGES), validation_data=wrap(IMAGES), **steps, **QUIET)
        assert int(model.optimizer.iterations) == before + 2
    with pytest.raises(ValueError, match=TARGETS):
        model.fit(Batches(IMAGES, LABELS), **QUIET)


@pytest.mark.parametrize("x", [None, "images", list(IMAGES), [1.0, 2.0]])
def test_other_types_are_refused(model, x):
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(TypeError, match=r"x is of type .*; expected an array \[N, 8, 8, 1\]"):
            call(x, **QUIET)


def test_arguments_that_keras_takes_by_place(model):
    before = int(model.optimizer.iterations)
    model.fit(IMAGES, None, 5, 2, 0)
    assert int(model.optimizer.iterations) == before + 8
    model.evaluate(IMAGES, None, 5, 0)
    assert len(model.predict(IMAGES, 5, 0)) == len(IMAGES)


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_sizes_that_train_on_nothing_are_refused(model, size):
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match="batch_size must be an integer of at least 1"):
            call(IMAGES, batch_size=size, **QUIET)
    for name in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
        with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
            model.fit(slices(IMAGES), validation_data=slices(IMAGES), **{name: size}, **QUIET)
    for call in (model.evaluate, model.predict):
        with pytest.raises(ValueError, match="steps must be an integer of at least 1"):
            call(slices(IMAGES), steps=size, **QUIET)
    with pytest.raises(ValueError, match="steps_per_execution must be an integer of at least 1"):
        vae().compile(steps_per_execution=size)


def test_images_of_one_batch_are_checked(model):
    for call in (model.train_on_batch, model.test_on_batch, model.predict_on_batch):
        with pytest.raises(ValueError, match="from 0 to 255"):
            call(IMAGES * 255)
        with pytest.raises(TypeError, match="expected one batch: an array, or a dict"):
            call(slices(IMAGES))
    with pytest.raises(ValueError, match="validation_data lacks the field 'x'"):
        model.fit(IMAGES, validation_data=(), **QUIET)


@pytest.mark.parametrize("kind", [np.asarray, tf.constant], ids=["array", "tensor"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (IMAGES * 255, ValueError, r"\(x\): x has values from 0 to 255; .*divide by 255"),
        ((IMAGES * 255).astype("uint8"), TypeError, r"uint8.*255"),
        (IMAGES[..., 0], ValueError, r"channel axis, x\[\.\.\., None\]"),
        (IMAGES[:, 1:], ValueError, r"examples of shape \(7, 8, 1\)"),
        (IMAGES[0], ValueError, r"batch axis, x\[None\]"),
        (IMAGES * np.nan, ValueError, "NaN"),
        (IMAGES[:0], ValueError, "empty"),
    ],
)
def test_the_encoder_of_a_model_refuses_what_fit_refuses(model, kind, x, error, message):
    with pytest.raises(error, match=message):
        model.encoder(kind(x))


def test_the_encoder_of_a_model_takes_sample_axes(model):
    samples = np.stack([IMAGES, IMAGES])
    assert model.encoder(samples).batch_shape == samples.shape[:2]
    with pytest.raises(ValueError, match="from 0 to 255"):
        model.encoder(255 * samples)


def test_a_split_of_a_data_set_is_refused(model):
    with pytest.raises(ValueError, match=r"validation_split=0\.1 needs an array"):
        model.fit(slices(IMAGES), validation_split=0.1, **QUIET)


@pytest.mark.parametrize("seed", [True, 1.5, "a", 2**31, -(2**31) - 1])
def test_seeds_are_int32(seed):
    with pytest.raises(ValueError, match="seed must be an int32"):
        vae(seed=seed)


def test_an_unbatched_data_set_is_told_to_batch(model):
    unbatched = tf.data.Dataset.from_tensor_slices(IMAGES)
    with pytest.raises(ValueError, match=r"batch\("):
        model.fit(unbatched, **QUIET)


def test_an_empty_data_set_is_refused(model):
    with pytest.raises(ValueError, match=r"without a single batch.*drop_remainder"):
        model.fit(slices(IMAGES).take(0), **QUIET)
    with pytest.raises(ValueError, match=r"without a single batch.*drop_remainder"):
        model.fit(
            tf.data.Dataset.from_tensor_slices(IMAGES).batch(32, drop_remainder=True), **QUIET
        )


def test_fewer_rows_than_a_batch_train_on_what_there_is(model):
    before = int(model.optimizer.iterations)
    model.fit(IMAGES[:3], batch_size=32, **QUIET)
    assert int(model.optimizer.iterations) == before + 1


def test_float64_and_float16_images_are_taken(model):
    for dtype in ("float64", "float16"):
        model.fit(IMAGES.astype(dtype), **QUIET)
        model.fit(slices(IMAGES.astype(dtype)), **QUIET)


def test_building_for_other_images_is_refused():
    with pytest.raises(ValueError, match=r"\(28, 28, 1\) and the decoder's head makes \(8, 8, 1\)"):
        compiled().build((None, 28, 28, 1))


def test_a_network_that_diverged_says_so_or_shows_it():
    """A non-finite loss must reach the user's eyes, not be averaged away."""
    model = compiled()
    model.build((None, *SHAPE))
    model.decoder.head.bias.assign(np.full(SHAPE, np.nan))
    history = model.fit(IMAGES, **QUIET, callbacks=[keras.callbacks.TerminateOnNaN()]).history
    assert not np.isfinite(history.get("loss", [np.nan])[-1])
