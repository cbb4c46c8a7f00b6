"""tfvae: variational autoencoders for TensorFlow and Keras 3, from `fit` to a served file.

Importing `tfvae` is cheap: TensorFlow is loaded when a public name is first used. Keras finds our
classes in saved models all the same; see `tfvae.registration`.
"""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy
from tfvae.registration import register_with_keras

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae import callbacks as callbacks
    from tfvae import corruptions as corruptions
    from tfvae import data as data
    from tfvae import evaluation as evaluation
    from tfvae import export as export
    from tfvae import flows as flows
    from tfvae import heads as heads
    from tfvae import missingness as missingness
    from tfvae import networks as networks
    from tfvae import objectives as objectives
    from tfvae import presets as presets
    from tfvae import priors as priors
    from tfvae import quantisers as quantisers
    from tfvae import random as random
    from tfvae import serving as serving
    from tfvae import uses as uses
    from tfvae.data.fields import Field as Field
    from tfvae.distributions.draws import Draw as Draw
    from tfvae.inference.inference import Inference as Inference
    from tfvae.inference.inference import Joint as Joint
    from tfvae.inference.proposal import Posterior as Posterior
    from tfvae.inference.proposal import Proposal as Proposal
    from tfvae.models.autoencoder import Autoencoder as Autoencoder
    from tfvae.models.base import LatentVariableModel as LatentVariableModel
    from tfvae.models.code_level import CodeLevel as CodeLevel
    from tfvae.models.conditional import ConditionalVAE as ConditionalVAE
    from tfvae.models.encoder_decoder import Decoder as Decoder
    from tfvae.models.encoder_decoder import Encoder as Encoder
    from tfvae.models.hierarchical import HierarchicalVAE as HierarchicalVAE
    from tfvae.models.ladder import LadderVAE as LadderVAE
    from tfvae.models.level import Level as Level
    from tfvae.models.levels_pixel_cnn import LevelsPixelCNN as LevelsPixelCNN
    from tfvae.models.loading import load_model as load_model
    from tfvae.models.missing import MissingDataVAE as MissingDataVAE
    from tfvae.models.pixel_cnn import PixelCNN as PixelCNN
    from tfvae.models.semi_supervised import SemiSupervisedVAE as SemiSupervisedVAE
    from tfvae.models.stages import StagedModel as StagedModel
    from tfvae.models.vae import VAE as VAE
    from tfvae.models.vq_vae import VQVAE as VQVAE
    from tfvae.models.vq_vae_2 import VQVAE2 as VQVAE2
    from tfvae.models.with_prior import ModelWithPrior as ModelWithPrior
    from tfvae.noise import Noise as Noise
    from tfvae.objectives.base import Nats as Nats
    from tfvae.training.phases import Phase as Phase

_HOMES = {
    "VAE": "models.vae",
    "VQVAE": "models.vq_vae",
    "VQVAE2": "models.vq_vae_2",
    "Autoencoder": "models.autoencoder",
    "ConditionalVAE": "models.conditional",
    "LatentVariableModel": "models.base",
    "SemiSupervisedVAE": "models.semi_supervised",
    "MissingDataVAE": "models.missing",
    "HierarchicalVAE": "models.hierarchical",
    "LadderVAE": "models.ladder",
    "Level": "models.level",
    "CodeLevel": "models.code_level",
    "PixelCNN": "models.pixel_cnn",
    "LevelsPixelCNN": "models.levels_pixel_cnn",
    "StagedModel": "models.stages",
    "ModelWithPrior": "models.with_prior",
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
    "corruptions": None,
    "data": None,
    "evaluation": None,
    "export": None,
    "flows": None,
    "heads": None,
    "missingness": None,
    "networks": None,
    "objectives": None,
    "presets": None,
    "priors": None,
    "quantisers": None,
    "random": None,
    "serving": None,
    "uses": None,
}

__all__ = ["__version__", *_HOMES]
__getattr__, __dir__ = lazy(__name__, _HOMES)
register_with_keras()
