"""What a run says while it trains."""

import time
from collections.abc import Callable
from typing import Any

import keras

SECONDS = 2.0  # between two lines, where epochs are shorter


class Progress(keras.callbacks.Callback):
    """Reports the bound on training and held-out examples, and the time that is left.

    Args:
        epochs: Of the whole run.
        report: Called with each line.
        begun: `time.perf_counter()` where the elapsed time begins; None for now.
    """

    def __init__(
        self, epochs: int, report: Callable[[str], None] = print, begun: float | None = None
    ):
        super().__init__()
        self.epochs, self.report = epochs, report
        self.begun = time.perf_counter() if begun is None else begun

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Notes where it begins."""
        self.reported = time.perf_counter()
        self.first: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports the first and the last epoch, and others every few seconds."""
        now = time.perf_counter()
        if self.first is None:
            self.first, self.second_epoch = epoch, now
        elif now - self.reported < SECONDS and epoch + 1 < self.epochs:
            return
        self.reported = now
        shown = ("elbo", "val_elbo", "val_nll", "val_kl")
        values = "  ".join(f"{name} {logs[name]:.2f}" for name in shown if name in (logs or {}))
        width = len(str(self.epochs))
        self.report(f"epoch {epoch + 1:{width}}/{self.epochs}  {values}  {self._time(epoch, now)}")

    def _time(self, epoch: int, now: float) -> str:
        """Elapsed and left; the first epoch, with its compilation, says nothing of the others."""
        elapsed, done = now - self.begun, epoch - self.first
        if not done or epoch + 1 == self.epochs:
            return f"{elapsed:.0f} s"
        left = (now - self.second_epoch) / done * (self.epochs - epoch - 1)
        return f"{elapsed:.0f} s, about {left:.0f} s left"
