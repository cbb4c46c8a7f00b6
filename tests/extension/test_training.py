"""Strangers train by Keras' `fit`, and a run that was cut off goes on bit for bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.extension.cases import BATCH, CASES
from tfvae.callbacks import LinearWeight

FIT = {"batch_size": BATCH, "verbose": 0}


def values(model):
    """Every number of a model and its optimisers."""
    return [w.numpy() for w in [*model.weights, *model.optimizer.variables]]


def named(name):
    return next(case for case in CASES if case.name == name)


def test_the_loss_falls(case, trained):
    _, history = trained
    assert all(np.isfinite(logged).all() for logged in history.values())
    first, last = history[case.falls][0], history[case.falls][-1]
    assert last < first - 0.3, "nats per example"


def test_every_trainable_weight_moves(case, trained):
    model, _ = trained
    for now, weight in zip(case.built().trainable_weights, model.trainable_weights, strict=True):
        assert np.any(now.numpy() != weight.numpy()), weight.path


def test_two_epochs_equal_one_saved_loaded_and_one(case, tmp_path):
    model = case.built()
    model.fit(case.inputs, **FIT)
    model.save(tmp_path / "model.keras")
    second = model.fit(case.inputs, **FIT).history
    loaded = tfvae.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.fit(case.inputs, **FIT).history == second
    for value, other in zip(values(model), values(loaded), strict=True):
        np.testing.assert_array_equal(value, other)


def test_its_configuration_makes_it_again(case, trained):
    model, _ = trained
    clone = type(model).from_config(model.get_config())
    clone.build(clone.input_shapes())
    clone.set_weights(model.get_weights())
    # Through XLA, where nobody has said otherwise: float32 in another order.
    np.testing.assert_allclose(
        clone.predict(case.inputs, verbose=0),
        model.predict(case.inputs, verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )


def test_xla_trains_as_without(case):
    """Two steps, the same draws; float32 in another order."""
    plain, through_xla = case.built(), case.built()
    through_xla.compile(case.optimizer(), jit_compile=True)
    expected = plain.fit(case.first(2 * BATCH), **FIT).history
    found = through_xla.fit(case.first(2 * BATCH), **FIT).history
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, err_msg=name)


def test_the_weight_of_a_term_of_theirs_is_scheduled_by_name():
    case = named("objective")
    model = case.built()
    history = model.fit(
        case.inputs, epochs=3, callbacks=[LinearWeight(2, end=4.0, term="marginal_kl")], **FIT
    ).history
    np.testing.assert_allclose(history["marginal_kl_weight"], [1.0, 3.0, 4.0])
    loss = np.array(history["nll"]) + history["kl"]
    loss += np.multiply(history["marginal_kl_weight"], history["marginal_kl"])
    np.testing.assert_allclose(history["loss"], loss, rtol=1e-5)


def test_a_weight_that_no_term_has_is_refused():
    case = named("objective")
    with pytest.raises(ValueError, match=r"'marginal_lk'.*Did you mean 'marginal_kl'"):
        case.built().fit(case.inputs, callbacks=[LinearWeight(2, term="marginal_lk")], **FIT)


def test_each_phase_minimises_its_own_terms():
    """One step of gradient descent: the weights move against the gradient of those terms alone."""
    case, rate = named("adversary"), 1e-2
    model, twin = case.built(), case.built()
    sgd = {name: keras.optimizers.SGD(rate) for name in ("model", "adversary")}
    model.compile(sgd, jit_compile=False)
    model.train_on_batch(case.first(BATCH))
    batch = {"x": tf.constant(case.first(BATCH))}
    for phase in twin.phases():
        twin.seed_state.assign(case.built().seed_state)
        with tf.GradientTape() as tape:
            terms = twin.loss_terms(batch, training=True).terms
            loss = sum(twin.weight(name) * tf.reduce_mean(terms[name]) for name in phase.terms)
        gradients = tape.gradient(loss, [variable.value for variable in phase.variables])
        moved = next(p.variables for p in model.phases() if p.name == phase.name)
        for before, gradient, after in zip(phase.variables, gradients, moved, strict=True):
            np.testing.assert_allclose(
                after.numpy(), before.numpy() - rate * gradient.numpy(), atol=1e-6
            )


def test_a_phase_rests_where_it_is_told_to():
    case = named("adversary")
    model = case.built()
    moved = []
    for _ in range(4):
        before = [w.numpy() for w in model.adversary.trainable_weights]
        model.train_on_batch(case.first(BATCH))
        after = [w.numpy() for w in model.adversary.trainable_weights]
        moved.append(any(np.any(a != b) for a, b in zip(after, before, strict=True)))
    assert moved == [True, False, True, False]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"model": "adam", "advresary": "sgd"}, r"'advresary'.*Did you mean 'adversary'"),
        ({"model": "adam"}, "lacks the phases adversary"),
    ],
)
def test_optimizers_that_name_no_phase_are_refused(optimizer, message):
    with pytest.raises(ValueError, match=message):
        named("adversary").make().compile(optimizer)


def test_one_optimizer_for_two_phases_is_copied():
    model = named("adversary").make()
    model.compile(keras.optimizers.Adam(3e-3))
    first, second = model.optimizer.by_phase.values()
    assert first is not second
    assert float(first.learning_rate) == float(second.learning_rate) == pytest.approx(3e-3)
