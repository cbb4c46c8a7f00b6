"""Student's t likelihood of real numbers with outliers."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.scales import MINIMUM_SCALE
from tfvae.errors import UserError
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions

_LEARNED = "learned"


@keras.saving.register_keras_serializable("tfvae")
class StudentT(LikelihoodHead):
    """p(x|z) = prod_i t_df(x_i; loc_i, scale_i): a Normal with heavy tails.

        t_df(x; m, s) = Gamma((df + 1) / 2) / (Gamma(df / 2) sqrt(df pi) s)
                        (1 + ((x - m) / s)^2 / df)^(-(df + 1) / 2)

    For real numbers with outliers, such as measurements in a table: an entry far from its location
    costs the logarithm of its distance, where `IndependentNormal` charges the square, and so pulls
    less. The scales, one for each entry and shared by all examples, are learned.

    Args:
        event_shape: Shape of one x, such as `(30,)` for a row of a table.
        df: Degrees of freedom, a number above 1, where the mean begins to exist; or "learned"
            (default) for one trainable number above 1, shared by all entries, from 5 on. Towards
            infinity this is the Normal.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> `tfd.Independent(tfd.StudentT)`, batch `[N]`, event
        `event_shape`; parameters `loc`, `scale`, `df [N, *event_shape]`. `log_prob` is in nats per
        example, a density in the units of x.

    Raises:
        UserError: if `df` is neither a number above 1 nor "learned".

    Example:
        >>> import numpy as np
        >>> head = StudentT((3,), df=4.0)
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.0, 0.0, 0.0]]

    References:
        K. L. Lange, R. J. A. Little, J. M. G. Taylor, 1989, "Robust Statistical Modeling Using the
        t Distribution", Journal of the American Statistical Association 84.
    """

    def __init__(self, event_shape: Sequence[int], df: float | str = "learned", **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        if isinstance(df, str):
            if df != _LEARNED:
                raise UserError(f'df must be a number above 1 or "learned", received {df!r}.')
            self.df: float | str = df
        else:
            self.df = real("df", df, above=1.0)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection, the bias, the scales and, if they are learned, log(df - 1)."""
        super().build(features_shape)
        self.log_scale = self.add_weight(
            shape=self.event_shape, initializer="zeros", name="log_scale", dtype="float32"
        )
        if self.df == _LEARNED:
            start = keras.initializers.Constant(np.log(4.0))
            self.log_excess = self.add_weight(
                shape=(), initializer=start, name="log_excess", dtype="float32"
            )

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc`, `scale` and `df`, `[N, *event_shape]` each."""
        loc = self.entries(features)
        df = 1.0 + tf.exp(self.log_excess) if self.df == _LEARNED else self.df
        ones = tf.ones_like(loc)
        scale = tf.exp(self.log_scale) + MINIMUM_SCALE
        return {"loc": loc, "scale": scale * ones, "df": df * ones}

    def distribution(self, loc: tf.Tensor, scale: tf.Tensor, df: tf.Tensor) -> tfd.Independent:
        """Returns independent entries."""
        return tfd.Independent(
            tfd.StudentT(df, loc, scale), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the mean itself."""
        return mean

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "df": self.df}
