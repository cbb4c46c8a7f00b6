"""Objectives: named nats per example from a model's distributions, one a file."""

from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.controlled_capacity import ControlledCapacity
from tfvae.objectives.elbo import ELBO
from tfvae.objectives.geco import GECO
from tfvae.objectives.hybrid import Hybrid
from tfvae.objectives.importance_weighted import ImportanceWeighted
from tfvae.objectives.levels_elbo import LevelsELBO

__all__ = [
    "ELBO",
    "GECO",
    "ControlledCapacity",
    "Hybrid",
    "ImportanceWeighted",
    "LevelsELBO",
    "Nats",
    "Objective",
]
