"""Schedules of a term's weight in the loss."""

import keras

from tfvae.callbacks.schedule import VariableSchedule
from tfvae.checks import positive_int, real
from tfvae.errors import UserError


class WeightSchedule(VariableSchedule):
    """Sets the weight of a term of the loss; see `VariableSchedule`.

    Logged terms are unweighted, but `loss` changes its scale while the weight rises: watch
    `val_elbo` for early stopping.

    Args:
        term: The term whose weight changes, one of `model.objective.term_weights`; "kl" for the
            KL of an `ELBO`.
    """

    def __init__(self, term: str = "kl"):
        super().__init__()
        self.term = term

    @property
    def variable(self) -> keras.Variable:
        """The factor of the term."""
        return self.model.term_weight(self.term)


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
        >>> LinearWeight(epochs=10).value(5.0)
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

    def value(self, t: float) -> float:
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
        >>> [CyclicalWeight(epochs=8, num_cycles=2).value(t) for t in (1.0, 3.0, 5.0)]
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

    def value(self, t: float) -> float:
        """Returns the weight at time t, in epochs since training began."""
        if t >= self.epochs:
            return self.end
        cycle = self.epochs / self.num_cycles
        return self.end * min(1.0, t % cycle / cycle / self.rise)
