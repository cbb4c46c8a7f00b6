"""Priors: what the model believes about z before it has seen x, one a file."""

from tfvae.priors.autoregressive_prior import AutoregressivePrior
from tfvae.priors.base import Prior
from tfvae.priors.bernoulli_prior import BernoulliPrior
from tfvae.priors.categorical_prior import CategoricalPrior
from tfvae.priors.conditional_normal import ConditionalNormal
from tfvae.priors.joint_prior import JointPrior, NormalAndPiecewisePrior
from tfvae.priors.mixture_of_gaussians import MixtureOfGaussians
from tfvae.priors.piecewise_prior import PiecewisePrior
from tfvae.priors.real_nvp_prior import RealNVPPrior
from tfvae.priors.relaxed_bernoulli_prior import RelaxedBernoulliPrior
from tfvae.priors.relaxed_categorical_prior import RelaxedCategoricalPrior
from tfvae.priors.standard_normal import StandardNormal
from tfvae.priors.vamp_prior import VampPrior

__all__ = [
    "AutoregressivePrior",
    "BernoulliPrior",
    "CategoricalPrior",
    "ConditionalNormal",
    "JointPrior",
    "MixtureOfGaussians",
    "NormalAndPiecewisePrior",
    "PiecewisePrior",
    "Prior",
    "RealNVPPrior",
    "RelaxedBernoulliPrior",
    "RelaxedCategoricalPrior",
    "StandardNormal",
    "VampPrior",
]
