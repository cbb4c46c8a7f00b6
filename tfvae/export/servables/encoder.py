"""The encoder's servable."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.errors import UserTypeError
from tfvae.export.servables.signatures import (
    MAX_SAMPLES,
    MAX_SAMPLES_PER_ROW,
    Signature,
    most,
    noise,
    of_bytes,
    per_row,
    same_rows,
)


class EncoderServable:
    """Images to posteriors: `encode` and `sample`.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `encode`, `serving_default` | `images [B, H, W, C]` | the posterior's parameters (`loc [B, D]` and `scale_diag [B, D]` or `scale_tril [B, D, D]`), `mean [B, D]`, `stddev [B, D]` |
    | `encode_uint8` | `images` uint8 | as `encode` |
    | `encode_image_bytes` | `image_bytes [B]` PNG or JPEG | as `encode` |
    | `sample` | `images`, `num_samples [B]`, `seed [B]` int32 | `z [B, S, D]` |

    Args:
        vae: a built `tfvae.VAE`.
        share: wraps what several signatures call; with `tf.function` the file holds it once.
    """  # noqa: E501

    name = "encoder"
    default = "encode"

    def __init__(self, vae: Any, share: Callable[[Callable], Callable] = tf.function):
        self.vae = vae
        self.share = share
        self.parameters = share(vae.encoder.parameters)

    def signatures(self) -> dict[str, Signature]:
        """The servable's signatures by name, without `serving_default`."""
        shape = tuple(self.vae.image_shape)
        encode = Signature(self.share(self.encode), {"images": per_row(tf.float32, shape)})
        counts = {"num_samples": per_row(tf.int32), "seed": per_row(tf.int32)}
        forms = {f"encode_{form}": signature for form, signature in of_bytes(encode, shape).items()}
        return {"encode": encode, **forms, "sample": Signature(self.sample, encode.inputs | counts)}

    def encode(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Posterior parameters, mean and standard deviation."""
        parameters = self.parameters(images)
        posterior = self.vae.encoder.head.distribution(**parameters)
        return {**parameters, "mean": posterior.mean(), "stddev": posterior.stddev()}

    def sample(
        self, images: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Draws `z [B, S, D]` from the posteriors; one seed a row, one draw for each of S."""
        num_samples, seed = same_rows(images, num_samples=num_samples, seed=seed)
        count = most(num_samples, "num_samples", MAX_SAMPLES_PER_ROW, MAX_SAMPLES)
        posterior = self.vae.encoder.head.distribution(**self.parameters(images))
        z = posterior_draws(posterior, noise(seed, tf.constant(0), count, self.vae.latent_size))
        return {"z": tf.transpose(z, [1, 0, 2])}


def posterior_draws(posterior: Any, eps: tf.Tensor) -> tf.Tensor:
    """z = g(eps): a posterior's reparameterisation applied to given noise, `[S, B, D]`.

    Raises:
        TypeError: for a posterior that is not standard normal noise behind a TFP bijector.
    """
    if not hasattr(posterior, "bijector"):
        raise UserTypeError(
            f"export needs a posterior that maps standard normal noise to z, received "
            f"{type(posterior).__name__}. Give the encoder a head whose distribution is a "
            "tfd.TransformedDistribution, such as heads.MultivariateNormalTriL."
        )
    return posterior.bijector.forward(eps)
