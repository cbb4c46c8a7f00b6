"""Runs rows of plain networks: pixels are predicted from the others, without a code."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae import data, presets
from tfvae.models.capabilities import Batch
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.reproduce.quadrants_table import QuadrantsTask
from tfvae.reproduce.trained import run_optimizer
from tfvae.runs.datasets import model_and_data


def run_quadrants(row: MethodRow[QuadrantsTask], seed: int) -> Measured:
    """How improbable a plain network finds the pixels that it is not shown, with a seed."""
    task = row.task
    settings = presets.get(
        task.preset, seed=seed, epochs=task.epochs, quadrants=task.seen(row.method)
    )
    keras.utils.set_random_seed(seed)
    vae, (train, test) = model_and_data(settings)
    vae.adapt(data.mean(train))
    network = PlainNetwork(vae)
    network.compile(run_optimizer(settings, len(train)))
    # The data set shuffles itself.
    network.fit(train, epochs=settings["epochs"], shuffle=False, verbose=0)
    return {row.method: {"nll": [float(np.mean(network.predict(test, verbose=0)))]}}


class PlainNetwork(keras.Model):
    """p(x|c) = p(x|z = 0, c): the decoder of a conditional VAE without a code, trained alone.

        loss = -log p(x|z = 0, c)

    Args:
        vae: A `ConditionalVAE`, whose decoder it is; the encoder and the prior are left alone.

    Shapes: `{"x": [B, *event], ...}`, the model's fields -> -log p(x|c), `[B]`, nats.
    """

    def __init__(self, vae: Any):
        super().__init__()
        self.decoder, self.latent_size = vae.decoder, vae.latent_size
        # Its functions and not the model: Keras would have the weights of all of it train.
        self.given, self.decoder_inputs = vae.given, vae.decoder_inputs
        self.log_prob_of = vae.log_prob_of

    def call(self, batch: Batch) -> tf.Tensor:
        """Returns -log p of the entries that count, `[B]`."""
        no_code = tf.zeros((tf.shape(batch["x"])[0], self.latent_size))
        likelihood = self.decoder(self.decoder_inputs(no_code, self.given(batch)))
        nll = -self.log_prob_of(likelihood, batch)
        self.add_loss(tf.reduce_mean(nll))
        return nll
