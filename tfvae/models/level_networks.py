"""The levels of a hierarchy above the first, made of a few numbers: what a run chooses."""

from collections.abc import Sequence
from typing import Any

from tfvae.checks import positive_ints
from tfvae.errors import UserError
from tfvae.heads.posteriors.multivariate_normal_diag import MultivariateNormalDiag
from tfvae.models.level import Level
from tfvae.networks.mlp import MLP
from tfvae.networks.pairs import Activation


def mlp_levels(
    latent_size: int,
    sizes: Sequence[int] = (32, 16, 8, 4),
    units: Sequence[int] = (256, 128, 64, 32),
    depth: int = 2,
    activation: Activation = "leaky_relu",
    batch_normalisation: bool = True,
    dtype: Any = None,
) -> list[Level]:
    """Levels of dense networks and diagonal Normals.

    Args:
        latent_size: Of the first level.
        sizes: Of z of the second level and those above.
        units: Width of the networks between each level and the one below it, as many.
        depth: Hidden layers of each network.
        activation: Of the hidden layers.
        batch_normalisation: Whether each hidden layer is normalised over the batch.
        dtype: A Keras dtype policy.

    Returns:
        The levels from the second up.

    Raises:
        UserError: unless there are as many widths as sizes.

    Example:
        >>> [level.latent_size for level in mlp_levels(64, (32, 16), (256, 128))]
        [32, 16]
    """
    sizes, units = positive_ints("sizes", sizes), positive_ints("units", units)
    if len(sizes) != len(units):
        raise UserError(
            f"There are {len(sizes)} sizes of levels above the first and {len(units)} widths of "
            "networks. Give a width for each size."
        )

    def network(width: int, name: str) -> MLP:
        return MLP([width] * depth, activation, batch_normalisation, name=name, dtype=dtype)

    return [
        Level(
            network(width, f"upward_{number}"),
            MultivariateNormalDiag(size, name=f"posterior_{number}"),
            network(width, f"downward_{number}"),
            MultivariateNormalDiag(below, name=f"prior_{number - 1}"),
            name=f"level_{number}",
        )
        for number, (below, size, width) in enumerate(
            zip((latent_size, *sizes), sizes, units, strict=False), start=2
        )
    ]
