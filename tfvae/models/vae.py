"""The variational autoencoder."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import tfvae.random
from tfvae.checks import instance_of, positive_int, real
from tfvae.data.fields import Field
from tfvae.errors import UserError, UserRuntimeError
from tfvae.models.base import LatentVariableModel
from tfvae.models.encoder_decoder import Decoder, Encoder, serialize_part
from tfvae.objectives import ELBO, Nats, Objective
from tfvae.priors import Prior, StandardNormal
from tfvae.training.programs import compiled


@keras.saving.register_keras_serializable("tfvae")
class VAE(LatentVariableModel):
    """p(x, z) = p(z) p(x|z), trained with q(z|x) on the objective's bound of log p(x).

    Args:
        encoder: q(z|x), `Encoder(network, head)`.
        decoder: p(x|z), `Decoder(network, head)`.
        prior: p(z), default `StandardNormal` of the encoder's latent size.
        objective: Default `ELBO()`.
        seed: Seed of the draws of z while training, and of samples that are given no seed.
            None (default): `keras.utils.set_random_seed` governs them.
        **kwargs: Keras model arguments.

    Shapes: images `[B, H, W, C]` in [0, 1] -> reconstruction `[B, H, W, C]`. Logged values are in
    nats per image.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if latent sizes or image shapes disagree.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> vae = VAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ... )
        >>> vae.compile("adam")
        >>> history = vae.fit(np.zeros((32, 8, 8, 1), "float32"), verbose=0)
        >>> vae.sample(4, seed=1).shape.as_list()
        [4, 8, 8, 1]

    References:
        D. P. Kingma and M. Welling, 2013, "Auto-Encoding Variational Bayes", arXiv:1312.6114.
        D. J. Rezende, S. Mohamed, D. Wierstra, 2014, "Stochastic Backpropagation and Approximate
        Inference in Deep Generative Models", arXiv:1401.4082, for the full covariance.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
        instance_of("decoder", decoder, Decoder, "tfvae.Decoder(network, head)")
        latent_size = encoder.event_shape[0]
        prior = StandardNormal(latent_size, name="prior") if prior is None else prior
        instance_of("prior", prior, Prior, "see tfvae.priors")
        objective = ELBO(name="objective") if objective is None else objective
        instance_of("objective", objective, Objective, "see tfvae.objectives")
        if prior.latent_size != latent_size:
            raise UserError(
                f"The encoder's head makes {latent_size} latent dimensions and the prior has "
                f"{prior.latent_size}. Give both the same latent_size."
            )
        super().__init__(objective.names, seed=seed, **kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.prior, self.objective = prior, objective

    @property
    def latent_size(self) -> int:
        """D, the number of latent dimensions."""
        return self.prior.latent_size

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(H, W, C)`, the shape of one image."""
        return self.decoder.event_shape

    def fields(self) -> dict[str, Field]:
        """Returns what one example holds: the image x."""
        return {"x": Field(self.image_shape, "float32", (0.0, 1.0))}

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds every part for images of this shape, `(None, H, W, C)`."""
        shape = (None, *input_shape[1:])
        if shape[1:] != self.image_shape:
            raise UserError(
                f"The images have shape {shape[1:]} and the decoder's head makes "
                f"{self.image_shape}. Give the head the images' shape [H, W, C]; grey images "
                "need a last axis of size 1: images[..., None]."
            )
        for part, part_shape in (
            (self.encoder, shape),
            (self.decoder, (None, self.latent_size)),
            (self.prior, None),
            (self.objective, shape),
        ):
            if not part.built:
                part.build(part_shape)

    def loss_terms(self, inputs: tf.Tensor, training: bool) -> Nats:
        """Returns the objective's nats for a batch of images."""
        x = tf.cast(inputs, tf.float32)
        return self.objective.nats(
            x,
            self.encoder(x, training=training),
            self.prior.distribution(),
            self.decoder,
            seed=self.next_seed(),
            training=training,
        )

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the objective's factor of a term."""
        return self.objective.weight(name)

    def sample(
        self, num_samples: int, seed: int | None = None, temperature: float = 1.0
    ) -> tf.Tensor:
        """Draws codes from the prior and returns the mean image of each.

        The draws come from `tfvae.random`: the exported decoders give the same pictures for the
        same seed. `decoder(z).sample()` draws pixels as well.

        Args:
            num_samples: How many, at least 1.
            seed: Any int32. None takes the next of the model's generator, and so differs each time.
            temperature: Factor on the prior's standard deviation, at least 0; 1 is the prior.

        Returns:
            Images `[num_samples, H, W, C]` in the likelihood's units. The first images do not
            depend on `num_samples`.
        """
        num_samples = positive_int("num_samples", num_samples)
        real("temperature", temperature, minimum=0.0)
        self._require_built("sample()")
        if seed is None:
            words = self.next_seed()
            seed = tfvae.random.bits((), words[0], words[1])
        draw = compiled(self, _sample, xla=False)  # one program for every num_samples
        return draw(
            tf.constant(num_samples, tf.int32),
            tfvae.random.word(seed, "seed"),
            tf.constant(temperature, tf.float32),
        )

    def reconstruct(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the mean image at the posterior mean: deterministic, `[B, H, W, C]`."""
        return self.decoder(self.encoder(images).mean()).mean()

    def log_likelihood(self, data: Any, num_samples: int = 5000, **kwargs: Any) -> Any:
        """Estimates log p(x) of each image by importance sampling.

        See `tfvae.evaluation.log_likelihood`, whose arguments these are.
        """
        from tfvae.evaluation import log_likelihood  # it imports this module's users

        return log_likelihood(self, data, num_samples=num_samples, **kwargs)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise UserRuntimeError(
                f"{what} needs a built model. Train it, call it on a batch, or call "
                f"build({(None, *self.image_shape)})."
            )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = ("encoder", "decoder", "prior", "objective")
        serialized = {part: serialize_part(getattr(self, part), self.built) for part in parts}
        return {**super().get_config(), **serialized, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VAE":
        """Creates one from `get_config`."""
        parts = ("encoder", "decoder", "prior", "objective")
        restored = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects)
            for part in parts
        }
        return cls(**{**config, **restored})


def _sample(vae: VAE, num_samples: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """The mean image of each of `num_samples` codes of the prior."""
    return vae.decoder(vae.prior.sample(num_samples, seed, temperature)).mean()
