"""How much a model that is loaded may make, by what its file holds.

A few bytes of configuration can ask for a layer of terabytes. Its weights would have to be in the
file, so what is made beyond them is refused, before there is memory for it.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.models.weight_files import Stored

# What a model makes and a file need not hold: metrics, states of generators, counts.
_SPARE_BYTES, _SPARE_VARIABLES = 1 << 20, 1000


@contextlib.contextmanager
def bounded_variables(weights: Collection[Stored]) -> Iterator[None]:
    """Refuses variables beyond those of a file.

    Args:
        weights: What the file says of each.

    Raises:
        UserError: in place of the variable that is too much.
    """
    left = _SPARE_BYTES + sum(weight.bytes for weight in weights)
    number = _SPARE_VARIABLES + len(weights)

    def create(following: Callable[..., tf.Variable], **options: Any) -> tf.Variable:
        nonlocal left, number
        number -= 1
        left -= _bytes(options["initial_value"])
        if left < 0 or number < 0:
            raise UserError("its configuration asks for more weights than are in the file")
        return following(**options)

    with tf.variable_creator_scope(create):
        yield


def _bytes(initial: Any) -> int:
    """The size of a variable, its initial value being described and not made."""
    if callable(initial):
        with tf.__internal__.FuncGraph("initial_value").as_default():
            initial = initial()
    value = tf.convert_to_tensor(initial) if not tf.is_tensor(initial) else initial
    return value.dtype.size * (value.shape.num_elements() or 0)
