"""Heads: features to distributions, one distribution a file."""

from tfvae.heads.base import Head, LatentHead
from tfvae.heads.likelihoods.base import LikelihoodHead
from tfvae.heads.likelihoods.categorical import Categorical
from tfvae.heads.likelihoods.continuous_bernoulli import ContinuousBernoulli
from tfvae.heads.likelihoods.discretised_logistic_mixture import DiscretisedLogisticMixture
from tfvae.heads.likelihoods.independent_bernoulli import IndependentBernoulli
from tfvae.heads.likelihoods.independent_normal import IndependentNormal
from tfvae.heads.likelihoods.multinomial import Multinomial
from tfvae.heads.likelihoods.negative_binomial import NegativeBinomial
from tfvae.heads.likelihoods.poisson import Poisson
from tfvae.heads.likelihoods.product import Product
from tfvae.heads.likelihoods.student_t import StudentT
from tfvae.heads.posteriors.flow import Flow
from tfvae.heads.posteriors.gaussian_mixture import GaussianMixture
from tfvae.heads.posteriors.householder_flow import HouseholderFlow
from tfvae.heads.posteriors.inverse_autoregressive_flow import InverseAutoregressiveFlow
from tfvae.heads.posteriors.joint import JointPosterior
from tfvae.heads.posteriors.latent_bernoulli import LatentBernoulli
from tfvae.heads.posteriors.latent_categorical import LatentCategorical
from tfvae.heads.posteriors.latent_piecewise import LatentPiecewise
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.heads.posteriors.multivariate_normal_tri_l import MultivariateNormalTriL
from tfvae.heads.posteriors.normal_and_piecewise import NormalAndPiecewise
from tfvae.heads.posteriors.normal_map import NormalMap
from tfvae.heads.posteriors.planar_flow import PlanarFlow
from tfvae.heads.posteriors.point_code import PointCode
from tfvae.heads.posteriors.radial_flow import RadialFlow
from tfvae.heads.posteriors.real_nvp_flow import RealNVPFlow
from tfvae.heads.posteriors.relaxed_bernoulli import RelaxedBernoulli
from tfvae.heads.posteriors.relaxed_categorical import RelaxedCategorical
from tfvae.heads.posteriors.spline_flow import SplineFlow

__all__ = [
    "Categorical",
    "ContinuousBernoulli",
    "DiscretisedLogisticMixture",
    "Flow",
    "GaussianMixture",
    "Head",
    "HouseholderFlow",
    "IndependentBernoulli",
    "IndependentNormal",
    "InverseAutoregressiveFlow",
    "JointPosterior",
    "LatentBernoulli",
    "LatentCategorical",
    "LatentHead",
    "LatentPiecewise",
    "LikelihoodHead",
    "Multinomial",
    "MultivariateNormalDiag",
    "MultivariateNormalTriL",
    "NegativeBinomial",
    "NormalAndPiecewise",
    "NormalMap",
    "PlanarFlow",
    "PointCode",
    "Poisson",
    "Product",
    "RadialFlow",
    "RealNVPFlow",
    "RelaxedBernoulli",
    "RelaxedCategorical",
    "SplineFlow",
    "StudentT",
]
