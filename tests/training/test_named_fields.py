"""`fit`, `evaluate` and `predict` on dicts of named fields, and on one field by name."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES
from tests.models.tiny import compiled as compiled_vae
from tests.training.conditional import DATA, LABELS, SIZE, X, compiled

QUIET = {"verbose": 0}
LABEL = DATA["label"]


def slices(data=DATA, batch=8):
    return tf.data.Dataset.from_tensor_slices(data).batch(batch)


class Batches(keras.utils.PyDataset):
    def __init__(self, data, tuples=False):
        super().__init__()
        self.data, self.tuples = data, tuples

    def __len__(self):
        return 3

    def __getitem__(self, index):
        batch = {name: array[8 * index : 8 * index + 8] for name, array in self.data.items()}
        return tuple(batch.values()) if self.tuples else batch


def generated(data):
    batches = Batches(data)
    return (batches[i % 3] for i in itertools.count())


def test_one_field_by_name_is_the_bare_field_bit_for_bit():
    weights, histories = [], []
    for wrap in (lambda x: x, lambda x: {"x": x}):
        keras.utils.set_random_seed(0)
        model = compiled_vae(jit_compile=True)
        options = {"validation_data": wrap(IMAGES), "batch_size": 8, "epochs": 2}
        histories.append(model.fit(wrap(IMAGES), **options, **QUIET).history)
        histories[-1]["test"] = model.evaluate(wrap(IMAGES), **QUIET)
        weights.append(model.get_weights())
    assert histories[0] == histories[1]
    for bare, named in zip(*weights, strict=True):
        np.testing.assert_array_equal(bare, named)


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"run_eagerly": True}])
def test_the_label_is_learned_from(options):
    model = compiled(**options)
    start = model.evaluate(DATA, **QUIET)
    assert start == pytest.approx(SIZE * np.log(2), rel=1e-5)
    history = model.fit(DATA, batch_size=8, epochs=40, validation_data=DATA, **QUIET).history
    assert history["val_loss"][-1] < 0.2 * start
    np.testing.assert_array_equal(model.predict(DATA, **QUIET) > 0.5, X > 0.5)
    assert model.built_for == {"x": (None, 4), "label": (None,), "shift": (None, 4)}


def test_batches_of_every_kind_train_alike():
    expected = None
    for x, steps in (
        (DATA, None),
        ((X, LABEL), None),
        ({"label": LABEL.astype("uint8"), "x": X.astype("float64")}, None),
        (slices(), None),
        (slices((X, LABEL)), None),
        (slices(({"x": X, "label": LABEL},)), None),
        (Batches(DATA), None),
        (Batches(DATA, tuples=True), None),
        (generated(DATA), 3),
    ):
        model = compiled()
        counts = {} if steps is None else {"steps_per_epoch": steps}
        model.fit(x, batch_size=8, epochs=2, shuffle=False, **counts, **QUIET)
        if expected is None:
            expected = model.logits.numpy()
        np.testing.assert_allclose(model.logits.numpy(), expected, rtol=1e-5)
        if steps is None:
            predicted = model.predict(x, batch_size=7, **QUIET)
            np.testing.assert_allclose(predicted, model.reconstruct(DATA), rtol=1e-5)
            assert model.evaluate(x, **QUIET) == pytest.approx(model.evaluate(DATA, **QUIET))


def test_an_optional_field_may_be_there():
    model = compiled()
    shifted = {**DATA, "shift": np.full((24, SIZE), 50.0)}
    model.fit(shifted, **QUIET)
    model.fit(DATA, **QUIET)
    np.testing.assert_array_equal(model.predict(shifted, **QUIET), np.ones((24, SIZE)))
    assert np.all(model.predict(slices(), **QUIET) < 1)
    assert np.all(model.predict_on_batch((X, LABEL, None)) < 1)


def test_one_batch_and_validation_of_dicts():
    model = compiled()
    first = model.test_on_batch(DATA)
    assert first == pytest.approx(SIZE * np.log(2), rel=1e-5)
    model.train_on_batch(DATA)
    assert model.train_on_batch((X, LABEL)) < first
    assert model.predict_on_batch(DATA).shape == (24, SIZE)
    history = model.fit(DATA, validation_split=0.25, **QUIET).history
    last = {name: array[18:] for name, array in DATA.items()}
    assert history["val_loss"][0] == pytest.approx(model.evaluate(last, **QUIET), rel=1e-5)
    history = model.fit(DATA, validation_data=(X, LABEL), **QUIET).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(DATA, **QUIET), rel=1e-5)


def test_loaded_fields_are_the_streamed_ones(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.repeat(X, 4, axis=0), label=np.repeat(LABEL, 4))
    losses = []
    for change in (lambda dataset: dataset, lambda dataset: dataset.map(lambda batch: batch)):
        train, test = tfvae.data.load(tmp_path / "d.npz", 16, "dynamic", fields=("label", "x"))
        model = compiled()
        fit = model.fit(change(train), epochs=3, validation_data=change(test), **QUIET)
        losses.append(fit.history["loss"] + fit.history["val_loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_restored_run_of_dicts_ends_with_the_same_weights(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def fit(*callbacks):
        model = compiled()
        model.fit(DATA, batch_size=5, epochs=4, callbacks=[*callbacks], **QUIET)
        return model.logits.numpy()

    backup = keras.callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(backup, Stop())
    np.testing.assert_array_equal(fit(backup), fit())


BAD = {
    "missing": ({"x": X}, ValueError, "lacks the field 'label'; expected 'x', 'label' and 'shift'"),
    "bare": (X, ValueError, "lacks the field 'label'"),
    "misspelt": ({"x": X, "lable": LABEL}, ValueError, "'lable', .* Did you mean 'label'"),
    "surplus": ({**DATA, "mask": X}, ValueError, "has the field 'mask', which the model does not"),
    "a part too many": ((X, LABEL, X, X), ValueError, "has 4 parts .* part number 4.* is no field"),
    "lengths": ({"x": X, "label": LABEL[1:]}, ValueError, "lengths: 'x' 24, 'label' 23"),
    "out of range": (
        {"x": X, "label": LABEL + 1},
        ValueError,
        r"\['label'\] has values from 1 to 3; .* from 0 to 2. They seem to count from 1",
    ),
    "fraction": ({"x": X, "label": LABEL / 1.0}, TypeError, r"\['label'\] has dtype float64"),
    "shape": ({"x": X[:, :3], "label": LABEL}, ValueError, r"\['x'\] has examples of shape \(3,\)"),
    "rank": ({"x": X, "label": LABEL[:, None]}, ValueError, r"\['label'\] has rank 2"),
    "bytes": ({"x": np.uint8(X), "label": LABEL}, TypeError, r"\['x'\] has dtype uint8; .* 255"),
    "range": ({"x": X * 2 - 1, "label": LABEL}, ValueError, r"\['x'\] has .*\(x \+ 1\) / 2"),
    "nan": ({"x": X * np.nan, "label": LABEL}, ValueError, r"\['x'\] has [0-9]+ NaN or infinite"),
    "no array": ({"x": X, "label": "abc"}, TypeError, r"\['label'\] is of type str; expected an"),
    "a list": ({"x": X, "label": list(LABELS)}, TypeError, r"is of type list; .* np.asarray"),
}
LATE = ("out of range", "nan", "range")  # unknown before a batch is made


@pytest.mark.parametrize("case", BAD)
def test_bad_fields_are_refused_before_anything_trains(case):
    data, error, message = BAD[case]
    model = compiled()
    for call in (
        lambda: model.fit(data, **QUIET),
        lambda: model.evaluate(data, **QUIET),
        lambda: model.predict(data, **QUIET),
        lambda: model.train_on_batch(data),
        lambda: model.fit(Batches(DATA), validation_data=data, **QUIET),
    ):
        with pytest.raises(error, match=message):
            call()
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("case", sorted(BAD.keys() - {"lengths", "no array", "a list"}))
def test_bad_fields_of_data_sets_are_refused(case):
    data, error, message = BAD[case]
    model = compiled()
    late = case in LATE
    message = message.replace("'", ".*") if late else message  # TensorFlow escapes quotes
    for call in (model.fit, model.evaluate):
        with pytest.raises(tf.errors.InvalidArgumentError if late else error, match=message):
            call(slices(data), **QUIET)
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("wrap", [Batches, generated])
def test_bad_fields_of_batches_are_refused(wrap):
    for case in ("missing", "misspelt", "surplus", "out of range", "fraction"):
        data, error, message = BAD[case]
        with pytest.raises(error, match=message):
            compiled().fit(wrap(data), steps_per_epoch=3, **QUIET)


def test_targets_and_weights_of_several_fields_are_refused():
    model = compiled()
    for arguments, message in (
        ({"y": LABEL}, "from its fields alone and received targets"),
        ({"sample_weight": np.ones(24)}, "sample_weight is not supported"),
        ({"class_weight": {0: 2.0}}, "class_weight="),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(DATA, **arguments, **QUIET)
