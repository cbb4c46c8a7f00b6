"""From x to its code, as a Keras model that others are built on."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.models.capabilities import Encodes, Scores, require
from tfvae.noise import training_noise


@keras.saving.register_keras_serializable("tfvae")
class CodeModel(keras.Model):
    """x to the code of a trained model: what `Sequential` and functional models stand on.

    Made by `vae.code_model()`. It shares the encoder's weights with the model: training or freezing
    one trains or freezes the other. A file of it, or of a model that stands on it, holds the
    weights of the model's `encoding_layers()`: of a VAE the encoder's, and none of the decoder's.

    Args:
        model: A built model that encodes.
        draw: Whether a code is a fresh draw from q(z|x) at each call, of the model's generator,
            whose state is in the model's file and not in one of these; False (default) gives the
            point estimate, such as a Normal's mean: not random.
        **kwargs: Keras model arguments.

    What stands on a point estimate does not train what makes the scale of the posterior; where the
    encoder is not frozen, Keras warns that those weights have no gradients. Draws train both.

    Shapes: x `[B, ...]`, or a dict of the fields that are needed -> codes `[B, D]`, or a dict of
    levels.

    Raises:
        UserError: if the model does not encode, or, for draws, does not score.

    Example:
        >>> import keras, tfvae
        >>> vae = tfvae.VAE(
        ...     tfvae.Encoder(tfvae.networks.MLP([8]), tfvae.heads.MultivariateNormalDiag(2)),
        ...     tfvae.Decoder(tfvae.networks.MLP([8]), tfvae.heads.IndependentBernoulli((4, 4, 1))),
        ... )
        >>> vae.build((None, 4, 4, 1))
        >>> codes = vae.code_model()
        >>> codes.trainable = False
        >>> classifier = keras.Sequential([keras.Input((4, 4, 1)), codes, keras.layers.Dense(10)])
        >>> classifier.output_shape
        (None, 10)
    """

    def __init__(self, model: keras.Model, draw: bool = False, **kwargs: Any):
        require(model, "code_model()", Encodes, *([Scores] if draw else []))
        kwargs.setdefault("dtype", "float32")  # the encoder's network has a policy of its own
        super().__init__(autocast=False, **kwargs)
        self.draw = bool(draw)
        self.parts = list(model.encoding_layers())
        # Not an attribute of its own: Keras would count the decoder's weights among these.
        self._of = lambda: model
        self.built = model.built
        if kwargs.get("trainable") is False:  # as it was saved: hands it down
            self.trainable = False

    def build(self, input_shape: Any = None) -> None:
        """Builds the model whose codes these are, for the fields that it declares."""
        model = self._of()
        if not model.built:
            model.build(model.input_shapes())
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the codes."""
        model = self._of()
        batch = model.named(inputs)
        if not self.draw:
            return model.encode(batch)
        rows = tf.shape(tf.nest.flatten(batch)[0])[0]
        noise = training_noise(model.next_seed(), 1, rows, 0)
        z = model.infer(batch).proposal.draw(noise).z
        return tf.nest.map_structure(lambda level: level[0], z)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = keras.saving.serialize_keras_object(self._of())
        config.pop("compile_config", None)  # an optimizer is of no use here
        return {**super().get_config(), "model": config, "draw": self.draw}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "CodeModel":
        """Creates one from `get_config`."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})
