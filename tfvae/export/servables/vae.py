"""The whole model's servable."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.export.servables.decoder import mean_images
from tfvae.export.servables.score import importance_scores
from tfvae.export.servables.signatures import (
    MAX_SAMPLES,
    MAX_SAMPLES_PER_ROW,
    MAX_SCORE_SAMPLES,
    Signature,
    most,
    of_bytes,
    per_row,
    same_rows,
)


class VAEServable:
    """Images to images and to likelihoods: `reconstruct`, `score`, `interpolate`.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `reconstruct`, `serving_default` | `images [B, H, W, C]` | `images [B, H, W, C]` |
    | `reconstruct_uint8` | `images` uint8 | as `reconstruct` |
    | `reconstruct_image_bytes` | `image_bytes [B]` PNG or JPEG | as `reconstruct` |
    | `score` | `images`, `num_samples [B]`, `seed [B]` int32 | `log_likelihood`, `elbo`, `nll`, `kl`, each `[B]`, nats |
    | `score_uint8`, `score_image_bytes` | bytes, and `num_samples`, `seed` | as `score` |
    | `interpolate` | `start_images`, `end_images [B, H, W, C]`, `steps [B]` int32 | `images [B, S, H, W, C]` |

    Args:
        vae: a built `tfvae.VAE`.
        share: wraps what several signatures call; with `tf.function` the file holds it once.
    """  # noqa: E501

    name = "vae"
    default = "reconstruct"

    def __init__(self, vae: Any, share: Callable[[Callable], Callable] = tf.function):
        self.vae = vae
        self.share = share
        self.encoded = share(vae.encoder.parameters)
        self.decoded = share(vae.decoder.parameters)

    def signatures(self) -> dict[str, Signature]:
        """The servable's signatures by name, without `serving_default`."""
        shape = tuple(self.vae.image_shape)
        images = per_row(tf.float32, shape)
        counts = {"num_samples": per_row(tf.int32), "seed": per_row(tf.int32)}
        ends = {"start_images": images, "end_images": images, "steps": per_row(tf.int32)}
        found = {
            "reconstruct": Signature(self.share(self.reconstruct), {"images": images}),
            "score": Signature(self.share(self.score), {"images": images, **counts}),
        }
        for name, signature in list(found.items()):
            for form, taking_bytes in of_bytes(signature, shape).items():
                found[f"{name}_{form}"] = taking_bytes
        return {**found, "interpolate": Signature(self.interpolate, ends)}

    def reconstruct(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """The likelihood's mean at the posterior's mean: not random."""
        z = self._latents(images)[:, tf.newaxis]
        return {"images": mean_images(self.vae, self.decoded, z)[:, 0]}

    def score(
        self, images: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Importance-weighted log-likelihood from K = num_samples draws a row, and the ELBO."""
        inputs = (images, *same_rows(images, num_samples=num_samples, seed=seed))
        last = most(inputs[1], "num_samples", MAX_SCORE_SAMPLES)
        return importance_scores(self.vae, (self.encoded, self.decoded), inputs, last)

    def interpolate(
        self, start_images: tf.Tensor, end_images: tf.Tensor, steps: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Decodes `steps` points of the line between two posterior means, both ends included.

        A row that asks for fewer steps than its neighbours repeats its end; one step is the start.
        """
        end_images, steps = same_rows(start_images, end_images=end_images, steps=steps)
        count = most(steps, "steps", MAX_SAMPLES_PER_ROW, MAX_SAMPLES)
        start, end = self._latents(start_images), self._latents(end_images)
        last = tf.cast(tf.maximum(steps - 1, 1), tf.float32)
        position = tf.cast(tf.range(count), tf.float32) / last[:, tf.newaxis]
        position = tf.where(steps[:, tf.newaxis] > 1, tf.minimum(position, 1.0), 0.0)
        weights = position[..., tf.newaxis]
        z = (1.0 - weights) * start[:, tf.newaxis] + weights * end[:, tf.newaxis]
        return {"images": mean_images(self.vae, self.decoded, z)}

    def _latents(self, images: tf.Tensor) -> tf.Tensor:
        return self.vae.encoder.head.distribution(**self.encoded(images)).mean()
