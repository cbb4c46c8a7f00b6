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
from tfvae.heads.posteriors.latent_bernoulli import LatentBernoulli
from tfvae.heads.posteriors.latent_categorical import LatentCategorical
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.heads.posteriors.multivariate_normal_tri_l import MultivariateNormalTriL
from tfvae.heads.posteriors.point_code import PointCode
from tfvae.heads.posteriors.relaxed_bernoulli import RelaxedBernoulli
from tfvae.heads.posteriors.relaxed_categorical import RelaxedCategorical

__all__ = [
    "Categorical",
    "ContinuousBernoulli",
    "DiscretisedLogisticMixture",
    "Head",
    "IndependentBernoulli",
    "IndependentNormal",
    "LatentBernoulli",
    "LatentCategorical",
    "LatentHead",
    "LikelihoodHead",
    "Multinomial",
    "MultivariateNormalDiag",
    "MultivariateNormalTriL",
    "NegativeBinomial",
    "PointCode",
    "Poisson",
    "Product",
    "RelaxedBernoulli",
    "RelaxedCategorical",
    "StudentT",
]
