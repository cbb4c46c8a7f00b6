"""Which epoch a training set shows next."""

from dataclasses import dataclass

import numpy as np


@dataclass
class EpochCounter:
    """Which epoch the next iteration of a training set shows; shared by its iterators."""

    value: int = 0

    def current(self) -> np.int64:
        """The epoch that an iteration which starts now shows."""
        return np.int64(self.value)

    def passed(self, epoch: int | np.int64) -> np.int64:
        """Note that an iteration of this epoch was more than a look."""
        self.value = max(self.value, int(epoch) + 1)
        return np.int64(self.value)

    def resume_at(self, epoch: int) -> None:
        """Show this epoch next, unless later ones have been shown."""
        self.value = max(self.value, epoch)


class FixedEpoch(EpochCounter):
    """Every iteration shows the same epoch."""

    def passed(self, epoch: int | np.int64) -> np.int64:
        """Change nothing."""
        return np.int64(self.value)

    def resume_at(self, epoch: int) -> None:
        """Change nothing."""
