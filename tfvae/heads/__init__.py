"""Heads: features to distributions, one distribution a file."""

from tfvae.heads.base import Head, LatentHead
from tfvae.heads.likelihoods.base import LikelihoodHead
from tfvae.heads.likelihoods.independent_bernoulli import IndependentBernoulli
from tfvae.heads.likelihoods.independent_normal import IndependentNormal
from tfvae.heads.posteriors.latent_bernoulli import LatentBernoulli
from tfvae.heads.posteriors.latent_categorical import LatentCategorical
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.heads.posteriors.multivariate_normal_tri_l import MultivariateNormalTriL
from tfvae.heads.posteriors.relaxed_bernoulli import RelaxedBernoulli
from tfvae.heads.posteriors.relaxed_categorical import RelaxedCategorical

__all__ = [
    "Head",
    "IndependentBernoulli",
    "IndependentNormal",
    "LatentBernoulli",
    "LatentCategorical",
    "LatentHead",
    "LikelihoodHead",
    "MultivariateNormalDiag",
    "MultivariateNormalTriL",
    "RelaxedBernoulli",
    "RelaxedCategorical",
]
