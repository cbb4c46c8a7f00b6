"""Callbacks for `fit`: what changes over time, and what looks."""

from tfvae.callbacks.averages import AveragedWeights
from tfvae.callbacks.capacity import LinearCapacity
from tfvae.callbacks.diagnostics import LatentDiagnostics
from tfvae.callbacks.pictures import PictureGrid
from tfvae.callbacks.schedule import VariableSchedule
from tfvae.callbacks.weights import CyclicalWeight, LinearWeight, WeightSchedule

__all__ = [
    "AveragedWeights",
    "CyclicalWeight",
    "LatentDiagnostics",
    "LinearCapacity",
    "LinearWeight",
    "PictureGrid",
    "VariableSchedule",
    "WeightSchedule",
]
