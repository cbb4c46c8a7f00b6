"""tfvae: variational autoencoders for TensorFlow and Keras 3, from `fit` to a served file.

Importing `tfvae` is cheap: TensorFlow is loaded when a public name is first used.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_SUBPACKAGES = (
    "callbacks",
    "data",
    "evaluation",
    "export",
    "heads",
    "networks",
    "objectives",
    "presets",
    "priors",
    "random",
    "serving",
)
_CLASSES = {
    "VAE": "tfvae.models.vae",
    "LatentVariableModel": "tfvae.models.base",
    "Encoder": "tfvae.models.conditional",
    "Decoder": "tfvae.models.conditional",
    "load_model": "tfvae.models.loading",
}

__all__ = ["__version__", *_CLASSES, *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        value = getattr(importlib.import_module(_CLASSES[name]), name)
    elif name in _SUBPACKAGES:
        value = importlib.import_module(f"tfvae.{name}")
    else:
        raise AttributeError(f"module 'tfvae' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
