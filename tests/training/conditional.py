"""The smallest model of two fields: p(x|z, label) with z = 0, so only the label is learned from."""

import keras
import numpy as np
import tensorflow as tf

from tfvae.data import Field
from tfvae.training.phases import Phase
from tfvae.training.trainer import Trainer

CLASSES, SIZE = 3, 4
LABELS = np.arange(24) % CLASSES
# Each class has a pixel of its own, and the last is lit in all.
X = np.eye(SIZE, dtype="float32")[LABELS]
X[:, -1] = 1.0
DATA = {"x": X, "label": LABELS}


class Conditional(Trainer):
    """Logits of x as a table of the labels; `shift` is an optional field."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_state = self.add_weight(
            shape=(2,), initializer="zeros", trainable=False, dtype="int64", name="seed_state"
        )
        self.built_for = None

    def fields(self):
        shift = Field((SIZE,), interval=None, optional=True)
        return {"x": Field((SIZE,)), "label": Field.label(CLASSES), "shift": shift}

    def phases(self):
        return [Phase("model", self.trainable_variables, ("nll",))]

    def build(self, input_shape):
        self.built_for = input_shape
        self.logits = self.add_weight(shape=(CLASSES, SIZE), initializer="zeros", name="logits")

    def call(self, batch, training=False):
        logits = tf.gather(self.logits, batch["label"]) + batch.get("shift", 0.0)
        nll = tf.nn.sigmoid_cross_entropy_with_logits(labels=batch["x"], logits=logits)
        self.add_loss(tf.reduce_mean(tf.reduce_sum(nll, axis=1)))
        return tf.sigmoid(logits)

    def reconstruct(self, batch):
        return tf.sigmoid(tf.gather(self.logits, batch["label"]) + batch.get("shift", 0.0))


def compiled(**options):
    keras.utils.set_random_seed(0)
    model = Conditional()
    model.compile(keras.optimizers.Adam(0.1), **{"jit_compile": False, **options})
    return model
