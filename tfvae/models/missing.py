"""The variational autoencoder of rows that are partly seen."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.data.fields import Field
from tfvae.data.missing import SEEN
from tfvae.errors import UserError, UserTypeError
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.missingness import MissingProcess
from tfvae.models.capabilities import Batch
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.vae import VAE
from tfvae.noise import Noise
from tfvae.objectives import Objective
from tfvae.priors import Prior

tfd = tfp.distributions

_MISSING = 0x08000000  # the part of the noise that draws what is missing; heads count from 0


@keras.saving.register_keras_serializable("tfvae")
class MissingDataVAE(VAE):
    """p(x, z) = p(z) prod_i p(x_i|z), trained on a bound of log p(x_seen): rows with holes.

    Of each row some entries are missing. The likelihood of what is seen is exact, since entries are
    independent given z; what is missing is integrated out, and so needs no values:

        log p(x_seen) >= log 1/K sum_k p(z_k) prod_{i seen} p(x_i|z_k) / q(z_k|x_seen)

    with K of `ImportanceWeighted(K)` (MIWAE), or 1 of `ELBO`. This is right where an entry is
    missing for reasons that have nothing to do with its own value, given what is seen (at random).
    Where its own value is the reason, give a `missing_process` p(s|x) of what is seen (not-MIWAE):

        log p(x_seen, s) >= log 1/K sum_k p(s|x_seen, x_k) p(z_k) prod_{i seen} p(x_i|z_k)
                                          / q(z_k|x_seen),      x_k ~ p(x_missing|z_k)

    `tfvae.uses.impute` fills the holes. Choose it over filling them before training, whose guesses
    a model would then learn as data.

    Args:
        encoder: q(z|x_seen), `Encoder(network, head)`. It sees x with 0 in the holes: the mean, of
            columns that are standardised.
        decoder: p(x|z), `Decoder(network, head)`, its entries independent.
        prior: p(z), default `StandardNormal`.
        objective: Default `ELBO()`. `ImportanceWeighted(20)` or more imputes better. With a missing
            process its gradient has to be "pathwise".
        missing_process: p(s|x), one of `tfvae.missingness`, for a likelihood of differentiable
            draws, such as `heads.IndependentNormal`. None (default): at random.
        show_seen: Whether the encoder sees the mask beside x: its network then takes a dict of `x`
            and `seen`, as `networks.MLP` does. Default False, as in the paper.
        nan_is_missing: Whether NaN in x stands for a hole. `seen` is then optional, and says what
            else is one. Default False: NaN is refused.
        seed: See `VAE`.
        **kwargs: Keras model arguments.

    Shapes: `{"x": [B, *event], "seen": [B, *event]}`, seen 1 for what is seen and 0 for holes, at
        least a 1 in each row -> reconstruction `[B, *event]`. What x has in the holes is not read.
        Logged values are in nats per example, of what is seen, and with a missing process of which
        entries are: `nll` is -log p(x_seen, s|z). For colours that depend on each
        other (`DiscretisedLogisticMixture`) seen is `[B, H, W, 1]`.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: as of `VAE`; for a likelihood whose entries depend on each other; and, with a
            missing process, for one whose draws have no gradient.

    Example:
        >>> import numpy as np, tfvae
        >>> from tfvae import heads, networks, objectives
        >>> model = MissingDataVAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.StudentT((5,))),
        ...     objective=objectives.ImportanceWeighted(5),
        ...     nan_is_missing=True,
        ... )
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
        >>> x[::2, 1] = np.nan
        >>> history = model.fit(x, verbose=0)
        >>> tfvae.uses.impute(model, x, num_samples=10).shape
        (32, 5)

    References:
        P.-A. Mattei and J. Frellsen, 2019, "MIWAE: Deep Generative Modelling and Imputation of
        Incomplete Data Sets", ICML, arXiv:1812.02633, eq. 4. A. Nazabal et al., 2020, "Handling
        Incomplete Heterogeneous Data using VAEs", arXiv:1807.03653, section 3 (K = 1). N. B. Ipsen,
        P.-A. Mattei, J. Frellsen, 2021, "not-MIWAE: Deep Generative Modelling with Missing not at
        Random Data", ICLR, arXiv:2006.12871, eq. 6 (the bound), 8 and 9 (imputation).
    """

    parts = (*VAE.parts, "missing_process")

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        prior: Prior | None = None,
        objective: Objective | None = None,
        missing_process: MissingProcess | None = None,
        show_seen: bool = False,
        nan_is_missing: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        self._nan_is_missing = bool(nan_is_missing)
        super().__init__(encoder, decoder, prior=prior, objective=objective, seed=seed, **kwargs)
        self.show_seen = bool(show_seen)
        if not isinstance(missing_process, MissingProcess | None):
            raise UserTypeError(
                "missing_process must be one of tfvae.missingness, or None, received "
                f"{missing_process!r}."
            )
        self.missing_process = missing_process

    @property
    def nan_is_missing(self) -> bool:
        """Whether NaN in x stands for a hole."""
        return self._nan_is_missing

    def fields(self) -> dict[str, Field]:
        """Returns x and what is seen of it."""
        head = self.decoder.head
        x = dataclasses.replace(head.field, missing=self.nan_is_missing)
        return {"x": x, SEEN: Field.mask(head.mask_shape, optional=self.nan_is_missing)}

    def counted(self, batch: Batch) -> tf.Tensor:
        """Returns 1 for what is seen and 0 for the holes."""
        if not self.nan_is_missing:
            return batch[SEEN]
        present = tf.cast(tf.equal(batch["x"], batch["x"]), tf.float32)
        if self.decoder.head.mask_shape[-1:] != present.shape[-1:]:  # of a pixel, all its colours
            present = tf.reduce_min(present, axis=-1, keepdims=True)
        return present * batch[SEEN] if SEEN in batch else present

    def encoder_inputs(self, batch: Batch) -> Any:
        """Returns x with 0 in the holes, and the mask, if it is shown."""
        seen = self.counted(batch)
        x = tf.where(seen > 0, batch["x"], 0.0)
        return {"x": x, SEEN: seen} if self.show_seen else x

    def posterior_of(self, batch: Batch, training: bool = False) -> tfd.Distribution:
        """Returns what the encoder makes of what is seen: in training, of x as it is corrupted."""
        seen = self.counted(batch)
        x = tf.where(seen > 0, batch["x"], 0.0)  # a corruption may put numbers in NaN's place
        return super().posterior_of({"x": x, SEEN: seen}, training)

    def build_others(self, shape: tuple[int | None, ...]) -> None:
        """Builds what a `VAE` has, and the missing process for examples of this shape."""
        super().build_others(shape)
        process = self.missing_process
        if process is None:
            return
        head, likelihood = self.decoder.head, self.decoder(tf.zeros([1, self.latent_size]))
        drawn = likelihood.reparameterization_type == tfd.FULLY_REPARAMETERIZED
        whole = head.mask_shape == head.event_shape
        if not (drawn and whole) or head.fits_batches or self.encoder.head.strata > 1:
            raise UserError(
                f"A missing process needs draws of what is missing that have a gradient; those of "
                f"{type(self.encoder.head).__name__} and {type(head).__name__} as they are set "
                "here have none. Use heads.MultivariateNormalDiag and heads.IndependentNormal("
                '..., scale="learned"), or no missing_process.'
            )
        if not process.built:
            process.build(shape)

    def inference_of(
        self, proposal: Posterior, likelihood: Callable[[tf.Tensor], tfd.Distribution], batch: Batch
    ) -> Inference:
        """Returns the inference of a batch: what is missing is drawn, where p(s|x) asks for it."""
        process = self.missing_process
        if process is None:
            return super().inference_of(proposal, likelihood, batch)
        seen = self.counted(batch)

        def joint(z: tf.Tensor) -> Joint:
            raise UserError(
                "log p(x_seen, s|z) is an integral over what is missing, which is estimated from "
                "draws along with z: with a missing_process use log_likelihood(), elbo() and "
                'objectives whose gradient is "pathwise".'
            )

        def joint_drawn(z: tf.Tensor, noise: Noise) -> Joint:
            found = likelihood(z)
            drawn = self.decoder.head.draw(found, noise.part(_MISSING)).z
            x = tf.where(seen > 0, batch["x"], drawn)
            log_likelihood = self.log_prob_of(found, batch) + process.log_prob(x, seen)
            return Joint(log_likelihood, proposal.prior.log_prob(z), found.mean(), x)

        return Inference(proposal, joint, joint_drawn=joint_drawn)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"show_seen": self.show_seen, "nan_is_missing": self.nan_is_missing}
        return {**super().get_config(), **own}
