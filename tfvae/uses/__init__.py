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
    from tfvae.uses.bound_scores import NegativeELBO as NegativeELBO
    from tfvae.uses.bound_scores import NegativeLogLikelihood as NegativeLogLikelihood
    from tfvae.uses.bound_scores import ReconstructionProbability as ReconstructionProbability
    from tfvae.uses.calibration import Calibration as Calibration
    from tfvae.uses.classification import Classification as Classification
    from tfvae.uses.classification import classify as classify
    from tfvae.uses.compared_scores import WAIC as WAIC
    from tfvae.uses.compared_scores import LikelihoodRatio as LikelihoodRatio
    from tfvae.uses.compared_scores import Typicality as Typicality
    from tfvae.uses.imputation import impute as impute
    from tfvae.uses.likelihood_regret import LikelihoodRegret as LikelihoodRegret
    from tfvae.uses.on_codes import classify_codes as classify_codes
    from tfvae.uses.perturbing import perturbed as perturbed
    from tfvae.uses.segmentation import segment as segment
    from tfvae.uses.thresholds import FalseAlarms as FalseAlarms
    from tfvae.uses.thresholds import false_alarms as false_alarms
    from tfvae.uses.thresholds import score_threshold as score_threshold

_HOMES = {
    "AnomalyDetector": "anomaly",
    "AnomalyScore": "anomaly_scores",
    "Calibration": "calibration",
    "Classification": "classification",
    "FalseAlarms": "thresholds",
    "LikelihoodRatio": "compared_scores",
    "LikelihoodRegret": "likelihood_regret",
    "NegativeELBO": "bound_scores",
    "NegativeLogLikelihood": "bound_scores",
    "ReconstructionProbability": "bound_scores",
    "Typicality": "compared_scores",
    "WAIC": "compared_scores",
    "classify": "classification",
    "classify_codes": "on_codes",
    "false_alarms": "thresholds",
    "fit_aggregate": "aggregate",
    "fit_aggregate_flow": "aggregate_flow",
    "impute": "imputation",
    "perturbed": "perturbing",
    "score_threshold": "thresholds",
    "segment": "segmentation",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
