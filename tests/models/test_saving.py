"""What `save` and `load_weights` refuse, before a file is written or a weight is changed."""

import keras
import numpy as np
import pytest

import tfvae
from tests.models.test_contract import Likelihood, Model
from tests.models.tiny import IMAGES, SHAPE, vae

register = keras.saving.register_keras_serializable("saving")


@register
class Lacking(Likelihood):
    def __init__(self, event_shape, spread=1.0, **kwargs):
        super().__init__(event_shape, **kwargs)
        self.spread = spread


@register
class Closed(Likelihood):
    def __init__(self, event_shape):
        super().__init__(event_shape)


@register
class Surplus(Likelihood):
    def get_config(self):
        return {**super().get_config(), "more": 1}


class Unregistered(Likelihood):
    """Keras finds it by nothing."""


@register
class Wide(Model):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)


@register
class Seeded(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)


def with_head(head):
    encoder = tfvae.Encoder(tfvae.networks.MLP([4]), tfvae.heads.MultivariateNormalDiag(2))
    model = tfvae.VAE(encoder, tfvae.Decoder(tfvae.networks.MLP([4]), head), seed=0)
    model.build((None, *SHAPE))
    return model


def built(**options):
    model = vae(**options)
    model.build((None, *SHAPE))
    return model


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            Lacking(SHAPE, spread=2.0),
            r"Lacking.get_config\(\) lacks 'spread', .* 'spread': self.sp",
        ),
        (Closed(SHAPE), r"Closed.get_config\(\) returns 'dtype', 'name', .* take \*\*kwargs"),
        (Surplus(SHAPE), r"Surplus.get_config\(\) returns 'more', which its constructor does not"),
    ],
)
def test_a_part_that_could_not_be_loaded_is_not_saved(head, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        with_head(head).save(tmp_path / "a.keras")
    assert not any(tmp_path.iterdir())


def test_a_model_that_could_not_be_loaded_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match=r"Wide.get_config\(\) lacks 'width'"):
        Wide(3).save(tmp_path / "a.keras")
    model = Seeded(seed=3)
    model.build((None, *SHAPE))
    model.save(tmp_path / "a.keras")
    assert tfvae.load_model(tmp_path / "a.keras").seed == 3


def test_a_class_that_is_not_registered_is_named_with_what_it_lacks(tmp_path):
    path = tmp_path / "a.keras"
    model = with_head(Unregistered(SHAPE))
    model.save(path)
    with pytest.raises(ValueError, match=r"Unregistered, which Keras does not know.*@keras.sav"):
        tfvae.load_model(path)
    again = tfvae.load_model(path, custom_objects={"Unregistered": Unregistered})
    np.testing.assert_array_equal(
        again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("x.h5", ValueError, r"HDF5 files hold no models .* save\('x.keras'\)"),
        ("folder", ValueError, r"ends in .keras, such as .*folder/model.keras.*saved_model"),
        ("absent/x.keras", FileNotFoundError, "there is no folder .*absent"),
    ],
)
def test_other_files_are_not_written(name, error, message, tmp_path):
    with pytest.raises(error, match=message):
        vae().save(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_an_hdf5_file_is_called_one(tmp_path):
    built().save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match=r"is an HDF5 file: weights alone, .*model.load_weights\("):
        tfvae.load_model(tmp_path / "x.weights.h5")


def test_weights_go_into_a_model_of_the_same_architecture(tmp_path):
    model, other = built(), built(seed=6)
    for name, write in (("x.weights.h5", model.save_weights), ("x.keras", model.save)):
        write(tmp_path / name)
        other.set_weights([np.zeros_like(weight) for weight in other.get_weights()])
        other.load_weights(tmp_path / name)
        for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


def test_weights_of_other_architectures_change_nothing(tmp_path):
    built().save_weights(tmp_path / "x.weights.h5")
    larger = built(latent_size=3)
    before = larger.get_weights()
    with pytest.raises(ValueError, match=r"another architecture: 3 of .* of shape \(8, 6\)"):
        larger.load_weights(tmp_path / "x.weights.h5")
    for one, two in zip(before, larger.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    deeper = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([8, 8]), tfvae.heads.MultivariateNormalDiag(2)),
        vae().decoder,
    )
    with pytest.raises(RuntimeError, match=r"needs a built model: VAE.build\(\(None, 8, 8, 1\)\)"):
        deeper.load_weights(tmp_path / "x.weights.h5")
    deeper.build((None, *SHAPE))
    with pytest.raises(ValueError, match=r"2 of .*encoder/network/.*here and none in the file"):
        deeper.load_weights(tmp_path / "x.weights.h5")
    with pytest.raises(FileNotFoundError, match="No such file"):
        deeper.load_weights(tmp_path / "y.weights.h5")
    (tmp_path / "z.weights.h5").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="damaged or holds no weights"):
        deeper.load_weights(tmp_path / "z.weights.h5")
