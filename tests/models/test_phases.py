"""Who learns from what: two groups of variables, each with its terms and its optimizer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, SHAPE
from tfvae import heads, networks, objectives
from tfvae.training.phased_optimizer import PhasedOptimizer
from tfvae.training.phases import Phase

BATCH = {"x": tf.constant(IMAGES)}


@keras.saving.register_keras_serializable("tests")
class TwoPhases(tfvae.VAE):
    """The encoder minimises the KL alone, and the decoder, which knows nothing of it, the nll."""

    every = 1

    def phases(self):
        return [
            Phase("encoder", self.encoder.trainable_variables, ("kl",)),
            Phase("decoder", self.decoder.trainable_variables, ("nll",), self.every),
        ]


@keras.saving.register_keras_serializable("tests")
class EverySecond(TwoPhases):
    every = 2


def make(kind=TwoPhases, optimizer=None, jit_compile=False, regulariser=None, **options):
    keras.utils.set_random_seed(3)
    features = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(8, kernel_regularizer=regulariser)]
    )
    model = kind(
        tfvae.Encoder(features, heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        seed=5,
        **options,
    )
    model.build((None, *SHAPE))
    optimizer = optimizer or {"encoder": "adam", "decoder": keras.optimizers.Adam(3e-3)}
    model.compile(optimizer=optimizer, jit_compile=jit_compile)
    return model


def values(variables):
    return [variable.numpy().copy() for variable in variables]


def moved(before, variables):
    return [bool(np.any(a != b.numpy())) for a, b in zip(before, variables, strict=True)]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_each_group_follows_the_gradient_of_its_own_terms(jit_compile):
    """One step of SGD against a tape by hand; both learn the regulariser of the encoder."""
    penalty = keras.regularizers.L2(0.1)
    options = {
        "objective": objectives.ELBO(kl_weight=3.0),
        "optimizer": {"encoder": keras.optimizers.SGD(0.5), "decoder": keras.optimizers.SGD(0.1)},
        "regulariser": penalty,
    }
    model, twin = make(jit_compile=jit_compile, **options), make(**options)
    twin.set_weights(model.get_weights())
    groups = [model.encoder.trainable_variables, model.decoder.trainable_variables]
    before = [values(group) for group in groups]
    logs = model.train_on_batch(IMAGES, return_dict=True)

    parts = [twin.encoder.trainable_variables, twin.decoder.trainable_variables]
    (kernel,) = [v for v in parts[0] if v.path.endswith("dense/kernel") or v.shape == (64, 8)]
    with tf.GradientTape(persistent=True) as tape:
        nats = twin.loss_terms(BATCH, training=True)
        kl, nll = (tf.reduce_mean(nats.terms[name]) for name in ("kl", "nll"))
        encoder_loss = 3.0 * kl + penalty(tf.convert_to_tensor(kernel))
    by_hand = [
        tape.gradient(encoder_loss, [v.value for v in parts[0]]),
        tape.gradient(nll, [v.value for v in parts[1]]),
    ]
    for group, old, gradients, rate in zip(groups, before, by_hand, (0.5, 0.1), strict=True):
        for variable, start, gradient in zip(group, old, gradients, strict=True):
            expected = start - rate * gradient.numpy()
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4, atol=1e-6)
            assert np.any(gradient.numpy() != 0), variable.path
    assert logs["loss"] == pytest.approx(float(encoder_loss + nll), rel=1e-5)
    assert logs["kl"] == pytest.approx(float(kl), rel=1e-4, abs=1e-6)


def test_the_logged_loss_is_the_mean_over_examples():
    """20 images in batches of 16 and 4: the last batch counts a fifth, as in `nll`."""
    model = make()
    history = model.fit(IMAGES, batch_size=16, epochs=2, verbose=0).history
    expected = np.add(history["nll"], history["kl"])
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-6)


def test_a_phase_takes_every_second_step_and_rests_in_between():
    model = make(EverySecond)
    optimizers = model.optimizer.by_phase
    seen = []
    for _ in range(4):
        groups = {
            "encoder": [*model.encoder.trainable_variables, *optimizers["encoder"].variables[2:]],
            "decoder": [*model.decoder.trainable_variables, *optimizers["decoder"].variables[2:]],
        }
        before = {name: values(group) for name, group in groups.items()}
        model.train_on_batch(IMAGES)
        seen.append({name: moved(before[name], group) for name, group in groups.items()})
    for step, found in enumerate(seen):
        assert all(found["encoder"])
        assert all(found["decoder"]) if step % 2 == 0 else not any(found["decoder"])
    assert int(model.optimizer.iterations) == int(optimizers["encoder"].iterations) == 4
    assert int(optimizers["decoder"].iterations) == 2


def test_the_rests_are_those_of_fit_whatever_runs_at_once():
    """Ten steps in one program, one after the other, and with XLA."""
    fits = []
    for steps, jit_compile in ((10, False), (1, False), (10, True)):
        model = make(EverySecond, jit_compile=jit_compile)
        model.steps_per_execution = steps
        history = model.fit(IMAGES, batch_size=4, epochs=2, verbose=0, shuffle=False).history
        assert int(model.optimizer.by_phase["decoder"].iterations) == 5
        fits.append([*model.get_weights(), history["loss"]])
    for other in fits[1:]:
        for one, two in zip(fits[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_saved_run_goes_on_bit_for_bit(jit_compile, tmp_path):
    """Weights, both optimizers' state, the count that decides who rests, and the noise."""
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)
    whole = make(EverySecond, jit_compile=jit_compile)
    whole.fit(data, epochs=3, verbose=0)
    first = make(EverySecond, jit_compile=jit_compile)
    first.fit(data, epochs=1, verbose=0)  # five steps: the next one is the decoder's rest
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(second.optimizer, PhasedOptimizer)
    assert float(second.optimizer.by_phase["decoder"].learning_rate) == pytest.approx(3e-3)
    for one, two in zip(first.optimizer.variables, second.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, two)
    second.fit(data, epochs=3, initial_epoch=1, verbose=0)
    for one, two in zip(whole.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=one.path)
    for one, two in zip(whole.optimizer.variables, second.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=one.path)


