"""What the latent code holds, epoch by epoch."""

import math
from typing import Any

import keras

from tfvae.checks import int32, positive_int
from tfvae.evaluation.latents import active_units, rate_and_distortion


class LatentDiagnostics(keras.callbacks.Callback):
    """Adds active units, rate and distortion on given examples to the logs of each epoch.

    Logged: `active_units`, the latent dimensions with Var_x E[z|x] > 0.01; `rate`, the mean KL;
    `distortion`, the mean of E_q[-log p(x|z)]; both in nats per example, without the KL's weight,
    -(rate + distortion) being the ELBO; `code_draws`, how many draws each E[z|x] is from, 0 where
    it has a closed form.

    Keras hands the same logs from callback to callback, so put this one before those that read
    them (`keras.callbacks.CSVLogger`, `TensorBoard`, `EarlyStopping`); `History` and the progress
    bar come last by themselves.

    Args:
        examples: As `fit` takes them, at least two; arrays, or a `tf.data.Dataset` of batches;
            some hundreds of held-out ones do.
        every: Measure each so many epochs, at least 1; other epochs log NaN, because a CSV file
            needs the same columns in every row.
        seed: Of the draws behind the distortion, the same in every epoch.

    Example:
        >>> import numpy as np
        >>> LatentDiagnostics(np.zeros((200, 8, 8, 1), "float32"), every=5).every
        5

    References:
        See `tfvae.evaluation.active_units` and `rate_and_distortion`.
    """

    def __init__(self, examples: Any, every: int = 1, seed: int = 0):
        super().__init__()
        self.examples, self.every = examples, positive_int("every", every)
        self.seed = int32("seed", seed)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures, and adds to the logs."""
        if logs is None:
            return
        names = ("active_units", "code_draws", "rate", "distortion")
        values = dict.fromkeys(names, math.nan)
        if (epoch + 1) % self.every == 0:
            parts = rate_and_distortion(self.model, self.examples, seed=self.seed)
            units = active_units(self.model, self.examples)
            values["active_units"], values["code_draws"] = units.count, units.draws
            values["rate"], values["distortion"] = parts.rate.mean, parts.distortion.mean
        logs.update(values)
