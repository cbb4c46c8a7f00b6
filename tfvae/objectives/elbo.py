"""The evidence lower bound."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int, real
from tfvae.distributions import divergences
from tfvae.errors import UserError
from tfvae.inference.training_draws import draw
from tfvae.objectives.base import Nats, Objective

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class ELBO(Objective):
    """loss = E_q[-log p(x|z)] + kl_weight KL(q(z|x) || p(z)), the negative ELBO at kl_weight 1.

    Logged, always unweighted and without free bits: `nll` = E_q[-log p(x|z)], `kl`, and
    `elbo` = -nll - kl.

    Args:
        kl_weight: beta, at least 0. 1 is the ELBO; more favours disentangled, less informative
            codes (beta-VAE). A variable: `tfvae.callbacks` change it while training.
        num_samples: S, draws of z per example, at least 1. Default 1: the minibatch averages.
        analytic_kl: None (default) takes the closed form where there is one, True insists on it,
            False estimates the KL from the same draws of z, and so lets its noise cancel that of
            the likelihood as the posterior nears the true one.
        free_bits: lambda, nats per latent dimension that cost nothing, at least 0. The loss uses
            sum_i max(lambda, mean over the batch of KL_i), logged as `free_bits_kl`; it keeps
            latent dimensions from switching off early. Needs a KL that splits over dimensions.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C]` -> `[B]` nats for each name.

    Raises:
        ValueError: if an argument is out of range, `analytic_kl=True` finds no closed form, or
            `free_bits` meets a KL that does not split, or `analytic_kl=False`.

    Example:
        >>> ELBO(kl_weight=4.0).names
        ('elbo', 'nll', 'kl')

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, eq. 3 (Monte Carlo KL) and 10.
        I. Higgins et al., 2017, "beta-VAE", ICLR, eq. 4. D. P. Kingma et al., 2016, "Improved
        Variational Inference with Inverse Autoregressive Flow", arXiv:1606.04934, eq. 15: free
        bits, here with one group per latent dimension.
    """

    def __init__(
        self,
        kl_weight: float = 1.0,
        num_samples: int = 1,
        analytic_kl: bool | None = None,
        free_bits: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.initial_kl_weight = real("kl_weight", kl_weight, minimum=0.0)
        self.num_samples = positive_int("num_samples", num_samples)
        if analytic_kl is not None and not isinstance(analytic_kl, bool):
            raise UserError(f"analytic_kl must be None, True or False, received {analytic_kl!r}.")
        self.analytic_kl = analytic_kl
        self.free_bits = real("free_bits", free_bits, minimum=0.0)
        if self.free_bits and analytic_kl is False:
            raise UserError("free_bits needs the closed-form KL; received analytic_kl=False.")
        self.kl_weight = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.initial_kl_weight),
            trainable=False,
            name="kl_weight",
            dtype="float32",
        )

    @property
    def names(self) -> tuple[str, ...]:
        """`elbo`, `nll`, `kl` and, if there are free bits, `free_bits_kl`."""
        return ("elbo", "nll", "kl", "free_bits_kl")[: 4 if self.free_bits else 3]

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the KL's factor, or 1."""
        return 1.0 if name == "nll" else tf.convert_to_tensor(self.kl_weight)

    def nats(
        self,
        x: tf.Tensor,
        posterior: tfd.Distribution,
        prior: tfd.Distribution,
        decoder: Callable[..., tfd.Distribution],
        seed: tf.Tensor,
        training: bool = False,
    ) -> Nats:
        """Returns `nll` and the KL as terms, the ELBO beside them; see `Objective.nats`."""
        z = draw(posterior, self.num_samples, seed)
        likelihood = decoder(z, training=training)
        nll = -tf.reduce_mean(likelihood.log_prob(x), axis=0)
        kl = divergences.kl(posterior, prior, z, self.analytic_kl)
        terms, watched = {"nll": nll, "kl": kl}, {"elbo": -nll - kl}
        if self.free_bits:
            watched["kl"] = terms.pop("kl")
            terms["free_bits_kl"] = self._free_bits_kl(posterior, prior)
        return Nats(terms, watched, likelihood.mean()[0])

    def _free_bits_kl(self, posterior: tfd.Distribution, prior: tfd.Distribution) -> tf.Tensor:
        kl = divergences.kl_per_dimension(posterior, prior)
        charged = tf.reduce_sum(tf.maximum(self.free_bits, tf.reduce_mean(kl, axis=0)))
        return tf.fill(tf.shape(kl)[:1], charged)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the KL weight's present value is a weight."""
        return {
            **super().get_config(),
            "kl_weight": self.initial_kl_weight,
            "num_samples": self.num_samples,
            "analytic_kl": self.analytic_kl,
            "free_bits": self.free_bits,
        }
