"""What people do with a trained model.

Importing this package imports no TensorFlow; using a name does.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.uses.aggregate import fit_aggregate as fit_aggregate
    from tfvae.uses.aggregate_flow import fit_aggregate_flow as fit_aggregate_flow
    from tfvae.uses.anomaly import AnomalyDetector as AnomalyDetector
    from tfvae.uses.anomaly_scores import AnomalyScore as AnomalyScore
    from tfvae.uses.attributes import Attribute as Attribute
    from tfvae.uses.attributes import analogies as analogies
    from tfvae.uses.attributes import find_attribute as find_attribute
    from tfvae.uses.attributes import with_attribute as with_attribute
    from tfvae.uses.batch_statistics import reread_statistics as reread_statistics
    from tfvae.uses.bound_scores import NegativeELBO as NegativeELBO
    from tfvae.uses.bound_scores import NegativeLogLikelihood as NegativeLogLikelihood
    from tfvae.uses.bound_scores import ReconstructionProbability as ReconstructionProbability
    from tfvae.uses.calibration import Calibration as Calibration
    from tfvae.uses.classification import Classification as Classification
    from tfvae.uses.classification import classify as classify
    from tfvae.uses.compared_scores import WAIC as WAIC
    from tfvae.uses.compared_scores import LikelihoodRatio as LikelihoodRatio
    from tfvae.uses.compared_scores import Typicality as Typicality
    from tfvae.uses.denoising import corrupted_examples as corrupted_examples
    from tfvae.uses.denoising import denoise as denoise
    from tfvae.uses.imputation import impute as impute
    from tfvae.uses.latent_pictures import analogy_pictures as analogy_pictures
    from tfvae.uses.latent_pictures import attribute_changes as attribute_changes
    from tfvae.uses.latent_pictures import class_traversals as class_traversals
    from tfvae.uses.latent_pictures import nearest_pictures as nearest_pictures
    from tfvae.uses.latent_pictures import path_pictures as path_pictures
    from tfvae.uses.likelihood_regret import LikelihoodRegret as LikelihoodRegret
    from tfvae.uses.neighbours import DataCopying as DataCopying
    from tfvae.uses.neighbours import Neighbours as Neighbours
    from tfvae.uses.neighbours import data_copying as data_copying
    from tfvae.uses.neighbours import nearest_examples as nearest_examples
    from tfvae.uses.on_codes import classify_codes as classify_codes
    from tfvae.uses.paths import code_paths as code_paths
    from tfvae.uses.paths import path_lengths as path_lengths
    from tfvae.uses.perturbing import perturbed as perturbed
    from tfvae.uses.segmentation import segment as segment
    from tfvae.uses.super_resolution import SuperResolution as SuperResolution
    from tfvae.uses.super_resolution import super_resolve as super_resolve
    from tfvae.uses.thresholds import FalseAlarms as FalseAlarms
    from tfvae.uses.thresholds import false_alarms as false_alarms
    from tfvae.uses.thresholds import score_threshold as score_threshold

_HOMES = {
    "AnomalyDetector": "anomaly",
    "AnomalyScore": "anomaly_scores",
    "Attribute": "attributes",
    "Calibration": "calibration",
    "Classification": "classification",
    "DataCopying": "neighbours",
    "FalseAlarms": "thresholds",
    "LikelihoodRatio": "compared_scores",
    "LikelihoodRegret": "likelihood_regret",
    "NegativeELBO": "bound_scores",
    "NegativeLogLikelihood": "bound_scores",
    "Neighbours": "neighbours",
    "ReconstructionProbability": "bound_scores",
    "SuperResolution": "super_resolution",
    "Typicality": "compared_scores",
    "WAIC": "compared_scores",
    "analogies": "attributes",
    "analogy_pictures": "latent_pictures",
    "attribute_changes": "latent_pictures",
    "class_traversals": "latent_pictures",
    "classify": "classification",
    "classify_codes": "on_codes",
    "code_paths": "paths",
    "corrupted_examples": "denoising",
    "data_copying": "neighbours",
    "denoise": "denoising",
    "false_alarms": "thresholds",
    "find_attribute": "attributes",
    "fit_aggregate": "aggregate",
    "fit_aggregate_flow": "aggregate_flow",
    "impute": "imputation",
    "nearest_examples": "neighbours",
    "nearest_pictures": "latent_pictures",
    "path_lengths": "paths",
    "path_pictures": "latent_pictures",
    "perturbed": "perturbing",
    "reread_statistics": "batch_statistics",
    "score_threshold": "thresholds",
    "segment": "segmentation",
    "super_resolve": "super_resolution",
    "with_attribute": "attributes",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
