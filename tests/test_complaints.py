"""Keras' complaints are the user's, one line; a bug in a user's layer keeps its traceback."""

import traceback

import keras
import pytest
import tensorflow as tf

import tfvae
from tfvae import catalogue
from tfvae.errors import UserError


class Buggy(keras.layers.Layer):
    """Somebody's layer with a mistake in it."""

    def call(self, x):
        return int("seven")


class BuggyBuild(keras.layers.Layer):
    """The same in `build`."""

    def build(self, shape):
        self.sizes = {}["size"] if shape is None else [].index(3)

    def call(self, x):
        return x


class Mistyped(keras.layers.Layer):
    """A TypeError of its own."""

    def call(self, x):
        return x + "a" if isinstance(x, str) else len(3)


class ForImages(keras.layers.Layer):
    """A layer that is right, for other inputs."""

    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Conv2D(2, 3)

    def call(self, x):
        return self.layer(x)


class Refusing(keras.layers.Layer):
    """A layer that says by a UserError what it takes."""

    def call(self, x):
        raise UserError("only sevens")


class Products(keras.layers.Layer):
    """Products of matrices whose sizes do not agree."""

    def call(self, x):
        return tf.matmul(x, tf.zeros([3, 3]))


def build(network):
    tfvae.Encoder(network, tfvae.heads.MultivariateNormalDiag(2)).build((None, 8))


@pytest.mark.parametrize(
    ("network", "error", "line"),
    [
        (Buggy, ValueError, 'return int("seven")'),
        (BuggyBuild, ValueError, "[].index(3)"),
        (Mistyped, TypeError, "len(3)"),
    ],
)
def test_a_bug_keeps_its_traceback(network, error, line):
    with pytest.raises(error) as caught:
        build(network())
    assert not isinstance(caught.value, UserError)
    assert line in "".join(traceback.format_tb(caught.value.__traceback__))
    assert keras.config.is_traceback_filtering_enabled()


@pytest.mark.filterwarnings("ignore:(?s).*unbuilt state")  # Keras', of ours
@pytest.mark.parametrize("network", [lambda: keras.layers.Conv2D(2, 3), ForImages, Products])
def test_a_shape_that_does_not_fit_is_one_line(network):
    with pytest.raises(UserError, match=r"does not take inputs of shape \(None, 8\)\. Keras said"):
        build(network())


def test_what_a_layer_refuses_itself_is_one_line():
    with pytest.raises(UserError, match="only sevens"):
        build(Refusing())


def mlp(**settings):
    shapes = {"event_shape": (8, 8, 1), "latent_size": 2}
    return catalogue.build("network", "mlp", settings, shapes)


def test_an_argument_that_keras_refuses_is_one_line():
    with pytest.raises(UserError, match=r"--network mlp: .*relux"):
        mlp(activation="relux")
    with pytest.raises(UserError, match="--network mlp: units"):
        mlp(units=(0,))


def test_a_bug_of_a_constructor_keeps_its_traceback(monkeypatch):
    def broken(**_):
        return [].index(3)

    monkeypatch.setattr(catalogue, "constructor", lambda *_: broken)
    with pytest.raises(ValueError, match="3 is not in list") as caught:
        mlp()
    assert not isinstance(caught.value, UserError)
