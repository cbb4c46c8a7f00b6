"""The variational autoencoder."""

from collections.abc import Callable
from typing import Any, Literal

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.corruptions import Corruption
from tfvae.errors import UserError
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.models.autoencoding import NOTHING, Autoencoding
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.mean_field import WEIGHTS_KL, Drawn, MeanField, drawn_weights
from tfvae.models.weight_prior import MEAN_FIELD, WEIGHTS_NLL, checked_scale, weights_nll
from tfvae.noise import Noise
from tfvae.objectives import ELBO, Objective
from tfvae.priors import Prior, StandardNormal

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class VAE(Autoencoding):
    """p(x, z) = p(z) p(x|z), trained with q(z|x) on the objective's bound of log p(x).

    Args:
        encoder: q(z|x), `Encoder(network, head)`.
        decoder: p(x|z), `Decoder(network, head)`.
        prior: p(z), default `StandardNormal` of the encoder's latent size.
        objective: Default `ELBO()`.
        weight_scale: s, above 0: a prior N(0, s^2) on every trainable weight of the decoder. Choose
            it where there are too few examples to hold some out and stop in time. None (default):
            no prior.
        weight_posterior: What `fit` seeks of that prior's posterior, with N the examples that it
            was given. "mode" (default): the most probable weights (MAP). The loss has
            -log p(weights) / N more, logged as `weights_nll`. "mean_field": the best q(weights) of
            independent Normals. Each step draws the weights, and the loss has
            KL(q || p) / N more, logged as `weights_kl`. All but training (evaluation, samples,
            exported files) takes the means of q.
        corruption: What the encoder sees in x's place while training, one of `tfvae.corruptions`:
            denoising, whose loss is a bound of log p(x) as well. None (default) for x itself.
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

    parts = (*Autoencoding.parts, "prior", "objective")
    objective: Objective

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        weight_scale: float | None = None,
        weight_posterior: Literal["mode", "mean_field"] = "mode",
        corruption: Corruption | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
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
        if not encoder.head.has_density:
            raise UserError(
                f"{type(encoder.head).__name__} makes a point, which has no density and so no KL "
                "to a prior. Use a head that makes a distribution, such as "
                "heads.MultivariateNormalDiag, or tfvae.Autoencoder (--model autoencoder)."
            )
        objective.check_path(encoder.head, type(encoder.head).__name__)
        weight_scale = checked_scale(weight_scale, weight_posterior)
        drawn = weight_posterior == MEAN_FIELD
        names = objective.names
        if weight_scale is not None:
            names = (*names, WEIGHTS_KL if drawn else WEIGHTS_NLL)
        super().__init__(encoder, decoder, names, corruption=corruption, seed=seed, **kwargs)
        self.weight_scale, self.weight_posterior = weight_scale, weight_posterior
        self.mean_field = None
        if weight_scale is not None and drawn:
            self.mean_field = MeanField(weight_scale, name="mean_field")
        self.prior, self.objective = prior, objective

    def build_others(self, shape: tuple[int | None, ...]) -> None:
        """Builds the prior, for the shapes of the conditions that it sees, and the objective."""
        self.prior.check_space(type(self.encoder.head).__name__, self.encoder.head.space)
        given = self._given_to_prior(self.given(zero_example(self)))
        seen = given.get("condition", {})
        shapes = {name: (None, *c.shape[1:]) for name, c in seen.items()} or None
        for part, part_shape in ((self.prior, shapes), (self.objective, shape)):
            if not part.built:
                part.build(part_shape)
        self.prior.checked_distribution(**given)

    def check_terms(self) -> None:
        """Gives the decoder's weights, once they are all there, the scales of their posterior."""
        if self.mean_field is not None and not self.mean_field.built:
            self.mean_field.build_for(self.decoder)
        super().check_terms()

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """What training changes: of a frozen weight, a constant, not the scale either."""
        found = super().trainable_variables
        if self.mean_field is None:
            return found
        idle = {id(scale) for scale in self.mean_field.idle(self.decoder)}
        return [variable for variable in found if id(variable) not in idle]

    def weight_terms(self) -> dict[str, tf.Tensor]:
        """Returns -log p(weights) / N, or KL(q || p) / N, of decoder's weights with a prior."""
        if self.weight_scale is None:
            return {}
        if self.mean_field is not None:
            return {WEIGHTS_KL: self.mean_field.nats(self.decoder, self.num_examples)}
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

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns q(z|x) and log p(z) + log p(x|z) of a batch."""
        return self._inference(batch, self.posterior_of(batch, training), training)

    def _inference(self, batch: Batch, posterior: tfd.Distribution, training: bool) -> Inference:
        given = self.given(batch)
        prior, drawn = self.prior_distribution(given), self._drawn_weights(training)

        def likelihood(z: tf.Tensor) -> tfd.Distribution:
            inputs = self.decoder_inputs(z, given)
            with drawn_weights(self.decoder, drawn):
                return self.decoder(inputs, training=training)

        return self.inference_of(Posterior(self.encoder.head, posterior, prior), likelihood, batch)

    def inference_of(
        self, proposal: Posterior, likelihood: Callable[[tf.Tensor], tfd.Distribution], batch: Batch
    ) -> Inference:
        """Returns the inference of a batch, whose likelihood counts what `log_prob_of` does.

        Args:
            proposal: q(z|x), which knows p(z).
            likelihood: z to p(x|z).
            batch: the examples.
        """

        def joint(z: tf.Tensor) -> Joint:
            found = likelihood(z)
            log_prior = proposal.prior.log_prob(z)
            return Joint(self.log_prob_of(found, batch), log_prior, found.mean())

        return Inference(proposal, joint)

    def _drawn_weights(self, training: bool) -> Drawn:
        """A draw of the decoder's weights for a step of training, one for all its examples."""
        if self.mean_field is None or not training:
            return ()
        return self.mean_field.draw(self.decoder, self.next_seed())

    def prior_distribution(self, conditions: Batch = NOTHING) -> tfd.Distribution:
        """Returns p(z), or p(z|c) of conditions: the prior's, given what it needs of this model."""
        return self.prior.distribution(**self._given_to_prior(conditions))

    def _given_to_prior(self, conditions: Batch) -> dict[str, Any]:
        offered: dict[str, Any] = {"encoder": self.encoder.of_pseudo_inputs()}
        if self.conditions():
            offered["condition"] = self.shown(conditions)
        for name in self.prior.needs:
            if name not in offered:
                raise UserError(
                    f"{type(self.prior).__name__}.distribution() takes a {name}, and a "
                    f"{type(self).__name__} has none to give. Use a prior that takes none, or a "
                    "conditional model."
                )
        return {name: offered[name] for name in self.prior.needs}

    def shown(self, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns what a prior p(z|c) sees of conditions: themselves, unless a subclass says so."""
        return dict(conditions)

    def rebuilt(self, batch: Batch, encoded: dict[str, tf.Tensor]) -> Inference:
        """Returns the inference of a batch, its posterior made of `encoder_outputs`."""
        return self._inference(batch, self.encoder.head.from_outputs(encoded), training=False)

    def log_likelihood_of(self, batch: Batch, decoded: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns log p(x|z) `[B]`, the likelihood made of `decoder_outputs`."""
        return self.log_prob_of(self.decoder.head.from_outputs(decoded), batch)

    def generate(self, noise: Noise, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns codes from the prior, `[*leading, D]`."""
        return self.prior.checked_codes(noise, **self._given_to_prior(conditions))

    def prior_quantiles(self, probabilities: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns the prior's quantiles, `[..., D]`; see `Prior.quantiles`."""
        return self.prior.quantiles(probabilities, **self._given_to_prior(conditions))

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
        super().adapt(mean)
        if examples is not None:
            self.prior.adapt(examples)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "weight_scale": self.weight_scale,
            "weight_posterior": self.weight_posterior,
        }
