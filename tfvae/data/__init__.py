"""Images for training and testing: the one place where pixels are scaled and binarised.

`load` gives `tf.data` pipelines, `arrays` gives NumPy arrays with labels. Importing this package
imports neither TensorFlow nor TensorFlow Datasets nor scikit-learn; using a name does.
"""

import importlib

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


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"{__name__}.{home or name}")
    value = getattr(module, name) if home else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
