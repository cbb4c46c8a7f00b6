"""Models: what wires networks, heads, priors and objectives into a `keras.Model`."""

from tfvae.models.autoencoder import Autoencoder
from tfvae.models.base import LatentVariableModel
from tfvae.models.code_level import CodeLevel
from tfvae.models.conditional import ConditionalVAE
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.hierarchical import HierarchicalVAE
from tfvae.models.ladder import LadderVAE
from tfvae.models.level import Level
from tfvae.models.levels_pixel_cnn import LevelsPixelCNN
from tfvae.models.missing import MissingDataVAE
from tfvae.models.pixel_cnn import PixelCNN
from tfvae.models.semi_supervised import SemiSupervisedVAE
from tfvae.models.vae import VAE
from tfvae.models.vq_vae import VQVAE
from tfvae.models.vq_vae_2 import VQVAE2

__all__ = [
    "VAE",
    "VQVAE",
    "VQVAE2",
    "Autoencoder",
    "CodeLevel",
    "ConditionalVAE",
    "Decoder",
    "Encoder",
    "HierarchicalVAE",
    "LadderVAE",
    "LatentVariableModel",
    "Level",
    "LevelsPixelCNN",
    "MissingDataVAE",
    "PixelCNN",
    "SemiSupervisedVAE",
]
