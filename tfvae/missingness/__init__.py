"""Why entries are missing, given what they are: p(seen|x), one process a file."""

from tfvae.missingness.base import MissingProcess
from tfvae.missingness.linear_masking import LinearMasking
from tfvae.missingness.self_masking import SelfMasking

__all__ = ["LinearMasking", "MissingProcess", "SelfMasking"]
