"""Averaged weights in the place of those that train."""

from typing import Any

import keras

from tfvae.training.averages import check_averages, swap_averages


class AveragedWeights(keras.callbacks.Callback):
    """Evaluates the validation data of `fit` with the moving averages of the weights.

        a <- d a + (1 - d) w                           after each step; d its ema_momentum

    For an optimizer with `use_ema=True`. Training goes on with the weights w, and ends with a in
    their place, which Keras does by itself. What batch normalisation keeps is of w;
    `uses.reread_statistics` reads it of a.

    Raises:
        UserError: when training begins, if the optimizer keeps no averages; and where the model is
            evaluated before the first step, when there are none yet.

    Example:
        >>> import keras
        >>> optimizer = keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.999)
        >>> callbacks = [AveragedWeights()]  # for model.compile(optimizer) and model.fit

    References:
        R. Child, 2021, "Very Deep VAEs", arXiv:2011.10650, and its code. B. T. Polyak and A. B.
        Juditsky, 1992, "Acceleration of Stochastic Approximation by Averaging".
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuses an optimizer without averages."""
        check_averages(self.model)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in the weights' place."""
        swap_averages(self.model)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the weights back."""
        swap_averages(self.model)
