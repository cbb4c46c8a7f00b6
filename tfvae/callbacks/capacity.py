"""The capacity of the code, rising."""

import keras

from tfvae.callbacks.schedule import VariableSchedule
from tfvae.checks import positive_int, real


class LinearCapacity(VariableSchedule):
    """C of a `ControlledCapacity` rises linearly from `start` to `capacity`, and stays there.

        C(t) = start + (capacity - start) min(1, t / epochs)

    The code first pays for nothing but what helps the likelihood most, and takes up one factor of
    the data after the other.

    Args:
        epochs: Length of the rise, at least 1.
        capacity: C at its end, nats, at least 0; a run gives that of its objective.
        start: At least 0. Default 0, the paper's.

    Raises:
        UserError: for an argument out of range; when training begins, for an objective without a
            capacity.

    Example:
        >>> LinearCapacity(epochs=10, capacity=25.0).value(4.0)
        10.0

    References:
        C. P. Burgess et al., 2018, "Understanding disentangling in beta-VAE", arXiv:1804.03599,
        section 5. Departure: constant within an epoch.
    """

    def __init__(self, epochs: int, capacity: float, start: float = 0.0):
        super().__init__()
        self.epochs = positive_int("epochs", epochs)
        self.capacity = real("capacity", capacity, minimum=0.0)
        self.start = real("start", start, minimum=0.0)

    @property
    def variable(self) -> keras.Variable:
        """The objective's C."""
        return self.model.adjustable_variable("capacity")

    def value(self, t: float) -> float:
        """Returns C at time t, in epochs since training began."""
        return self.start + (self.capacity - self.start) * min(1.0, t / self.epochs)
