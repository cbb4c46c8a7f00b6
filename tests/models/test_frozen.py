"""Frozen layers stay frozen in a file and in a clone, with the optimizer's state for the others."""

import keras
import numpy as np
import pytest

import tfvae
from tfvae.errors import UserError

X = np.random.default_rng(0).random((32, 4, 4, 1), "float32")


def model(objective=None):
    return tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([6, 5]), tfvae.heads.MultivariateNormalTriL(2)),
        tfvae.Decoder(tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        tfvae.priors.MixtureOfGaussians(2, 3),
        objective,
        seed=0,
    )


def encoder(vae):
    return [vae.encoder]


def one_layer_of_the_network(vae):
    return [vae.encoder.network.hidden[0]]


def head_and_prior(vae):
    return [vae.decoder.head, vae.prior]


def all_but_one_layer_of_the_encoder(vae):
    vae.encoder.trainable = False
    vae.encoder.network.hidden[1].trainable = True
    return []


@pytest.mark.parametrize(
    "choose",
    [encoder, one_layer_of_the_network, head_and_prior, all_but_one_layer_of_the_encoder],
)
@pytest.mark.parametrize("copy", ["loaded", "cloned"])
def test_what_is_frozen_does_not_train_after_loading_and_cloning(choose, copy, tmp_path):
    vae = model()
    vae.build((None, 4, 4, 1))
    for layer in choose(vae):
        layer.trainable = False
    vae.compile("adam")
    vae.fit(X, batch_size=8, verbose=0)
    if copy == "loaded":
        vae.save(tmp_path / "a.keras")
        again = tfvae.load_model(tmp_path / "a.keras")  # a warning of a skipped state is an error
        assert int(again.optimizer.iterations) == 4
        pairs = zip(again.optimizer.variables, vae.optimizer.variables, strict=True)
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)
    else:
        again = keras.models.clone_model(vae)
        again.compile("adam")
    trained = [variable.path for variable in vae.trainable_variables]
    assert 0 < len(trained) < len(model_variables())
    assert len(again.trainable_variables) == len(trained)
    assert [layer.trainable for layer in again._flatten_layers()] == [
        layer.trainable for layer in vae._flatten_layers()
    ]
    before = [np.array(v) for v in again.variables]
    again.fit(X, batch_size=8, verbose=0)
    moves = {id(v) for v in again.trainable_variables}
    parts = (again.encoder, again.decoder, again.prior)
    weights = {id(v) for part in parts for v in part.variables}
    for old, variable in zip(before, again.variables, strict=True):
        if id(variable) in moves:
            assert not np.array_equal(old, variable), variable.path
        elif id(variable) in weights:
            np.testing.assert_array_equal(old, variable, variable.path)


def model_variables():
    vae = model()
    vae.build((None, 4, 4, 1))
    return vae.trainable_variables


def test_a_part_that_is_frozen_before_it_is_built_never_trains():
    vae = model()
    vae.encoder.trainable = False
    vae.compile("adam")
    vae.fit(X, batch_size=8, verbose=0)
    assert vae.encoder.trainable_variables == []
    inside = {id(v) for v in vae.encoder.variables}
    assert inside
    assert not inside & {id(v) for v in vae.trainable_variables}


def test_a_file_of_other_layers_is_refused():
    vae = model()
    vae.build((None, 4, 4, 1))
    vae.encoder.trainable = False
    config = vae.get_build_config()
    config["trainable"].append(True)
    with pytest.raises(UserError, match=r"had .* layers and this one has"):
        model().build_from_config(config)
