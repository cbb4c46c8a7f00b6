"""What a variant costs: its errors against the live model, and nats of the test images."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import random
from tfvae.export.servables.encoder import posterior_draws
from tfvae.export.tflite_files.convert import parameter_names

Arrays = Mapping[str, np.ndarray]


class TestBound:
    """The importance-weighted bound of test images, with parts of the model exchanged.

        IW_K = mean_n log 1/K sum_k p(x_n|z_nk) p(z_nk) / q(z_nk|x_n)

    Every exchange sees the same images and the same noise, so that the difference from the live
    model has far less variance than either bound.

    Args:
        vae: the live model.
        images: `[N, H, W, C]`, as the model is evaluated on (binarised for a Bernoulli).
        num_samples: K.
        seed: of the noise.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __init__(self, vae: Any, images: np.ndarray, num_samples: int = 32, seed: int = 0):
        self.vae, self.images, self.num_samples = vae, images, num_samples
        self.noise = random.normal((num_samples, len(images), vae.latent_size), seed)
        self.live_encoder: Callable[[np.ndarray], Arrays] = _compiled(vae.encoder)
        self.live_decoder: Callable[[np.ndarray], Arrays] = _compiled(vae.decoder)
        # Compiled once for all variants: eager TFP took longer than the networks.
        self.draw = tf.function(self._draw, autograph=False)
        self.log_likelihood = tf.function(self._log_likelihood, autograph=False)
        self.live = self.bound(self.live_encoder, self.live_decoder)

    def change_with_decoder(self, decode: Callable[[np.ndarray], Arrays]) -> float:
        """By how many nats an image the NLL rises when `decode` replaces the live decoder."""
        return self.live - self.bound(self.live_encoder, decode)

    def change_with_encoder(self, encode: Callable[[np.ndarray], Arrays]) -> float:
        """By how many nats an image the bound falls when `encode` replaces the live encoder."""
        return self.live - self.bound(encode, self.live_decoder)

    def bound(self, encode: Callable[..., Arrays], decode: Callable[..., Arrays]) -> float:
        """The bound of an encoder and a decoder, both from arrays to named arrays."""
        posterior = _parameters(encode(self.images))
        log_weights = []
        for noise in self.noise:  # one draw of every image at a time: constant memory
            z, log_ratio = self.draw(posterior, noise)
            log_likelihood = self.log_likelihood(_parameters(decode(z.numpy())))
            log_weights.append(log_likelihood + log_ratio)
        log_mean = tf.reduce_logsumexp(tf.stack(log_weights), axis=0) - np.log(self.num_samples)
        return float(tf.reduce_mean(log_mean))

    def _draw(self, parameters: Any, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """z = g(noise) and log p(z) / q(z|x)."""
        posterior = self.vae.encoder.head.distribution(**parameters)
        z = posterior_draws(posterior, noise)
        return z, self.vae.prior.distribution().log_prob(z) - posterior.log_prob(z)

    def _log_likelihood(self, parameters: Any) -> tf.Tensor:
        return self.vae.decoder.head.distribution(**parameters).log_prob(self.images)


def _parameters(outputs: Arrays) -> dict[str, tf.Tensor]:
    return {name: tf.convert_to_tensor(outputs[name]) for name in parameter_names(outputs)}


def _compiled(conditional: Any) -> Callable[[np.ndarray], Arrays]:
    function = tf.function(conditional.parameters, autograph=False, reduce_retracing=True)
    return lambda rows: function(tf.constant(rows))


def errors(outputs: Arrays, expected: Arrays, name: str) -> tuple[float, float]:
    """Mean and maximal absolute difference of one output."""
    difference = np.abs(np.asarray(outputs[name], np.float64) - np.asarray(expected[name]))
    return float(np.mean(difference)), float(np.max(difference))
