"""Quantisers: features to codes, integers that stand for vectors."""

from tfvae.quantisers.base import Quantised, Quantiser
from tfvae.quantisers.finite_scalar import FiniteScalar
from tfvae.quantisers.gumbel_codes import GumbelCodes
from tfvae.quantisers.vector_quantised import VectorQuantised

__all__ = ["FiniteScalar", "GumbelCodes", "Quantised", "Quantiser", "VectorQuantised"]
