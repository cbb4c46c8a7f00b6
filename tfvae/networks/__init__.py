"""Networks: tensors to features. Any Keras layer or model serves in their place."""

from tfvae.networks.cells import GenerativeCell, InferenceCell, SqueezeExcitation
from tfvae.networks.codes_above import CodesAbove
from tfvae.networks.combining import Combine
from tfvae.networks.conv import Conv, ConvTranspose
from tfvae.networks.joining import SideBySide
from tfvae.networks.masked import MADE
from tfvae.networks.mlp import MLP
from tfvae.networks.nvae import NVAEConv, NVAEConvTranspose
from tfvae.networks.pixel_cnn import GatedPixelCNN
from tfvae.networks.pixel_snail import PixelSNAIL
from tfvae.networks.residual import ResidualConv, ResidualConvTranspose
from tfvae.networks.unet import UNet

__all__ = [
    "MADE",
    "MLP",
    "CodesAbove",
    "Combine",
    "Conv",
    "ConvTranspose",
    "GatedPixelCNN",
    "GenerativeCell",
    "InferenceCell",
    "NVAEConv",
    "NVAEConvTranspose",
    "PixelSNAIL",
    "ResidualConv",
    "ResidualConvTranspose",
    "SideBySide",
    "SqueezeExcitation",
    "UNet",
]
