"""Normal likelihood of real numbers."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.batch_scale import BatchScaleNormal
from tfvae.distributions.scales import MINIMUM_SCALE, positive_diagonal
from tfvae.errors import UserError
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions

LEARNED, OPTIMAL, PER_PIXEL = "learned", "optimal", "per_pixel"
# What an error that is followed forgets with each batch, once it is the mean of as many batches:
# the error falls while training, and 20 batches of images leave its mean no noise to speak of.
_FORGETTING = 0.05


@keras.saving.register_keras_serializable("tfvae")
class IndependentNormal(LikelihoodHead):
    """p(x|z) = prod_i N(x_i; loc_i, scale^2), one scale for all entries, or one each.

    For real numbers: tables, grey and colour images. With a unit scale the reconstruction term is
    half the squared error plus a constant, which for pixels in [0, 1] lets the KL dominate; a
    learned or an optimal scale balances the two (sigma-VAE), the latter from the first step on. A
    scale for each entry is for data whose noise differs between entries and examples, such as
    tables, and may grow certain where entries are constant. `IndependentBernoulli` is for bits.

    Args:
        event_shape: Shape of one x, such as `(28, 28, 1)`, or `(30,)` for a row of a table.
        scale: The standard deviation, in units of x: a number above 0 (default 1.0, the
            unit scale); "learned" for one trainable scale shared by all entries, from 1.0 on;
            "optimal" for the one under which each training batch is most likely, in closed form;
            "per_pixel" for one predicted for each entry from z, from 1.0 on.
        **kwargs: Keras layer arguments.

    With "optimal" a training step uses sigma^2 = mean of (x_i - loc_i)^2 over the entries, examples
    and draws of its batch. All else (`evaluate`, `log_likelihood`, `save`, export) uses the mean
    of that over the training batches so far, from the twentieth on a moving one that forgets 5 % a
    batch; it is saved with the weights, and 1 before any training. A head that is not `trainable`
    uses it in training too.

    Shapes: features `[N, ...]` -> `tfd.Independent(tfd.Normal)`, batch `[N]`, event
        `event_shape`; parameters `loc [N, *event_shape]`, `scale [N, 1, ...]` (one a row, so that
        it unfolds like the others), per pixel `[N, *event_shape]`. `log_prob` is in nats per
        example, a density.

    Raises:
        UserError: if `scale` is neither a number above 0 nor one of the words.

    Example:
        >>> import numpy as np
        >>> head = IndependentNormal((4, 4, 1), scale="learned")
        >>> head(np.zeros((3, 8), "float32")).mean().shape.as_list()
        [3, 4, 4, 1]

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, appendix C.2 (per pixel). O. Rybkin,
        K. Daniilidis, S. Levine, 2021, "Simple and Effective VAE Training with Calibrated
        Decoders", arXiv:2006.13202, sections 3.1 (shared, learned) and 3.2 (optimal). The paper
        leaves open what its optimal scale is without the batch that it was fitted to.
    """

    def __init__(self, event_shape: Sequence[int], scale: float | str = 1.0, **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        if isinstance(scale, str):
            if scale not in (LEARNED, OPTIMAL, PER_PIXEL):
                raise UserError(
                    'scale must be a number above 0, "learned", "optimal" or "per_pixel", '
                    f"received {scale!r}."
                )
            self.scale: float | str = scale
        else:
            self.scale = real("scale", scale, above=0.0)

    @property
    def raw_shape(self) -> tuple[int, ...]:
        """One number for each entry, or two, where each has a scale of its own."""
        return (*self.event_shape, 2) if self.scale == PER_PIXEL else self.event_shape

    @property
    def fits_batches(self) -> bool:
        """Whether the scale is optimal for each batch."""
        return self.scale == OPTIMAL

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection, the bias and the scale, if it is learned or followed."""
        super().build(features_shape)
        if self.scale == LEARNED:
            self.log_scale = self.add_weight(
                shape=(), initializer="zeros", name="log_scale", dtype="float32"
            )
        if self.scale == OPTIMAL:
            state = {"shape": (), "trainable": False, "dtype": "float32"}
            self.variance = self.add_weight(initializer="ones", name="variance", **state)
            self.num_batches = self.add_weight(initializer="zeros", name="num_batches", **state)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc [N, *event_shape]` and `scale [N, 1, ...]`, or per pixel as `loc`."""
        raw = self.entries(features)
        if self.scale == PER_PIXEL:
            return {"loc": raw[..., 0], "scale": positive_diagonal(raw[..., 1])}
        scale = self.scale
        if scale == LEARNED:
            scale = tf.exp(self.log_scale) + MINIMUM_SCALE
        elif scale == OPTIMAL:
            scale = tf.sqrt(self.variance)
        ones = tf.ones_like(tf.reshape(raw, [-1, int(np.prod(self.event_shape))])[:, :1])
        return {"loc": raw, "scale": tf.reshape(scale * ones, [-1, *[1] * len(self.event_shape)])}

    def distribution(self, loc: tf.Tensor, scale: tf.Tensor) -> tfd.Independent:
        """Returns independent Normal entries."""
        return tfd.Independent(
            tfd.Normal(loc=loc, scale=scale), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def in_training(self, distribution: tfd.Distribution, share: Any = 1.0) -> tfd.Distribution:
        """Returns the distribution with the scale that is optimal for the batch, if it is that."""
        if self.scale != OPTIMAL or not self.trainable:
            return distribution
        return BatchScaleNormal(distribution, self._follow, share)

    def _follow(self, variance: tf.Tensor) -> None:
        """Takes a batch's squared error into the mean that all but training uses."""
        self.num_batches.assign_add(1.0)
        rate = tf.maximum(1.0 / self.num_batches, _FORGETTING)
        self.variance.assign_add(rate * (variance - self.variance))

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the mean itself, and the raw numbers of unit scales beside it."""
        return np.stack([mean, np.zeros_like(mean)], -1) if self.scale == PER_PIXEL else mean

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "scale": self.scale}
