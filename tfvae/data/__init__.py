"""Columns for training and testing: the one place where pixels are scaled and binarised.

`load` gives `tf.data` pipelines, `arrays` gives NumPy arrays. Importing this package
imports neither TensorFlow nor TensorFlow Datasets nor scikit-learn; using a name does.
"""

from tfvae.lazy import lazy

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
    "load": "loading",
    "mean": "loading",
    "names": "catalogue",
    "validate": None,
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
