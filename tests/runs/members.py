"""Models that lack capabilities, chosen by their paths."""

import keras
import tensorflow as tf

import tfvae
from tfvae.data.fields import Field
from tfvae.noise import training_noise
from tfvae.objectives.base import Nats


@keras.saving.register_keras_serializable("tests")
class Generator(tfvae.LatentVariableModel):
    """Generates and decodes; it neither encodes nor scores."""

    def __init__(self, decoder, prior, seed=None, **kwargs):
        super().__init__(["nll"], seed=seed, **kwargs)
        self.decoder, self.prior = decoder, prior

    def fields(self):
        return {"x": Field(self.decoder.event_shape, interval=self.decoder.head.interval)}

    def loss_terms(self, batch, training):
        rows = tf.shape(batch["x"])[0]
        z = self.generate(training_noise(self.next_seed(), 1, rows), {})[0]
        likelihood = self.decoder(z, training=training)
        return Nats({"nll": -likelihood.log_prob(batch["x"])}, likelihood.mean())

    def generate(self, noise, conditions):
        return self.prior.generate(noise)

    def decode(self, z, conditions):
        return self.decoder(z).mean()

    def decoder_outputs(self, z, conditions):
        return self.decoder.head.outputs(self.decoder.parameters(z))

    def get_config(self):
        parts = {name: getattr(self, name) for name in ("decoder", "prior")}
        parts = {n: keras.saving.serialize_keras_object(part) for n, part in parts.items()}
        for part in parts.values():
            part.pop("build_config", None)
        return {**super().get_config(), **parts, "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        read = keras.saving.deserialize_keras_object
        return cls(**{**config, **{name: read(config[name]) for name in ("decoder", "prior")}})


@keras.saving.register_keras_serializable("tests")
class Mute(tfvae.LatentVariableModel):
    """Learns, and can do nothing else."""

    def __init__(self, event_shape, **kwargs):
        super().__init__(["nll"], **kwargs)
        self.shape = tuple(event_shape)
        self.logits = self.add_weight(shape=self.shape, initializer="zeros", name="logits")

    def fields(self):
        return {"x": Field(self.shape, interval=(0.0, 1.0))}

    def loss_terms(self, batch, training):
        logits = tf.broadcast_to(self.logits, tf.shape(batch["x"]))
        nats = tf.nn.sigmoid_cross_entropy_with_logits(batch["x"], logits)
        axes = list(range(1, len(self.shape) + 1))
        return Nats({"nll": tf.reduce_sum(nats, axis=axes)}, tf.sigmoid(logits))

    def get_config(self):
        return {**super().get_config(), "event_shape": self.shape}
