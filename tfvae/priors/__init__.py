"""Priors: what the model believes about z before it has seen x, one a file."""

from tfvae.priors.autoregressive import AutoregressiveFlow
from tfvae.priors.base import Prior
from tfvae.priors.mixture_of_gaussians import MixtureOfGaussians
from tfvae.priors.real_nvp import RealNVP
from tfvae.priors.standard_normal import StandardNormal

__all__ = ["AutoregressiveFlow", "MixtureOfGaussians", "Prior", "RealNVP", "StandardNormal"]
