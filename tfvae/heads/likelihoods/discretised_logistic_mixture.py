"""Discretised logistic mixture likelihood of 8-bit images."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int
from tfvae.distributions.logistic_mixture import LogisticMixtureLevels
from tfvae.errors import UserError
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions

# Of a raw number of 0, in the units of x: several bumps of a mixture fit into [0, 1].
_LOG_SCALE = -2.0
# Of a level: with a smaller scale all mass is in one level, and more certainty is not rewarded.
_LEAST = 0.1


@keras.saving.register_keras_serializable("tfvae")
class DiscretisedLogisticMixture(LikelihoodHead):
    """P(x|z) = prod_pixels sum_k pi_k prod_c P_kc(x_c | x_<c): mixtures of logistics, in levels.

    For grey and colour images of bytes. P_kc(v) is the mass that a logistic has within half a level
    of v; the first and the last level take its tails, so that black and white cost no more than
    others. Channels depend on those before them, red on nothing, green on red, blue on both, by a
    mean that moves with their values. Neighbouring levels have similar probabilities, which
    `Categorical` has to learn. Probabilities, and no densities: bits per dimension have a meaning.

    Args:
        event_shape: `(H, W, C)`.
        num_components: K, logistics of a pixel's mixture, at least 1. Default 5; the paper has 10.
        num_levels: L, at least 2. Default 256, bytes; scikit-learn's digits have 17.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `(H, W, C)`; parameters
        `logits [N, H, W, K]`, `loc`, `scale [N, H, W, C, K]` in the units of x, and of several
        channels `coefficients [N, H, W, C (C - 1) / 2, K]`. x holds levels, multiples of
        1 / (L - 1) from 0 to 1. `log_prob` is in nats per example. The mean is that before
        rounding to levels; see `tfvae.distributions.logistic_mixture`.

    Raises:
        UserError: if `event_shape` is not that of an image, or a number is too small; by the model,
            for x between the levels.

    Example:
        >>> import numpy as np
        >>> head = DiscretisedLogisticMixture((4, 4, 3), num_components=2)
        >>> head(np.zeros((3, 8), "float32")).event_shape.as_list()
        [4, 4, 3]

    References:
        T. Salimans, A. Karpathy, X. Chen, D. P. Kingma, 2017, "PixelCNN++", arXiv:1701.05517,
        sections 2.1 and 2.2. Departures: pixels are independent given z; x is in [0, 1] where the
        paper's is in [-1, 1]; the mass of a level is computed without its difference of sigmoids,
        so that its special case for tiny masses is not needed.
    """

    interval = (0.0, 1.0)
    discrete = True

    def __init__(
        self,
        event_shape: Sequence[int],
        num_components: int = 5,
        num_levels: int = 256,
        **kwargs: Any,
    ):
        super().__init__(event_shape, **kwargs)
        if len(self.event_shape) != 3:
            raise UserError(
                f"event_shape is {self.event_shape}; expected (H, W, C) of an image. For levels in "
                "other shapes use Categorical."
            )
        self.num_components = positive_int("num_components", num_components)
        self.num_levels = positive_int("num_levels", num_levels, minimum=2)
        self.spacing = 1.0 / (self.num_levels - 1)

    @property
    def _sizes(self) -> dict[str, int]:
        """How many numbers of each kind a component of a pixel has."""
        channels = self.event_shape[-1]
        pairs = channels * (channels - 1) // 2
        sizes = {"logits": 1, "loc": channels, "scale": channels, "coefficients": pairs}
        return {name: size for name, size in sizes.items() if size}

    @property
    def raw_shape(self) -> tuple[int, ...]:
        """K numbers of each kind for each pixel."""
        return (*self.event_shape[:-1], sum(self._sizes.values()) * self.num_components)

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """One for each pixel: its channels depend on each other, and count together."""
        return (*self.event_shape[:-1], 1)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits`, `loc`, `scale` and, of several channels, `coefficients`."""
        shape = (-1, *self.event_shape[:-1], sum(self._sizes.values()), self.num_components)
        raw = tf.reshape(self.entries(features), shape)
        found = dict(zip(self._sizes, tf.split(raw, list(self._sizes.values()), -2), strict=True))
        found["logits"] = found["logits"][..., 0, :]
        found["scale"] = tf.exp(found["scale"] + _LOG_SCALE) + _LEAST * self.spacing
        if "coefficients" in found:
            found["coefficients"] = tf.tanh(found["coefficients"])
        return found

    def distribution(
        self,
        logits: tf.Tensor,
        loc: tf.Tensor,
        scale: tf.Tensor,
        coefficients: tf.Tensor | None = None,
    ) -> tfd.Distribution:
        """Returns images whose pixels have these mixtures."""
        return LogisticMixtureLevels(logits, loc, scale, coefficients, self.spacing)

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the parameters and `mean [N, H, W, C]`."""
        return {**parameters, "mean": self.distribution(**parameters).mean()}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the bias with all locations at the mean; cut-off tails move the mean from it."""
        raw = np.zeros((*self.event_shape[:-1], sum(self._sizes.values()), self.num_components))
        raw[..., 1 : 1 + self.event_shape[-1], :] = mean[..., np.newaxis]
        return raw.reshape(self.raw_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"num_components": self.num_components, "num_levels": self.num_levels}
        return {**super().get_config(), **own}
