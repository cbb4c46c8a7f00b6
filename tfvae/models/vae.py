"""The variational autoencoder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of, real
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.models.base import NO_PATH, LatentVariableModel
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.models.configuration import serialize_part
from tfvae.models.encoder_decoder import Decoder, Encoder, check_nothing_shared
from tfvae.models.weight_prior import WEIGHTS_NLL, weights_nll
from tfvae.noise import Noise
from tfvae.objectives import ELBO, Objective
from tfvae.priors import Prior, StandardNormal

tfd = tfp.distributions

_NOTHING: Batch = MappingProxyType({})  # no conditions


@keras.saving.register_keras_serializable("tfvae")
class VAE(LatentVariableModel):
    """p(x, z) = p(z) p(x|z), trained with q(z|x) on the objective's bound of log p(x).

    Args:
        encoder: q(z|x), `Encoder(network, head)`.
        decoder: p(x|z), `Decoder(network, head)`.
        prior: p(z), default `StandardNormal` of the encoder's latent size.
        objective: Default `ELBO()`.
        weight_scale: s, above 0: a prior N(0, s^2) on every trainable weight of the decoder, whose
            most probable weights `fit` then seeks (MAP) in place of the most likely ones. The loss
            has -log p(weights) / N more, logged as `weights_nll`, with N the examples that `fit`
            was given. None (default): no prior. Choose it where there are too few examples to
            hold some out and stop in time.
        seed: Seed of the draws of z while training, and of samples that are given no seed.
            None (default): `keras.utils.set_random_seed` governs them.
        **kwargs: Keras model arguments.

    Shapes: x `[B, *event]` -> reconstruction of the same shape. Logged values are in nats per
    example.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if latent sizes disagree, or the objective needs draws that are differentiable
            and the encoder's head has none.

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

    objective: Objective

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        weight_scale: float | None = None,
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
        check_nothing_shared(encoder, decoder)
        if objective.pathwise and not encoder.head.reparameterised:
            raise UserError(NO_PATH.format(type(objective).__name__, type(encoder.head).__name__))
        weighed = weight_scale is not None
        names = (*objective.names, WEIGHTS_NLL) if weighed else objective.names
        super().__init__(names, seed=seed, **kwargs)
        self.weight_scale = real("weight_scale", weight_scale, above=0.0) if weighed else None
        self.encoder, self.decoder = encoder, decoder
        self.prior, self.objective = prior, objective

    @property
    def latent_size(self) -> int:
        """D, the number of latent dimensions."""
        return self.prior.latent_size

    def fields(self) -> dict[str, Field]:
        """Returns x: of the decoder's shape, within the likelihood's support."""
        return {"x": self.decoder.head.field}

    @property
    def discrete(self) -> bool:
        """Whether the likelihood is of bits, levels or counts."""
        return self.decoder.head.discrete

    def build(self, input_shape: Any) -> None:
        """Builds every part for examples of this shape, `(None, *event)`."""
        if isinstance(input_shape, Mapping):
            input_shape = input_shape["x"]
        shape = (None, *input_shape[1:])
        if shape[1:] != self.decoder.event_shape:
            raise UserError(
                f"The examples have shape {shape[1:]} and the decoder's head makes "
                f"{self.decoder.event_shape}. Give the head the shape of one example; grey images "
                "need a last axis of size 1: images[..., None]."
            )
        # Where the encoder takes something else than x, only the one who wrote that can check it.
        if type(self).encoder_inputs is VAE.encoder_inputs:
            self.encoder.x = self.fields()["x"]
        example = zero_example(self)
        z = tf.zeros([1, self.latent_size])
        for part, inputs in (
            (self.encoder, self.encoder_inputs(example)),
            (self.decoder, self.decoder_inputs(z, self.given(example))),
        ):
            if not part.built:
                part.build_for(inputs)
        self.prior.check_space(type(self.encoder.head).__name__, self.encoder.head.space)
        for other, other_shape in ((self.prior, None), (self.objective, shape)):
            if not other.built:
                other.build(other_shape)
        self.prior.checked_distribution(**self._given_to_prior(self.given(example)))
        # Layers that a part made in its constructor and does not build itself: by using them, now,
        # since the optimizer and the file know only weights that are there.
        if not all(layer.built for layer in self._flatten_layers(include_self=False)):
            super().build(input_shape)
        else:
            self.check_terms()

    def weight_terms(self) -> dict[str, tf.Tensor]:
        """Returns -log p(weights) / N of the decoder's weights, if they have a prior."""
        if self.weight_scale is None:
            return {}
        weights = self.decoder.trainable_variables
        return {WEIGHTS_NLL: weights_nll(weights, self.weight_scale, self.num_examples)}

    def begin_training(self, num_examples: int) -> None:
        """Notes N, without which a prior on the weights has no share in an example's loss."""
        if self.weight_scale is not None and not num_examples:
            raise UserError(
                "weight_scale needs to know how many examples there are, and this data set does "
                "not say. Pass arrays, or what tfvae.data.load returns."
            )
        super().begin_training(num_examples)

    def encoder_inputs(self, batch: Batch) -> Any:
        """Returns what the encoder takes of a batch: x; a conditional model says more."""
        return batch["x"]

    def decoder_inputs(self, z: tf.Tensor, conditions: Batch) -> Any:
        """Returns what the decoder takes: z as its head shows it; a conditional model adds."""
        return self.encoder.head.embedded(z)

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns q(z|x) and log p(z) + log p(x|z) of a batch."""
        posterior = self.encoder(self.encoder_inputs(batch), training=training)
        return self._inference(batch, posterior, training)

    def _inference(self, batch: Batch, posterior: tfd.Distribution, training: bool) -> Inference:
        given = self.given(batch)
        prior = self.prior_distribution(given)

        def joint(z: tf.Tensor) -> Joint:
            likelihood = self.decoder(self.decoder_inputs(z, given), training=training)
            return Joint(likelihood.log_prob(batch["x"]), prior.log_prob(z), likelihood.mean())

        return Inference(Posterior(self.encoder.head, posterior, prior), joint)

    def prior_distribution(self, conditions: Batch = _NOTHING) -> tfd.Distribution:
        """Returns p(z), or p(z|c) of conditions: the prior's, given what it needs of this model."""
        return self.prior.distribution(**self._given_to_prior(conditions))

    def _given_to_prior(self, conditions: Batch) -> dict[str, Any]:
        offered: dict[str, Any] = {"encoder": self.encoder.of_pseudo_inputs()}
        if self.conditions():
            offered["condition"] = conditions
        for name in self.prior.needs:
            if name not in offered:
                raise UserError(
                    f"{type(self.prior).__name__}.distribution() takes a {name}, and a "
                    f"{type(self).__name__} has none to give. Use a prior that takes none, or a "
                    "conditional model."
                )
        return {name: offered[name] for name in self.prior.needs}

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the encoder."""
        return [self.encoder]

    def encode(self, batch: Any, batch_size: int = 128, verbose: int = 0) -> Any:
        """Returns the point estimate of z, `[B, D]`: of a Normal its mean.

        Args:
            batch: Tensors by field, at once. Anything else that `fit` takes, arrays and data sets,
                goes in batches and gives an array: see `codes`.
            batch_size: Examples at once, of arrays and data sets.
            verbose: 1 shows a progress bar of these.
        """
        if not isinstance(batch, Mapping) or not all(map(tf.is_tensor, batch.values())):
            return self.codes(batch, batch_size=batch_size, verbose=verbose)
        return self.encoder.head.code(self.encoder(self.encoder_inputs(batch)))

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the posterior's parameters, and what its head makes of them."""
        return self.outputs_of(self.features(batch))

    def features(self, batch: Batch) -> tf.Tensor:
        """Returns the encoder network's features."""
        return self.encoder.features(self.encoder_inputs(batch))

    def outputs_of(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the posterior's parameters of features, and what its head makes of them."""
        return self.encoder.head.outputs(self.encoder.head.parameters(features))

    def rebuilt(self, batch: Batch, encoded: dict[str, tf.Tensor]) -> Inference:
        """Returns the inference of a batch, its posterior made of `encoder_outputs`."""
        return self._inference(batch, self.encoder.head.from_outputs(encoded), training=False)

    def log_likelihood_of(self, batch: Batch, decoded: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns log p(x|z) `[B]`, the likelihood made of `decoder_outputs`."""
        return self.decoder.head.from_outputs(decoded).log_prob(batch["x"])

    def decode(self, z: tf.Tensor, conditions: Batch = _NOTHING) -> tf.Tensor:
        """Returns E[x|z] of codes `[..., D]`."""
        return self.decoder(self.decoder_inputs(z, conditions)).mean()

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch = _NOTHING) -> dict[str, tf.Tensor]:
        """Returns the likelihood's parameters, and what its head makes of them."""
        parameters = self.decoder.parameters(self.decoder_inputs(z, conditions))
        return self.decoder.head.outputs(parameters)

    def generate(self, noise: Noise, conditions: Batch = _NOTHING) -> tf.Tensor:
        """Returns codes from the prior, `[*leading, D]`."""
        return self.prior.checked_codes(noise, **self._given_to_prior(conditions))

    def prior_quantiles(self, probabilities: tf.Tensor, conditions: Batch = _NOTHING) -> tf.Tensor:
        """Returns the prior's quantiles, `[..., D]`; see `Prior.quantiles`."""
        return self.prior.quantiles(probabilities, **self._given_to_prior(conditions))

    def emit(self, noise: Noise, z: tf.Tensor, conditions: Batch = _NOTHING) -> tf.Tensor:
        """Returns x ~ p(x|z) of codes `[..., D]`, as the noise says."""
        likelihood = self.decoder(self.decoder_inputs(z, conditions))
        return self.decoder.head.draw(likelihood, noise).z

    @property
    def num_examples_to_adapt(self) -> int:
        """How many training examples `adapt` wants beside their mean: the prior's."""
        return getattr(self.prior, "num_examples", 0)

    def adapt(self, mean: Any, examples: Any = None) -> None:
        """Starts the decoder at the mean of the training data, and the prior at some of them.

        Args:
            mean: over the training examples; see `LikelihoodHead.adapt`.
            examples: as many as `num_examples_to_adapt`, for a prior that wants them, such as
                `VampPrior`; None leaves it where it is.
        """
        self.decoder.head.adapt(mean)
        if examples is not None:
            self.prior.adapt(examples)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = ("encoder", "decoder", "prior", "objective")
        serialized = {part: serialize_part(getattr(self, part), self.built) for part in parts}
        return {**super().get_config(), **serialized, "weight_scale": self.weight_scale}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VAE":
        """Creates one from `get_config`."""
        parts = ("encoder", "decoder", "prior", "objective")
        restored = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects)
            for part in parts
        }
        return cls(**{**config, **restored})
