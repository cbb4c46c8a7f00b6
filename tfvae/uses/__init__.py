"""What people do with a trained model.

Importing this package imports no TensorFlow; using a name does.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.uses.aggregate import fit_aggregate as fit_aggregate
    from tfvae.uses.aggregate_flow import fit_aggregate_flow as fit_aggregate_flow
    from tfvae.uses.calibration import Calibration as Calibration
    from tfvae.uses.classify import Classification as Classification
    from tfvae.uses.classify import classify as classify
    from tfvae.uses.imputation import impute as impute
    from tfvae.uses.on_codes import classify_codes as classify_codes

_HOMES = {
    "Calibration": "calibration",
    "Classification": "classify",
    "classify": "classify",
    "classify_codes": "on_codes",
    "fit_aggregate": "aggregate",
    "fit_aggregate_flow": "aggregate_flow",
    "impute": "imputation",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
