"""Neural spline coupling."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.flows.coupling import Coupling
from tfvae.flows.splines import MOST_BINS, along, back, spline


@keras.saving.register_keras_serializable("tfvae")
class SplineCoupling(Coupling):
    """(a, b) -> (a, g(b)), g a monotone rational-quadratic spline in each entry, knots of (a, c).

    g has K bins on [-bound, bound] and is the identity outside. Choose it over `AffineCoupling`
    for densities with several modes: one step can part a Normal in two.

    Args:
        units: Widths of the hidden layers of the network.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 (default) for none.
        flipped: Whether the first half moves, as in every second step.
        num_bins: K, from 2 to 256. Default 8.
        bound: Half the width of the interval, above 0. Default 5: codes lie within.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a size is not a positive integer, or the bound not positive.

    Example:
        >>> SplineCoupling(units=[16], num_bins=4).numbers_per_entry
        11

    References:
        C. Durkan et al., 2019, "Neural Spline Flows", arXiv:1906.04032, eq. 4 to 8 and section 3.1.
    """

    def __init__(
        self,
        units: Sequence[int] = (64,),
        activation: Any = "relu",
        context_size: int = 0,
        flipped: bool = False,
        num_bins: int = 8,
        bound: float = 5.0,
        **kwargs: Any,
    ):
        super().__init__(units, activation, context_size, flipped, **kwargs)
        self.num_bins = positive_int("num_bins", num_bins, minimum=2, maximum=MOST_BINS)
        self.bound = real("bound", bound, above=0.0)

    @property
    def numbers_per_entry(self) -> int:
        """3 K - 1: widths, heights and the slopes between bins."""
        return 3 * self.num_bins - 1

    def move(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns g(b) and log dg/db."""
        return along(spline(numbers, self.num_bins, self.bound), b, self.bound)

    def undo(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns g^-1(b) and log dg^-1/db."""
        return back(spline(numbers, self.num_bins, self.bound), b, self.bound)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_bins": self.num_bins, "bound": self.bound}
