"""Presets and settings: unknown and ill-typed ones stop with a useful message."""

import re

import numpy as np
import pytest

import tfvae
from tfvae import catalogue, presets
from tfvae.settings.errors import SettingError
from tfvae.settings.known import member_arguments
from tfvae.settings.reading import settings
from tfvae.signatures import REQUIRED


@pytest.mark.parametrize("name", presets.names())
def test_presets_are_valid_and_list_only_what_differs(name):
    changes = presets.PRESETS[name].changes
    chosen = {kind: value for kind, value in changes.items() if isinstance(value, str)}
    members = {k: v for k, v in chosen.items() if k in catalogue.KINDS}
    needed = {k for k, v in member_arguments(members).items() if v.default is REQUIRED}
    defaults = settings(members | {k: v for k, v in changes.items() if k in needed})
    same = {k for k, v in changes.items() if k not in {*chosen, *needed} and defaults[k] == v}
    assert not same
    assert changes.items() <= dict(presets.get(name)).items()


def test_the_literatures_network():
    preset = presets.get("mnist")
    assert (preset["network.units"], preset["network.activation"]) == ((200, 200), "tanh")
    assert (preset["latent_size"], preset["posterior"]) == (50, "diag")
    assert (preset["batch_size"], preset["learning_rate"]) == (128, 2e-3)
    assert (preset["schedule"], preset["schedule.final_learning_rate"]) == ("cosine", 0.01)
    assert preset["epsilon"] == 1e-4


def test_settings_come_back_from_their_values():
    preset = presets.get("mnist-conv", seed=3, free_bits=0.5)
    assert settings(preset) == preset
    assert preset["objective.free_bits"] == 0.5


def test_a_preset_is_a_graph_that_keras_reads():
    import keras

    model = keras.saving.deserialize_keras_object(presets.get("digits", units=(8,)).config())
    assert isinstance(model, tfvae.VAE)
    assert not model.compiled
    assert model.encoder.network.units == (8,)


def test_a_presets_weights_follow_from_the_seed():
    one, other, third = (presets.model("digits", units=(8,), seed=s).weights for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0], third[0])


def test_another_member_takes_what_it_can_of_the_preset():
    preset = presets.get("mnist-conv", network="mlp")
    assert (preset["network.units"], preset["network.activation"]) == ((256,), "elu")
    assert "network.filters" not in preset


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latent_sise": 3}, "Did you mean '--latent-size'?"),
        ({"latent_size": 0}, "greater than 0"),
        ({"latent_size": 2.5}, "a valid integer"),
        ({"latent_size": True}, "a valid integer"),
        ({"latent_size": "2"}, "a valid integer"),
        ({"learning_rate": float("nan")}, "a finite number"),
        ({"learning_rate": 0}, "a number greater than 0"),
        ({"posterior": "trill"}, "Did you mean 'tril'?"),
        ({"posterior": 3}, "no such posterior 3"),
        ({"network.units": [200, "x"]}, "a valid integer"),
        ({"image_size": (8,)}, "Field required"),
        (
            {"filters": (3,)},
            "belongs to --levels conv and --levels residual_codes and --network conv and --network",
        ),
        ({"objective": "importance_weighted", "free_bits": 1.0}, "belongs to --objective elbo"),
        ({"callback": "linear_weight"}, "is needed"),
    ],
)
def test_bad_settings_are_refused(changes, said):
    with pytest.raises(SettingError, match=re.escape(said)) as caught:
        presets.get("digits", **changes)
    assert caught.value.name in {*changes, "callback.epochs"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "ladder", "merge": "residual"}, "merge: is no setting's full name.*model.merge"),
        ({"units": (8,)}, "units: .*Say network.units"),
        ({"learning_rat": 0.1}, "learning_rat: .*Did you mean '--learning-rate'"),
        ({"prior.num_components": 3}, "prior.num_components: .*members that it chooses"),
    ],
)
def test_a_preset_of_what_nothing_reads_is_refused(monkeypatch, changes, said):
    """Rather than trained without it."""
    monkeypatch.setitem(presets.PRESETS, "mine", presets.Preset("one of ours", changes))
    with pytest.raises(SettingError, match=said):
        presets.get("mine", epochs=3)
    with pytest.raises(SettingError, match=said):
        presets.get("mine", model="vae")


def test_what_only_the_constructor_knows_names_the_member():
    with pytest.raises(ValueError, match=r"--prior mixture: num_components must be an integer"):
        presets.model("digits", prior="mixture", num_components=0)


def test_unknown_preset_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'mnist-conv'"):
        presets.get("mnist_conv")


def test_likelihood_follows_from_the_data():
    assert presets.get("digits")["likelihood"] == "bernoulli"
    assert presets.get("digits", binarisation="none")["likelihood"] == "normal"
    assert presets.get(dataset="binarized_mnist")["likelihood"] == "bernoulli"
    photos = presets.get(dataset="photos/")
    assert (photos["binarisation"], photos["likelihood"]) == ("none", "normal")
    assert photos["likelihood.scale"] == "learned"
