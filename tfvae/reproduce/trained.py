"""Data and models of runs that leave no folder."""

from typing import Any

import tensorflow as tf

from tfvae import data
from tfvae.runs.datasets import model_and_data
from tfvae.settings import building
from tfvae.settings.settings import Settings


def datasets_of(settings: Settings) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Training and held-out examples of a run, those of training in the order of one epoch."""
    train, test = data.load(seed=settings["seed"], **settings.group("data"))
    return data.at_epoch(train, 0), test


def trained_model(settings: Settings) -> Any:
    """The model of a run, trained as `tfvae train` does."""
    model, (train, _) = model_and_data(settings)
    model.compile(run_optimizer(settings, len(train)))
    model.fit(train, epochs=settings["epochs"], verbose=0)
    return model


def run_optimizer(settings: Settings, steps_per_epoch: int) -> Any:
    """The optimizer of a run with its schedule."""
    steps = settings["epochs"] * steps_per_epoch
    return building.optimizer(settings, steps, **settings.group("optimizer"))
