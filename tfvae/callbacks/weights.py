"""Schedules of a term's weight in the loss."""

from typing import Any

import keras

from tfvae.checks import positive_int, real
from tfvae.errors import UserError


class WeightSchedule(keras.callbacks.Callback):
    """Sets the weight of a term of the loss at the beginning of each epoch.

    Subclasses say what the weight is as a function of time in epochs, t. Epoch e trains with the
    schedule's value in its middle, t = e + 1/2: the staircase has the ramp's mean. One value an
    epoch, because a callback that acts on batches would keep `fit` from running many of them at
    once; and a function of the epoch alone, so that a run that was interrupted goes on with the
    weight that it would have had (`fit(..., initial_epoch=e)`).

    The weight is logged under the name of its variable, such as `kl_weight`; put this callback
    before those that read the logs, such as `keras.callbacks.CSVLogger`. Logged terms are
    unweighted, but `loss` changes its scale while the weight rises: watch `val_elbo` for early
    stopping.

    Args:
        term: The term whose weight changes, one of `model.objective.term_weights`; "kl" for the
            KL of an `ELBO`.
    """

    def __init__(self, term: str = "kl"):
        super().__init__()
        self.term = term

    def weight(self, t: float) -> float:
        """Returns the weight at time t, in epochs since training began."""
        raise NotImplementedError

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuses a model whose loss has no such weight."""
        self.model.term_weight(self.term)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the weight: an assignment to a variable, which compiles nothing anew."""
        self.model.term_weight(self.term).assign(self.weight(epoch + 0.5))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the weight that the epoch was trained with."""
        if logs is not None:
            weight = self.model.term_weight(self.term)
            logs[weight.name] = float(weight)


class LinearWeight(WeightSchedule):
    """Warm-up: the weight of a term rises linearly from `start` to `end`, and stays there.

        weight(t) = start + (end - start) min(1, t / epochs)

    The usual cure where latent dimensions switch off early in training: the decoder first learns
    to use the code, and pays for it later. `CyclicalWeight` warms up several times.

    Args:
        epochs: Length of the rise, at least 1.
        start: Default 0, no KL at all.
        end: Default 1, for the KL the ELBO.
        term: Default "kl"; see `WeightSchedule`.

    Raises:
        UserError: for an argument out of range; when training begins, for a model without this
            weight.

    Example:
        >>> LinearWeight(epochs=10).weight(5.0)
        0.5

    References:
        S. R. Bowman et al., 2016, "Generating Sentences from a Continuous Space",
        arXiv:1511.06349, section 3.1. C. K. Sonderby et al., 2016, "Ladder Variational
        Autoencoders", arXiv:1602.02282, section 2.3 ("warm-up").
    """

    def __init__(self, epochs: int, start: float = 0.0, end: float = 1.0, term: str = "kl"):
        super().__init__(term)
        self.epochs = positive_int("epochs", epochs)
        self.start = real("start", start, minimum=0.0)
        self.end = real("end", end, minimum=0.0)

    def weight(self, t: float) -> float:
        """Returns the weight at time t, in epochs since training began."""
        return self.start + (self.end - self.start) * min(1.0, t / self.epochs)


class CyclicalWeight(WeightSchedule):
    """The weight rises from 0 to `end`, stays there, and begins again, several times.

        tau       = (t mod (T / M)) / (T / M)                T epochs, M cycles
        weight(t) = end min(1, tau / R)                      R, the share of a cycle that rises

    After T epochs the weight stays at `end`.

    Args:
        epochs: T, the epochs of all cycles, at least 1; usually those of `fit`.
        num_cycles: M, at least 1, at most T. Default 4, the paper's.
        rise: R, above 0, at most 1. Default 0.5, the paper's.
        end: Default 1, for the KL the ELBO.
        term: Default "kl"; see `WeightSchedule`.

    Raises:
        UserError: for an argument out of range; when training begins, for a model without this
            weight.

    Example:
        >>> [CyclicalWeight(epochs=8, num_cycles=2).weight(t) for t in (1.0, 3.0, 5.0)]
        [0.5, 1.0, 0.5]

    References:
        H. Fu et al., 2019, "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL
        Vanishing", arXiv:1903.10145, eq. 6 and 7. Departure: constant within an epoch.
    """

    def __init__(
        self,
        epochs: int,
        num_cycles: int = 4,
        rise: float = 0.5,
        end: float = 1.0,
        term: str = "kl",
    ):
        super().__init__(term)
        self.epochs = positive_int("epochs", epochs)
        self.num_cycles = positive_int("num_cycles", num_cycles)
        if self.num_cycles > self.epochs:
            raise UserError(
                f"num_cycles must be at most epochs, received {num_cycles} cycles in {epochs} "
                "epochs: the weight changes once an epoch."
            )
        self.rise = real("rise", rise, above=0.0)
        if self.rise > 1.0:
            raise UserError(f"rise must be in (0, 1], received {rise}.")
        self.end = real("end", end, minimum=0.0)

    def weight(self, t: float) -> float:
        """Returns the weight at time t, in epochs since training began."""
        if t >= self.epochs:
            return self.end
        cycle = self.epochs / self.num_cycles
        return self.end * min(1.0, t % cycle / cycle / self.rise)
