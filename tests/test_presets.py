"""Presets and settings: unknown and ill-typed ones stop with a useful message."""

import re

import pytest

from tfvae import presets
from tfvae.runs.config import Config, from_flat, settings
from tfvae.runs.fields import SettingError

DEFAULTS = Config().flat()


@pytest.mark.parametrize("name", presets.names())
def test_presets_are_valid_and_list_only_what_differs(name):
    config = presets.get(name).resolve()
    assert "auto" not in config.flat().values()
    same = {k for k, v in presets.PRESETS[name].changes.items() if v == DEFAULTS[k]}
    assert not same


def test_the_literatures_network():
    config = presets.get("mnist")
    assert (config.model.units, config.model.activation) == ((200, 200), "tanh")
    assert (config.model.latent_size, config.model.posterior) == (50, "diag")
    assert (config.data.batch_size, config.training.learning_rate) == (128, 2e-3)
    assert (config.training.schedule, config.training.final_learning_rate) == ("cosine", 0.01)
    assert config.training.epsilon == 1e-4


def test_every_setting_comes_back_from_its_flat_form():
    config = presets.get("mnist-conv", seed=3, free_bits=0.5)
    assert from_flat(config.flat()) == config
    assert set(config.flat()) == set(settings())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latent_sise": 3}, "Did you mean 'latent_size'?"),
        ({"latent_size": 0}, "at least 1"),
        ({"latent_size": 2.5}, "a whole number"),
        ({"latent_size": True}, "a whole number"),
        ({"latent_size": "2"}, "a whole number"),
        ({"learning_rate": float("nan")}, "a number above 0"),
        ({"learning_rate": 0}, "a number above 0"),
        ({"test_fraction": 1.0}, "above 0 and below 1"),
        ({"posterior": "trill"}, "Did you mean 'tril'?"),
        ({"units": ()}, "at least one layer"),
        ({"units": [200, 0]}, "whole numbers of at least 1"),
        ({"image_size": (8,)}, "2 whole numbers"),
        ({"filters": (3,)}, "no effect with network='mlp'"),
        ({"objective": "importance_weighted", "free_bits": 1.0}, "no effect with objective"),
        ({"likelihood_scale": "learnt"}, "Did you mean 'learned'?"),
    ],
)
def test_bad_settings_are_refused(changes, said):
    with pytest.raises(SettingError, match=re.escape(said)) as caught:
        presets.get("digits", **changes)
    assert caught.value.name in {*changes, "units"}


def test_unknown_preset_suggests_the_nearest():
    with pytest.raises(SettingError, match="Did you mean 'mnist-conv'"):
        presets.get("mnist_conv")


def test_likelihood_follows_from_the_data():
    assert presets.get("digits").resolve().model.likelihood == "bernoulli"
    assert presets.get("digits", binarisation="none").resolve().model.likelihood == "normal"
    assert presets.get(dataset="binarized_mnist").resolve().model.likelihood == "bernoulli"
    photos = presets.get(dataset="photos/").resolve()
    assert (photos.data.binarisation, photos.model.likelihood) == ("none", "normal")
