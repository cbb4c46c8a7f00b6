"""Heads: features to distributions, one distribution a file."""

from tfvae.heads.base import Head, LatentHead
from tfvae.heads.likelihoods.base import LikelihoodHead
from tfvae.heads.likelihoods.independent_bernoulli import IndependentBernoulli
from tfvae.heads.likelihoods.independent_normal import IndependentNormal
from tfvae.heads.posteriors.flow import Flow
from tfvae.heads.posteriors.householder_flow import HouseholderFlow
from tfvae.heads.posteriors.inverse_autoregressive_flow import InverseAutoregressiveFlow
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.heads.posteriors.multivariate_normal_tri_l import MultivariateNormalTriL
from tfvae.heads.posteriors.planar_flow import PlanarFlow
from tfvae.heads.posteriors.radial_flow import RadialFlow
from tfvae.heads.posteriors.real_nvp_flow import RealNVPFlow
from tfvae.heads.posteriors.spline_flow import SplineFlow

__all__ = [
    "Flow",
    "Head",
    "HouseholderFlow",
    "IndependentBernoulli",
    "IndependentNormal",
    "InverseAutoregressiveFlow",
    "LatentHead",
    "LikelihoodHead",
    "MultivariateNormalDiag",
    "MultivariateNormalTriL",
    "PlanarFlow",
    "RadialFlow",
    "RealNVPFlow",
    "SplineFlow",
]
