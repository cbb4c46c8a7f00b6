"""What a variant costs: nats of the test data."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.graphs import shared
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.signatures import named_codes
from tfvae.noise import Noise

NamedArrays = Mapping[str, np.ndarray]
Call = Callable[[NamedArrays], NamedArrays]


class HeldOutBound:
    """The importance-weighted bound of test data, with parts of the model exchanged.

        IW_K = mean_n log 1/K sum_k p(x_n|z_nk) p(z_nk) / q(z_nk|x_n)

    Every exchange sees the same examples and the same noise, so that the difference from the live
    model has far less variance than either bound.

    Args:
        model: the live model, one that rebuilds its distributions from outputs.
        batch: its fields, `[N, ...]` each, as the model is evaluated on (binarised for a
            Bernoulli).
        num_samples: K.
        seed: of the noise.
    """

    def __init__(self, model: Any, batch: NamedArrays, num_samples: int = 32, seed: int = 0):
        self.model, self.num_samples, self.seed = model, num_samples, seed
        self.arrays = batch
        self.batch = {name: tf.constant(values) for name, values in batch.items()}
        # Compiled once for all variants: eager TFP took longer than the networks.
        self.draw = shared(self._draw)
        self.log_likelihood = shared(self._log_likelihood)
        self.live_encoder = _compiled(model.encoder_outputs)
        self.live_decoder = _compiled(self._decode)
        self.live = self.bound(self.live_encoder, self.live_decoder)

    def change_with_decoder(self, decode: Call) -> float:
        """By how many nats an example the NLL rises when `decode` replaces the live decoder."""
        return self.live - self.bound(self.live_encoder, decode)

    def change_with_encoder(self, encode: Call) -> float:
        """By how many nats an example the bound falls when `encode` replaces the live encoder."""
        return self.live - self.bound(encode, self.live_decoder)

    def bound(self, encode: Call, decode: Call) -> float:
        """The bound of an encoder and a decoder, both from named arrays to named arrays."""
        encoded = _tensors(encode(self.arrays))
        given = {name: self.arrays[name] for name in self.model.conditions()}
        log_weights = []
        for number in range(self.num_samples):  # one draw of every example: constant memory
            z, log_ratio = self.draw(encoded, tf.constant(number))
            codes = {name: level.numpy() for name, level in named_codes(z).items()}
            log_likelihood = self.log_likelihood(_tensors(decode({**codes, **given})))
            log_weights.append(log_likelihood + log_ratio)
        log_mean = tf.reduce_logsumexp(tf.stack(log_weights), axis=0) - np.log(self.num_samples)
        return float(tf.reduce_mean(log_mean))

    def _decode(self, inputs: Mapping[str, tf.Tensor]) -> NamedArrays:
        return DecoderServable(self.model, share=lambda function: function).decode(**inputs)

    def _draw(self, encoded: Any, number: tf.Tensor) -> tuple[Any, tf.Tensor]:
        """One z of each example, and log p(z) / q(z|x)."""
        inference = self.model.rebuilt(self.batch, encoded)
        rows = next(iter(self.batch.values())).shape[0]
        noise = Noise(self.seed, tf.reshape(number, [1, 1]), tf.range(rows))
        draws = inference.draw_from(noise)
        z = tf.nest.map_structure(lambda level: level[0], draws.z)
        return z, -draws.log_ratio[0]

    def _log_likelihood(self, decoded: Any) -> tf.Tensor:
        return self.model.log_likelihood_of(self.batch, decoded)


def _tensors(arrays: NamedArrays) -> dict[str, tf.Tensor]:
    return {name: tf.convert_to_tensor(values) for name, values in arrays.items()}


def _compiled(function: Callable) -> Call:
    compiled = shared(function)
    return lambda inputs: compiled(_tensors(inputs))
