"""Callbacks for `fit`: what changes over time, and what looks."""

from tfvae.callbacks.diagnostics import LatentDiagnostics
from tfvae.callbacks.pictures import PictureGrid
from tfvae.callbacks.weights import CyclicalWeight, LinearWeight, WeightSchedule

__all__ = [
    "CyclicalWeight",
    "LatentDiagnostics",
    "LinearWeight",
    "PictureGrid",
    "WeightSchedule",
]
