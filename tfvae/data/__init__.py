"""Columns for training and testing: the one place where pixels are scaled and binarised.

`load` gives `tf.data` pipelines, `arrays` gives NumPy arrays. Importing this package
imports neither TensorFlow nor TensorFlow Datasets nor scikit-learn; using a name does.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.data import catalogue as catalogue
    from tfvae.data import validate as validate
    from tfvae.data.catalogue import describe as describe
    from tfvae.data.catalogue import names as names
    from tfvae.data.dequantising import num_levels as num_levels
    from tfvae.data.fields import Field as Field
    from tfvae.data.loaded import fields_of as fields_of
    from tfvae.data.loading import arrays as arrays
    from tfvae.data.loading import first_examples as first_examples
    from tfvae.data.loading import load as load
    from tfvae.data.loading import mean as mean
    from tfvae.data.passing import checked as checked
    from tfvae.data.pipeline import at_epoch as at_epoch
    from tfvae.data.splits import Arrays as Arrays
    from tfvae.data.standardising import log_jacobian as log_jacobian
    from tfvae.data.validate import check_array as check_array

_HOMES = {
    "Arrays": "splits",
    "Field": "fields",
    "arrays": "loading",
    "at_epoch": "pipeline",
    "catalogue": None,
    "check_array": "validate",
    "checked": "passing",
    "describe": "catalogue",
    "fields_of": "loaded",
    "first_examples": "loading",
    "load": "loading",
    "log_jacobian": "standardising",
    "mean": "loading",
    "names": "catalogue",
    "num_levels": "dequantising",
    "validate": None,
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
