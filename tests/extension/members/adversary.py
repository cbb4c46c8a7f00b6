"""A model with two optimisers: a VAE, and an adversary that tells x from its reconstruction."""

from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from tfvae.models import VAE, LatentVariableModel
from tfvae.training.phases import Phase


@keras.saving.register_keras_serializable("stranger")
class AdversarialVAE(VAE):
    """A VAE whose reconstructions are to pass for data (A. Larsen et al., 2016, arXiv:1512.09300).

        fooling    = softplus(-D(x'))                       minimised by encoder and decoder
        adversary  = softplus(D(x')) + softplus(-D(x))      minimised by D, every other step

    Args:
        encoder, decoder: As of a VAE.
        fooling_weight: Of the term in the loss.
        **kwargs: As of a VAE.
    """

    def __init__(self, encoder, decoder, fooling_weight: float = 0.1, **kwargs: Any):
        super().__init__(encoder, decoder, **kwargs)
        self.initial_fooling_weight = fooling_weight
        self.add_term_weight("fooling", fooling_weight)
        layers = [keras.layers.Flatten(), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)]
        self.adversary = keras.Sequential(layers, name="adversary")
        self.trackers |= {n: keras.metrics.Mean(name=n) for n in ("fooling", "adversary")}

    build = LatentVariableModel.build

    def loss_terms(self, batch, training):
        nats = super().loss_terms(batch, training)
        fake, cross_entropy = nats.reconstruction, tf.math.softplus
        terms = {
            "fooling": cross_entropy(-self.judged(fake)),
            "adversary": cross_entropy(self.judged(tf.stop_gradient(fake)))
            + cross_entropy(-self.judged(batch["x"])),
        }
        return replace(nats, terms={**nats.terms, **terms})

    def judged(self, x):
        return self.adversary(x)[:, 0]

    def phases(self):
        theirs = self.adversary.trainable_variables
        ours = [v for v in self.trainable_variables if all(v is not w for w in theirs)]
        return [
            Phase("model", ours, ("nll", "kl", "fooling")),
            Phase("adversary", theirs, ("adversary",), every=2),
        ]

    def get_config(self):
        return {**super().get_config(), "fooling_weight": self.initial_fooling_weight}
