"""Product of likelihoods over the columns of a table."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.blocks import Blocks
from tfvae.heads.base import Head
from tfvae.heads.parts import HeadOfParts, made_parts

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Product(HeadOfParts):
    """p(x|z) = prod_b p_b(x_b|z): a table whose columns are of several kinds.

    x is one vector; the first likelihood is that of its first columns, and so on, and all read the
    same features. What each may hold (bits, counts, any number) is checked where data enter, column
    by column. In Python only: a command line has no form for parts with settings of their own.

    Args:
        likelihoods: Heads by name, in the order of the columns, over vectors; the names stand
            before those of parameters ("counts_log_rate").
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `(D,)`, D the sum of theirs.
        `log_prob` is in nats per example: the sum of theirs, a density in the columns that have
        one.

    Raises:
        UserTypeError: if `likelihoods` is no dict of heads.
        UserError: if it is empty, or a head's draws are no vectors.

    Example:
        >>> import numpy as np
        >>> from tfvae.heads import IndependentBernoulli, IndependentNormal
        >>> head = Product({"real": IndependentNormal((3,)), "bits": IndependentBernoulli((2,))})
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.0, 0.0, 0.0, 0.5, 0.5]]

    References:
        A. Nazabal et al., 2020, "Handling Incomplete Heterogeneous Data using VAEs",
        arXiv:1807.03653, section 2 (without its hierarchy, and without missing values).
    """

    def __init__(self, likelihoods: Mapping[str, Head], **kwargs: Any):
        example = '{"counts": heads.Poisson((3,)), "bits": heads.IndependentBernoulli((2,))}'
        super().__init__("likelihoods", example, likelihoods, **kwargs)

    @property
    def fits_batches(self) -> bool:
        """Whether one of the likelihoods does."""
        return any(head.fits_batches for head in self.parts)

    def in_training(self, distribution: Blocks, share: Any = 1.0) -> tfd.Distribution:
        """Returns the product of what the likelihoods are in training."""
        own = zip(self.parts, distribution.distributions, strict=True)
        return Blocks([head.in_training(block, share) for head, block in own])

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the outputs of all, and the `mean [N, D]`."""
        mean = self.distribution(**parameters).mean()
        return {**self.outputs_of_parts(parameters), "mean": mean}

    def adapt(self, mean: Any) -> None:
        """Starts each likelihood at the means of its own columns."""
        ends = np.cumsum([head.event_shape[0] for head in self.parts])[:-1]
        for head, own in zip(self.parts, np.split(np.asarray(mean), ends, axis=-1), strict=True):
            head.adapt(own)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "likelihoods": self.parts_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Product":
        """Creates one from `get_config`."""
        return cls(**{**config, "likelihoods": made_parts(config["likelihoods"])})
