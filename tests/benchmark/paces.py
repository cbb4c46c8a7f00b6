"""How long an epoch of rows of a table takes, measured in turns in one process.

    python -m tests.benchmark.paces one-level diag,realnvp-4,iaf-4,tril

prints for each row the least and the median seconds of an epoch with its validation, by the clock
and by the processor, and how many epochs of it an epoch of the last row named is worth. The rows
"at equal time" have epochs in this proportion, by the processor: other programs change that little.
"""

import sys
import time

import numpy as np

from tfvae.reproduce.tables import TABLES
from tfvae.runs.datasets import model_and_data
from tfvae.settings import building

TURNS = 9


def trained(row):
    """A function that trains a row's model for one epoch more, as `tfvae train` does."""
    settings = row.settings(0, 100)
    model, (train, held_out) = model_and_data(settings)
    steps = 100 * len(train)
    model.compile(building.optimizer(settings, steps, **settings.group("optimizer")))
    return lambda: model.fit(train, validation_data=held_out, verbose=0)


def seconds(epochs):
    """[turn, row, (clock, processor)] of the epochs, after one that compiles."""
    for epoch in epochs:
        epoch()
    taken = np.zeros((TURNS, len(epochs), 2))
    for turn in range(TURNS):
        for number, epoch in enumerate(epochs):
            begun = time.perf_counter(), time.process_time()
            epoch()
            taken[turn, number] = time.perf_counter() - begun[0], time.process_time() - begun[1]
    return taken


if __name__ == "__main__":
    table, names = TABLES[sys.argv[1]], sys.argv[2].split(",")
    taken = seconds([trained(table.rows[name]) for name in names])
    least, median = taken.min(axis=0), np.median(taken, axis=0)
    for name, low, middle in zip(names, least, median, strict=True):
        worth = median[-1] / middle
        print(
            f"{name}: clock {low[0]:.3f} {middle[0]:.3f} s, processor {low[1]:.3f} {middle[1]:.3f}"
            f" s; {names[-1]} is worth {worth[0]:.2f} by the clock, {worth[1]:.2f} by the processor"
        )
