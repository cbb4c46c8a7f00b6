"""Networks whose outputs see only some of the inputs, by masks on their weights."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tfvae.networks.conditioner import Conditioner


@keras.saving.register_keras_serializable("tfvae")
class MADE(Conditioner):
    """Numbers for each entry of z that are functions of the entries before it alone.

        h_1 = activation((W_1 * M_1) z + V c + b_1),  h_i = activation((W_i * M_i) h_{i-1} + b_i),
        out = (W * M) h + b,   d out_i / d z_j = 0 unless j < i

    The masks M are zeros and ones. Entry i of z has degree i = 1 .. D, hidden unit k degree
    k mod D; a hidden unit reads what has at most its degree, and the outputs of entry i read hidden
    units of lower degrees. Units of degree 0 read the context c alone.

    Choose it wherever a density is a product of conditionals, or a Jacobian has to be triangular.

    Args:
        units: Width of each hidden layer, at least one; D or more, or some outputs see less than
            they may.
        num_outputs: Numbers for each entry of z.
        activation: A Keras activation. Default "relu".
        context_size: C, the size of a context that all outputs see; 0 (default) for none.
        reverse: Whether the last entry comes first, as in every second step of a flow.
        **kwargs: Keras layer arguments.

    Shapes: z `[..., B, D]`, c `[B, C]` -> `[..., B, num_outputs * D]`: the first number of all
        entries, then the second.

    Raises:
        UserError: if a size is not a positive integer.

    Example:
        >>> import numpy as np
        >>> MADE([16], 2)(np.zeros((3, 5), "float32")).shape.as_list()
        [3, 10]

    References:
        M. Germain et al., 2015, "MADE: Masked Autoencoder for Distribution Estimation",
        arXiv:1502.03509, eq. 8 to 13. Departures: degrees are assigned in turn, not drawn; degree 0
        is there for the context.
    """

    def __init__(
        self,
        units: Sequence[int],
        num_outputs: int = 1,
        activation: Any = "relu",
        context_size: int = 0,
        reverse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(units, num_outputs, activation, context_size, **kwargs)
        self.reverse = bool(reverse)

    def order(self, input_size: int) -> np.ndarray:
        """Returns the degree of each entry, 1 .. D."""
        degrees = np.arange(1, input_size + 1)
        return degrees[::-1] if self.reverse else degrees

    def masks(self, input_size: int) -> list[np.ndarray | None]:
        """Returns the mask of each layer, float32."""
        degrees = [self.order(input_size), *(np.arange(width) % input_size for width in self.units)]
        masks: list[np.ndarray | None] = [
            _float32(before[:, np.newaxis] <= after)
            for before, after in itertools.pairwise(degrees)
        ]
        outputs = np.tile(degrees[0], self.num_outputs)
        return [*masks, _float32(degrees[-1][:, np.newaxis] < outputs)]

    def output_size(self, input_size: int) -> int:
        """Returns `num_outputs` for each entry."""
        return self.num_outputs * input_size

    def compute_output_shape(self, input_shape: Any, context_shape: Any = None) -> tuple:
        """Returns `(..., num_outputs * D)`."""
        return (*input_shape[:-1], self.output_size(input_shape[-1]))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "reverse": self.reverse}


def _float32(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.float32)
