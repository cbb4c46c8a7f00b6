"""tfvae: variational autoencoders for TensorFlow and Keras 3, from `fit` to a served file.

Importing `tfvae` is cheap: TensorFlow is loaded when a public name is first used. Keras finds our
classes in saved models all the same; see `tfvae.registration`.
"""

from tfvae.lazy import lazy
from tfvae.registration import register_with_keras

__version__ = "0.1.0"

_HOMES = {
    "VAE": "models.vae",
    "LatentVariableModel": "models.base",
    "StagedModel": "models.stages",
    "Encoder": "models.encoder_decoder",
    "Decoder": "models.encoder_decoder",
    "load_model": "models.loading",
    "Draw": "distributions.draws",
    "Field": "data.fields",
    "Inference": "inference.inference",
    "Joint": "inference.inference",
    "Nats": "objectives.base",
    "Noise": "noise",
    "Phase": "training.phases",
    "Posterior": "inference.proposal",
    "Proposal": "inference.proposal",
    "callbacks": None,
    "data": None,
    "evaluation": None,
    "export": None,
    "heads": None,
    "networks": None,
    "objectives": None,
    "presets": None,
    "priors": None,
    "random": None,
    "serving": None,
}

__all__ = ["__version__", *_HOMES]
__getattr__, __dir__ = lazy(__name__, _HOMES)
register_with_keras()
