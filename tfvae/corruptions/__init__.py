"""Corruptions: what an encoder sees in x's place while training, one a file."""

from tfvae.corruptions.additive_normal import AdditiveNormal
from tfvae.corruptions.base import Corruption
from tfvae.corruptions.masking import Masking
from tfvae.corruptions.patches import Patches
from tfvae.corruptions.salt_and_pepper import SaltAndPepper

__all__ = ["AdditiveNormal", "Corruption", "Masking", "Patches", "SaltAndPepper"]
