"""Categories as latents, relaxed to the simplex."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.relaxed_blocks import log_concrete, parts_of, relaxed_space
from tfvae.distributions.straight_through import rounded
from tfvae.heads.posteriors.latent_categorical import LatentCategorical

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class RelaxedCategorical(LatentCategorical):
    """q(z|x) = prod_m ExpConcrete(z_m; logits_m, t), of which the decoder sees exp(z): Gumbel-softmax.

        z_m = log softmax((logits_m + g_m) / t),    g Gumbel

    exp(z_m) is a one-hot vector with the probabilities softmax(logits_m) that went soft, and
    hardens as t nears 0. Draws have a gradient, biased for the categories that they stand for. Both
    densities are the relaxation's own, so the ELBO is a bound of the relaxed model; take a
    `RelaxedCategoricalPrior`. z is the logarithm, whose density stays finite at the corners.

    Args:
        latent_size: D = M C, numbers in z; a multiple of `num_categories`.
        num_categories: C, at least 2. Default 10.
        temperature: t, above 0. Default 1.
        straight_through: Whether the decoder sees one-hot vectors, and the gradient goes as if they
            were exp(z). Default False.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> batch `[N]`, event `[D]`; parameters
        `logits [N, M, C]`. The code is log softmax(logits / t).

    Raises:
        UserError: if a size is no positive integer, the categories do not divide D, or t is not
            above 0.

    Example:
        >>> import numpy as np
        >>> head = RelaxedCategorical(4, num_categories=2)
        >>> head.embedded(head.code(head(np.zeros((1, 8), "float32")))).numpy().round(3).tolist()
        [[0.5, 0.5, 0.5, 0.5]]

    References:
        E. Jang, S. Gu, B. Poole, 2017, "Categorical Reparameterization with Gumbel-Softmax",
        arXiv:1611.01144, eq. 2 and section 2.2. C. J. Maddison, A. Mnih, Y. W. Teh, 2017, "The
        Concrete Distribution", arXiv:1611.00712, eq. 26 (ExpConcrete). Departure from the former:
        the density is the relaxation's, not that of the categories.
    """  # noqa: E501

    reparameterised = True
    discrete = False
    interval = None

    def __init__(
        self,
        latent_size: int,
        num_categories: int = 10,
        temperature: float = 1.0,
        straight_through: bool = False,
        **kwargs: Any,
    ):
        super().__init__(latent_size, num_categories, **kwargs)
        self.space = relaxed_space(num_categories)
        self.temperature = real("temperature", temperature, above=0.0)
        self.straight_through = bool(straight_through)

    def distribution(self, logits: tf.Tensor) -> tfd.Distribution:
        """Returns the logarithms of independent relaxed one-hot vectors."""
        return log_concrete(logits, self.temperature)

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns log softmax(logits / t)."""
        logits = parts_of(distribution).logits_parameter()
        z = tf.nn.log_softmax(logits / self.temperature)
        return tf.reshape(z, [-1, self.latent_size])

    def frozen(self, distribution: tfd.Distribution) -> tfd.Distribution:
        """Returns the same q, its parameters held constant in gradients."""
        logits = tf.stop_gradient(parts_of(distribution).logits_parameter())
        return self.distribution(logits)

    def embedded(self, z: tf.Tensor) -> tf.Tensor:
        """Returns exp(z), or the one-hot vectors that it rounds to."""
        soft = tf.exp(z)
        if not self.straight_through:
            return soft
        leading = tf.shape(z)[:-1]
        blocks = tf.reshape(z, tf.concat([leading, [self.num_blocks, self.num_categories]], axis=0))
        hard = tf.one_hot(tf.argmax(blocks, axis=-1), self.num_categories)
        return rounded(tf.reshape(hard, tf.shape(z)), soft)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"temperature": self.temperature, "straight_through": self.straight_through}
        return {**super().get_config(), **own}
