"""A Normal prior whose mean and scale follow the condition."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.errors import UserError
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.networks.mlp import MLP
from tfvae.networks.pairs import Activation
from tfvae.priors.base import Prior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class ConditionalNormal(Prior):
    """p(z|c) = N(z; loc(c), diag(scale(c)^2)), loc and scale of an MLP on c.

    Choose it over `StandardNormal` in a conditional model where c says much of x, as the visible
    part of an image does: q(z|x, c) then needs nats only for what c leaves open. For labels the
    standard one does as well, and z is then style, of the same law in every class.

    Args:
        latent_size: D, at least 1.
        units: Width of each hidden layer.
        activation: A Keras activation.
        **kwargs: Keras layer arguments.

    Shapes: conditions `{name: [B, ...]}`, flattened side by side -> batch `[B]`, event `[D]`.

    Raises:
        UserError: if a size is not a positive integer, or the model has no conditions.

    Example:
        >>> prior = ConditionalNormal(2, units=(16,))
        >>> prior.sample(3, seed=1, condition={"label": tf.one_hot([0, 1, 2], 10)}).shape.as_list()
        [3, 2]

    References:
        K. Sohn, H. Lee and X. Yan, 2015, "Learning Structured Output Representation using Deep
        Conditional Generative Models", NeurIPS 28, section 4.1: the conditional prior network.
    """

    def __init__(
        self,
        latent_size: int,
        units: Sequence[int] = (200, 200),
        activation: Activation = "relu",
        **kwargs: Any,
    ):
        super().__init__(latent_size, **kwargs)
        self.network = MLP(units, activation, dtype=self.dtype_policy, name="network")
        self.head = MultivariateNormalDiag(latent_size, dtype=self.dtype_policy, name="head")

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights for conditions of these shapes; None leaves it to the first use."""
        if input_shape is None:
            return
        if not isinstance(input_shape, Mapping):
            raise UserError(
                f"{type(self).__name__} takes conditions by name; received shape {input_shape}."
            )
        self.network.build(input_shape)
        self.head.build(self.network.compute_output_shape(input_shape))

    def distribution(self, condition: Mapping[str, tf.Tensor]) -> tfd.MultivariateNormalDiag:
        """Returns p(z|c) of each row."""
        return self.head.distribution(**self.head.parameters(self.network(dict(condition))))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": list(self.network.units),
            "activation": keras.activations.serialize(self.network.activation),
        }