def test_one_optimizer_is_copied_for_each_phase():
    model = make(optimizer=keras.optimizers.SGD(0.25, momentum=0.9))
    encoder, decoder = model.optimizer.by_phase.values()
    assert encoder is not decoder
    assert float(encoder.learning_rate) == float(decoder.learning_rate) == 0.25
    model.fit(IMAGES, verbose=0)


def test_a_single_phase_takes_its_optimizer_by_name():
    keras.utils.set_random_seed(0)
    model = make(tfvae.VAE, optimizer={"model": keras.optimizers.SGD(0.5)})
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    model.fit(IMAGES, verbose=0)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (
            {"encoder": "adam", "decodr": "adam"},
            r"names 'decodr', which is no phase .*Did you mean.*decoder.*Expected encoder, decoder",
        ),
        ({"encoder": "adam"}, r"lacks the phases decoder\. Give one for each of encoder, decoder"),
        ({}, r"lacks the phases encoder, decoder"),
    ],
)
def test_a_mapping_that_does_not_name_the_phases_is_refused(optimizer, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        model.compile(optimizer=optimizer)
    with pytest.raises(ValueError, match=r"names 'encoder', which is no phase .*Expected model"):
        make(tfvae.VAE, optimizer={"encoder": "adam"})


def test_phases_that_make_no_sense_are_refused():
    class Shared(TwoPhases):
        def phases(self):
            return [Phase(name, self.trainable_variables, ("nll",)) for name in ("a", "b")]

    class Forgotten(TwoPhases):
        def phases(self):
            encoder = self.encoder.trainable_variables
            return [Phase("a", encoder[:1], ("kl",)), Phase("b", encoder[1:], ("kl",))]

    class Unknown(TwoPhases):
        def phases(self):
            first, second = super().phases()
            return [first, Phase("decoder", second.variables, ("nlll",))]

    with pytest.raises(ValueError, match=r"The phases 'a' and 'b' both train .*kernel"):
        make(Shared, optimizer="adam").fit(IMAGES, verbose=0)
    with pytest.raises(ValueError, match=r"No phase trains .*Add it to one of a, b, or set"):
        make(Forgotten, optimizer="adam").fit(IMAGES, verbose=0)
    with pytest.raises(ValueError, match=r"'decoder' minimises nlll.*nll.*It returns nll, kl"):
        make(Unknown).fit(IMAGES, verbose=0)
    with pytest.raises(
        ValueError, match=r"every of the phase 'a' must be an integer of at least 1"
    ):
        Phase("a", [], (), every=0)


def test_learning_rate_schedules_reach_the_first_phase():
    model = make()
    model.fit(
        IMAGES,
        epochs=2,
        verbose=0,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.5 / (1 + epoch))],
    )
    assert float(model.optimizer.by_phase["encoder"].learning_rate) == pytest.approx(0.25)
    assert float(model.optimizer.by_phase["decoder"].learning_rate) == pytest.approx(3e-3)
