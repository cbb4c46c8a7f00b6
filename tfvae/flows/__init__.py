"""Steps of normalizing flows, one a file: maps of z whose Jacobian's determinant is known."""

from tfvae.distributions.pushforward import Moved
from tfvae.flows.affine_coupling import AffineCoupling
from tfvae.flows.base import FlowStep
from tfvae.flows.householder import Householder
from tfvae.flows.inverse_autoregressive import InverseAutoregressive
from tfvae.flows.masked_autoregressive import MaskedAutoregressive
from tfvae.flows.planar import Planar
from tfvae.flows.radial import Radial
from tfvae.flows.spline_coupling import SplineCoupling

__all__ = [
    "AffineCoupling",
    "FlowStep",
    "Householder",
    "InverseAutoregressive",
    "MaskedAutoregressive",
    "Moved",
    "Planar",
    "Radial",
    "SplineCoupling",
]
