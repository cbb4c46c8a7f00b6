"""Codes that are drawn, with the gradient of a relaxation."""

import math
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, real
from tfvae.distributions.straight_through import rounded
from tfvae.noise import Noise
from tfvae.quantisers.base import Quantised, Quantiser, needed, sum_over_positions


@keras.saving.register_keras_serializable("tfvae")
class GumbelCodes(Quantiser):
    """k ~ q(k|x) = softmax(logits), drawn while training; its likeliest code otherwise.

        k = argmax_j (logits_j + g_j),  g Gumbel;   vector e_k in value, and in the gradient
        sum_j y_j e_j,  y = softmax((logits + g) / t)
        loss   weight KL(q(k|x) || uniform), summed over the positions of an example

    Choose it over `VectorQuantised` where codes should stay uncertain while they are learned: the
    KL keeps all of them in play, and draws explore. Its code book learns by gradient.

    Args:
        num_codes: K, default 128.
        vector_size: D, default 64.
        temperature: t, above 0, default 1; nearer to 0 the gradient is less biased and noisier.
        kl_weight: At least 0, default 0.1. With 1 the loss is the negative ELBO of drawn codes, and
            from the first step on it leaves all codes alike: let a callback raise it to that.
        **kwargs: Keras layer arguments.

    Shapes: features `[B, ..., F]` -> indices `[B, ...]`, vectors `[B, ..., D]`; term `code_kl`
        `[B]`, nats.

    Raises:
        UserError: for an argument out of its range.

    Example:
        >>> import numpy as np
        >>> layer = GumbelCodes(num_codes=4, vector_size=2)
        >>> layer(np.zeros((3, 7, 7, 16), "float32")).vectors.shape.as_list()
        [3, 7, 7, 2]

    References:
        E. Jang, S. Gu, B. Poole, 2017, "Categorical Reparameterization with Gumbel-Softmax",
        arXiv:1611.01144, eq. 2 and section 2.2 (straight-through). A. Ramesh et al., 2021,
        "Zero-Shot Text-to-Image Generation", arXiv:2102.12092, section 2.1, for codes of images.
    """

    def __init__(
        self,
        num_codes: int = 128,
        vector_size: int = 64,
        temperature: float = 1.0,
        kl_weight: float = 0.1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_codes = positive_int("num_codes", num_codes, 2, LARGEST_SIZE)
        self.vector_size = positive_int("vector_size", vector_size, maximum=LARGEST_SIZE)
        self.temperature = real("temperature", temperature, above=0.0)
        self.kl_weight = real("kl_weight", kl_weight, minimum=0.0)
        self.term_factors = {"code_kl": self.kl_weight}

    @property
    def num_inputs(self) -> int:
        """K logits at each position."""
        return self.num_codes

    def build(self, features_shape: Any) -> None:
        """Creates the projection to logits and the code book."""
        super().build(features_shape)
        self.codes = self.add_weight(
            shape=(self.num_codes, self.vector_size),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            dtype="float32",
            name="codes",
        )

    def quantise(
        self, inputs: tf.Tensor, noise: Noise | None, num_rows: Any, training: bool
    ) -> Quantised:
        """Returns codes of logits `[B, ..., K]`."""
        log_q = tf.nn.log_softmax(inputs)
        kl = sum_over_positions(tf.exp(log_q) * (log_q + math.log(self.num_codes)))
        if not training:
            indices = tf.argmax(inputs, axis=-1, output_type=tf.int32)
            return Quantised(indices, self.lookup(indices), {"code_kl": kl})
        size = math.prod(inputs.shape[1:])
        uniform = tf.reshape(needed(noise).uniform(size), tf.shape(inputs))
        noisy = inputs - tf.math.log(-tf.math.log(uniform))
        indices = tf.argmax(noisy, axis=-1, output_type=tf.int32)
        soft = tf.nn.softmax(noisy / self.temperature)
        chosen = rounded(tf.one_hot(indices, self.num_codes), soft)
        vectors = tf.tensordot(chosen, tf.convert_to_tensor(self.codes), axes=1)
        return Quantised(indices, vectors, {"code_kl": kl})

    def lookup(self, indices: tf.Tensor) -> tf.Tensor:
        """Returns the codes."""
        return tf.gather(tf.convert_to_tensor(self.codes), indices)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = ("num_codes", "vector_size", "temperature", "kl_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
