"""The decoder's servable."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.export.servables.signatures import (
    MAX_SAMPLES,
    MAX_SAMPLES_PER_ROW,
    Signature,
    most,
    per_row,
    same_rows,
)
from tfvae.inference.rows import for_each_row


class DecoderServable:
    """Latents to images: `decode` and `sample`.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `decode`, `serving_default` | `z [B, D]` | `probs`, `logits [B, H, W, C]`; for a Normal likelihood `loc`, `scale` |
    | `sample` | `num_samples [B]`, `seed [B]` int32, `temperature [B]` | `images [B, S, H, W, C]`, `z [B, S, D]` |

    `sample` draws z from the prior, widened by `temperature`, with the counter-based generator, and
    returns the likelihood's mean: row b holds what `vae.sample(num_samples[b], seed[b],
    temperature[b])` returns in Python.

    Args:
        vae: a built `tfvae.VAE`.
        share: wraps what several signatures call; with `tf.function` the file holds it once.
    """  # noqa: E501

    name = "decoder"
    default = "decode"

    def __init__(self, vae: Any, share: Callable[[Callable], Callable] = tf.function):
        self.vae = vae
        self.parameters = share(vae.decoder.parameters)

    def signatures(self) -> dict[str, Signature]:
        """The servable's signatures by name, without `serving_default`."""
        scalars = {"num_samples": tf.int32, "seed": tf.int32, "temperature": tf.float32}
        counts = {name: per_row(dtype) for name, dtype in scalars.items()}
        z = {"z": per_row(tf.float32, (self.vae.latent_size,))}
        return {"decode": Signature(self.decode, z), "sample": Signature(self.sample, counts)}

    def decode(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        """The likelihood's parameters; of a Bernoulli its probabilities as well."""
        parameters = dict(self.parameters(z))
        if "logits" in parameters:
            parameters["probs"] = tf.sigmoid(parameters["logits"])
        return parameters

    def sample(
        self, num_samples: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Draws S images a row from the prior."""
        seed, temperature = same_rows(num_samples, seed=seed, temperature=temperature)
        valid = (temperature >= 0) & tf.math.is_finite(temperature)
        message = "temperature must be a finite number of at least 0; received:"
        data = [message, tf.boolean_mask(temperature, ~valid)]
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(valid), data)]):
            temperature = tf.identity(temperature)
        count = most(num_samples, "num_samples", MAX_SAMPLES_PER_ROW, MAX_SAMPLES)
        z = for_each_row(
            lambda row: self.vae.prior.sample(count, row[0], row[1]), (seed, temperature)
        )
        z = tf.reshape(z, [tf.size(seed), count, self.vae.latent_size])
        return {"images": mean_images(self.vae, self.parameters, z), "z": z}


def mean_images(vae: Any, parameters: Callable[..., Any], z: tf.Tensor) -> tf.Tensor:
    """The likelihood's mean at `z [B, S, D]`: images `[B, S, H, W, C]`."""
    rows, samples = tf.shape(z)[0], tf.shape(z)[1]
    likelihood = vae.decoder.head.distribution(
        **parameters(tf.reshape(z, [rows * samples, vae.latent_size]))
    )
    return tf.reshape(likelihood.mean(), [rows, samples, *vae.image_shape])
