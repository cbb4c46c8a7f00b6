"""Callbacks for `fit`: what changes over time, and what looks."""

from tfvae.callbacks.diagnostics import LatentDiagnostics
from tfvae.callbacks.kl_weight import CyclicalKLWeight, KLWeightSchedule, LinearKLWeight
from tfvae.callbacks.pictures import PictureGrid

__all__ = [
    "CyclicalKLWeight",
    "KLWeightSchedule",
    "LatentDiagnostics",
    "LinearKLWeight",
    "PictureGrid",
]
