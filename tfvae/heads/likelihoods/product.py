"""Product of likelihoods over the columns of a table."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.data.fields import Field
from tfvae.distributions.blocks import Blocks
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import Head

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Product(Head):
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
        if not isinstance(likelihoods, Mapping) or not likelihoods:
            raise UserTypeError(
                f"likelihoods is {likelihoods!r}; expected a dict of heads by name, such as "
                '{"counts": heads.Poisson((3,)), "bits": heads.IndependentBernoulli((2,))}.'
            )
        for name, head in likelihoods.items():
            instance_of(f"likelihoods[{name!r}]", head, Head, "such as tfvae.heads.Poisson((3,))")
            if len(head.event_shape) != 1:
                raise UserError(
                    f"likelihoods[{name!r}] has draws of shape {head.event_shape}; expected "
                    "vectors, (number of columns,)."
                )
            if longer := [other for other in likelihoods if other.startswith(f"{name}_")]:
                raise UserError(
                    f"The names {name!r} and {longer[0]!r} would stand before the same names of "
                    "parameters. Give the likelihoods names of which none begins another."
                )
        super().__init__((sum(h.event_shape[0] for h in likelihoods.values()),), **kwargs)
        self.names, self.parts = tuple(likelihoods), list(likelihoods.values())
        self.discrete = all(head.discrete for head in self.parts)

    @property
    def field(self) -> Field:
        """What the columns hold."""
        parts = tuple(head.field for head in self.parts)
        return Field(self.event_shape, interval=None, parts=parts)

    def build(self, features_shape: Any) -> None:
        """Builds the likelihoods for features of this shape."""
        for head in self.parts:
            head.build(features_shape)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the parameters of all, their names behind those of the likelihoods."""
        return self._joined([head.parameters(features) for head in self.parts])

    def distribution(self, **parameters: tf.Tensor) -> tfd.Distribution:
        """Returns the product."""
        own = zip(self.parts, self._divided(parameters), strict=True)
        return Blocks([head.distribution(**found) for head, found in own])

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
        own = zip(self.parts, self._divided(parameters), strict=True)
        found = self._joined([head.outputs(its) for head, its in own])
        return {**found, "mean": self.distribution(**parameters).mean()}

    def from_outputs(self, outputs: Mapping[str, tf.Tensor]) -> tfd.Distribution:
        """Returns the product that a served file's `outputs` describe."""
        own = zip(self.parts, self._divided(outputs), strict=True)
        return Blocks([head.from_outputs(found) for head, found in own])

    def adapt(self, mean: Any) -> None:
        """Starts each likelihood at the means of its own columns."""
        ends = np.cumsum([head.event_shape[0] for head in self.parts])[:-1]
        for head, own in zip(self.parts, np.split(np.asarray(mean), ends, axis=-1), strict=True):
            head.adapt(own)

    def _joined(self, found: list[dict[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
        own = zip(self.names, found, strict=True)
        return {f"{name}_{key}": value for name, its in own for key, value in its.items()}

    def _divided(self, named: Mapping[str, tf.Tensor]) -> list[dict[str, tf.Tensor]]:
        starts = [f"{name}_" for name in self.names]
        return [
            {key.removeprefix(s): value for key, value in named.items() if key.startswith(s)}
            for s in starts
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["event_shape"]
        parts = {}
        for name, head in zip(self.names, self.parts, strict=True):
            parts[name] = keras.saving.serialize_keras_object(head)
            parts[name].pop("build_config", None)  # the product builds them
        return {**config, "likelihoods": parts}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Product":
        """Creates one from `get_config`."""
        parts = {
            name: keras.saving.deserialize_keras_object(head)
            for name, head in config["likelihoods"].items()
        }
        return cls(**{**config, "likelihoods": parts})
