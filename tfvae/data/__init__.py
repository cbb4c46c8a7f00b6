"""Images for training and testing: the one place where pixels are scaled and binarised.

`load` gives `tf.data` pipelines, `arrays` gives NumPy arrays with labels. Importing this package
imports neither TensorFlow nor TensorFlow Datasets nor scikit-learn; using a name does.
"""

from tfvae.lazy import lazy

_HOMES = {
    "ImageArrays": "images",
    "arrays": "loading",
    "at_epoch": "pipeline",
    "catalogue": None,
    "check_images": "validate",
    "checked": "validate",
    "describe": "catalogue",
    "load": "loading",
    "mean_image": "loading",
    "names": "catalogue",
    "validate": None,
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
