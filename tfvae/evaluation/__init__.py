"""How good a trained model is, in nats and in pictures.

Importing this package imports neither TensorFlow nor matplotlib; using a name does.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.evaluation import pictures as pictures
    from tfvae.evaluation.ais import annealed_importance_sampling as annealed_importance_sampling
    from tfvae.evaluation.annealing import AnnealedEstimate as AnnealedEstimate
    from tfvae.evaluation.chains import PosteriorSamples as PosteriorSamples
    from tfvae.evaluation.chains import posterior_samples as posterior_samples
    from tfvae.evaluation.estimates import ELBOEstimate as ELBOEstimate
    from tfvae.evaluation.estimates import Estimate as Estimate
    from tfvae.evaluation.estimates import LikelihoodEstimate as LikelihoodEstimate
    from tfvae.evaluation.estimates import PerExample as PerExample
    from tfvae.evaluation.gaps import InferenceGap as InferenceGap
    from tfvae.evaluation.gaps import inference_gap as inference_gap
    from tfvae.evaluation.image_quality import peak_signal_to_noise as peak_signal_to_noise
    from tfvae.evaluation.image_quality import (
        pooled_peak_signal_to_noise as pooled_peak_signal_to_noise,
    )
    from tfvae.evaluation.image_quality import structural_similarity as structural_similarity
    from tfvae.evaluation.joint import JointEstimate as JointEstimate
    from tfvae.evaluation.joint import joint_likelihood as joint_likelihood
    from tfvae.evaluation.latents import ActiveUnits as ActiveUnits
    from tfvae.evaluation.latents import RateDistortion as RateDistortion
    from tfvae.evaluation.latents import active_units as active_units
    from tfvae.evaluation.latents import kl_per_dimension as kl_per_dimension
    from tfvae.evaluation.latents import latent_codes as latent_codes
    from tfvae.evaluation.latents import rate_and_distortion as rate_and_distortion
    from tfvae.evaluation.levels import LevelUse as LevelUse
    from tfvae.evaluation.levels import has_levels as has_levels
    from tfvae.evaluation.levels import level_use as level_use
    from tfvae.evaluation.levels import levels_held as levels_held
    from tfvae.evaluation.likelihood import elbo as elbo
    from tfvae.evaluation.likelihood import log_likelihood as log_likelihood
    from tfvae.evaluation.likelihood import naive_log_likelihood as naive_log_likelihood
    from tfvae.evaluation.posteriors import PosteriorStatistics as PosteriorStatistics
    from tfvae.evaluation.posteriors import posterior_draws as posterior_draws
    from tfvae.evaluation.posteriors import posterior_statistics as posterior_statistics
    from tfvae.evaluation.reconstruction import (
        pca_reconstruction_errors as pca_reconstruction_errors,
    )
    from tfvae.evaluation.reconstruction import reconstruction_errors as reconstruction_errors
    from tfvae.evaluation.refinement import RefinedEstimate as RefinedEstimate
    from tfvae.evaluation.refinement import refine as refine
    from tfvae.evaluation.segmentation import (
        generalised_energy_distance as generalised_energy_distance,
    )
    from tfvae.evaluation.segmentation import intersection_over_union as intersection_over_union
    from tfvae.evaluation.segmentation import matched_iou as matched_iou
    from tfvae.evaluation.two_sided import BidirectionalEstimate as BidirectionalEstimate
    from tfvae.evaluation.two_sided import bidirectional as bidirectional
    from tfvae.evaluation.words import word_perplexity as word_perplexity

_HOMES = {
    "ActiveUnits": "latents",
    "AnnealedEstimate": "annealing",
    "BidirectionalEstimate": "two_sided",
    "ELBOEstimate": "estimates",
    "Estimate": "estimates",
    "InferenceGap": "gaps",
    "LevelUse": "levels",
    "JointEstimate": "joint",
    "LikelihoodEstimate": "estimates",
    "PerExample": "estimates",
    "PosteriorSamples": "chains",
    "PosteriorStatistics": "posteriors",
    "RateDistortion": "latents",
    "RefinedEstimate": "refinement",
    "active_units": "latents",
    "annealed_importance_sampling": "ais",
    "bidirectional": "two_sided",
    "elbo": "likelihood",
    "generalised_energy_distance": "segmentation",
    "has_levels": "levels",
    "inference_gap": "gaps",
    "joint_likelihood": "joint",
    "intersection_over_union": "segmentation",
    "kl_per_dimension": "latents",
    "latent_codes": "latents",
    "level_use": "levels",
    "levels_held": "levels",
    "log_likelihood": "likelihood",
    "matched_iou": "segmentation",
    "naive_log_likelihood": "likelihood",
    "pca_reconstruction_errors": "reconstruction",
    "peak_signal_to_noise": "image_quality",
    "pictures": None,
    "pooled_peak_signal_to_noise": "image_quality",
    "posterior_draws": "posteriors",
    "posterior_samples": "chains",
    "posterior_statistics": "posteriors",
    "rate_and_distortion": "latents",
    "reconstruction_errors": "reconstruction",
    "refine": "refinement",
    "structural_similarity": "image_quality",
    "word_perplexity": "words",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
