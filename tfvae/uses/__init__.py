"""What people do with a trained model.

Importing this package imports no TensorFlow; using a name does.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.uses.aggregate import fit_aggregate as fit_aggregate
    from tfvae.uses.aggregate_flow import fit_aggregate_flow as fit_aggregate_flow
    from tfvae.uses.imputation import impute as impute

_HOMES = {
    "fit_aggregate": "aggregate",
    "fit_aggregate_flow": "aggregate_flow",
    "impute": "imputation",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
