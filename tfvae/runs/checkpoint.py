"""Going on after `kill -9`, with the weights of a run that was never killed."""

import csv
import io
import math
import time
from pathlib import Path
from typing import Any

import keras

from tfvae.errors import DivergedError, UserError
from tfvae.runs.checkpoint_files import read_checkpoint, variable_names, write_checkpoint
from tfvae.runs.files import write_text
from tfvae.training.averages import keeps_averages, swap_averages


class Checkpoint(keras.callbacks.Callback):
    """Writes all that training goes on from into one file, after each epoch.

    The file holds every variable of model and optimiser (so the state of the random numbers, the
    KL weight and the step count) and the history. Order and noise of the data are functions of
    (seed, epoch), which `tfvae.data.load(first_epoch=)` takes up.

    `keras.callbacks.BackupAndRestore` is not used because it writes weights and epoch one after the
    other into two files in place, so that a kill in between leaves a damaged or an unequal pair;
    it removes its backup before the trained model is saved; and it knows of no history.

    It must be the last callback: the state that others change is then the one that is saved.

    Args:
        path: The checkpoint, `.npz`; replaced atomically.
        history: The table of the epochs, `.csv`; replaced atomically.
    """

    def __init__(self, path: Path, history: Path):
        super().__init__()
        self.path, self.history = path, history
        self.rows: list[dict[str, float]] = []

    def restore(self, model: keras.Model) -> int:
        """Restores a built and compiled model, and returns the number of epochs it has seen.

        Raises:
            UserError: if the checkpoint is damaged or of another model.
        """
        if not self.path.is_file():
            return 0
        variables = _variables(model)
        values, self.rows = read_checkpoint(self.path, variables)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self._save_history()  # a kill may have come between the two files
        return len(self.rows)

    def take_over(self, trained: keras.Model, model: keras.Model) -> int:
        """Gives a built and compiled model the state of a trained one, and itself its history.

        Args:
            trained: As a finished run left it.
            model: Gets its weights and the optimizer's state.

        Returns:
            The number of epochs that it has seen.

        Raises:
            UserError: if they are not of the same variables, or the history can't be read.
        """
        own, its = _variables(model), _variables(trained)
        if _described(own) != _described(its):
            raise UserError(
                f"The trained model beside {self.history} is not the one that its settings "
                "describe. Train anew with --overwrite."
            )
        for variable, value in zip(own, its, strict=True):
            variable.assign(value)
        if keeps_averages(model):
            swap_averages(model)  # the trained one has averages in the weights' place
        try:
            with self.history.open(encoding="utf-8", newline="") as file:
                rows = [{n: float(v) for n, v in row.items()} for row in csv.DictReader(file)]
            self.rows = [{**row, "epoch": int(row["epoch"])} for row in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.history} can't be read ({error}). Train anew with --overwrite."
            ) from error
        return len(self.rows)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the state before the first epoch: a folder that can't be written shows now."""
        self.save()
        self._begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch to the history and writes both files.

        Raises:
            FloatingPointError: if the loss is not finite; the epoch is not saved.
        """
        row = {name: float(value) for name, value in (logs or {}).items()}
        if not math.isfinite(row["loss"]):
            raise DivergedError(
                f"Training diverged in epoch {epoch + 1}: the loss is {row['loss']}. Use a lower "
                "learning_rate."
            )
        now = time.perf_counter()
        self.rows.append({"epoch": epoch + 1, **row, "seconds": round(now - self._begun, 4)})
        self._begun = now
        self.save()

    def save(self) -> None:
        """Writes checkpoint and history."""
        write_checkpoint(self.path, _variables(self.model), self.rows)
        self._save_history()

    def _save_history(self) -> None:
        if self.rows:
            write_text(self.history, _table(self.rows))


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All variables of model and optimiser, in an order that its construction decides."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.weights, *(optimizer.variables if optimizer is not None else ())]


def _described(variables: list[keras.Variable]) -> list[tuple[str, tuple[int, ...], str]]:
    names = variable_names(variables)
    return [(n, tuple(v.shape), v.dtype) for n, v in zip(names, variables, strict=True)]


def _table(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
