"""Parts written as Keras layers are: layers in `__init__`, and no `build`."""

import keras
import numpy as np
import tensorflow_probability as tfp

import tfvae
from tests.models.test_frozen import X

tfd = tfp.distributions


@keras.saving.register_keras_serializable("late")
class LateHead(tfvae.heads.LatentHead):
    def __init__(self, latent_size, **kwargs):
        super().__init__(latent_size, **kwargs)
        self.projection = keras.layers.Dense(latent_size)

    def parameters(self, features):
        return {"loc": self.projection(features)}

    def distribution(self, loc):
        return tfd.MultivariateNormalDiag(loc)


@keras.saving.register_keras_serializable("late")
class LatePrior(tfvae.priors.Prior):
    def __init__(self, latent_size, **kwargs):
        super().__init__(latent_size, **kwargs)
        self.shift = keras.layers.Dense(latent_size)

    def distribution(self):
        return tfd.MultivariateNormalDiag(self.shift(np.ones((1, 1), "float32"))[0])


def test_layers_that_nobody_built_are_trained_saved_and_sampled(tmp_path):
    vae = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([6]), LateHead(2)),
        tfvae.Decoder(tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        LatePrior(2),
        seed=0,
    )
    vae.compile("adam")
    vae.build((None, 4, 4, 1))
    names = [variable.path for variable in vae.trainable_variables]
    assert len(names) == 2 + 2 + 2 + 2 + 2  # networks, heads and the prior
    before = [np.array(v) for v in vae.trainable_variables]
    vae.fit(X, batch_size=8, epochs=2, verbose=0)
    for name, old, new in zip(names, before, vae.trainable_variables, strict=True):
        assert not np.array_equal(old, new), name
    assert vae.sample(3, seed=1).shape == (3, 4, 4, 1)
    vae.save(tmp_path / "a.keras")
    again = tfvae.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), vae.predict(X, verbose=0))
    np.testing.assert_array_equal(again.sample(3, seed=1), vae.sample(3, seed=1))
