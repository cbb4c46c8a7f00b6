"""What the exported signatures share: their form, and the names of what is no field.

One rule holds for every signature of every servable: **each input has one row per example, and
each output the same rows first**. TensorFlow Serving needs that twice over:

* the REST row format (`"instances"`) stacks one value per instance into every input, so a scalar
  can't be sent in it, and wants outputs of one common length;
* server-side batching concatenates the inputs of several requests along axis 0, refuses scalars and
  unequal lengths, and cuts every output back at the same rows.

So `num_samples`, `first`, `steps`, `seed` and `temperature` are `[B]`, and what is asked for `S`
times a row comes back as `[B, S, ...]`. A row depends on its own inputs only. Where rows ask for
different counts (which is what a server makes of two clients), S is the largest of them; a row's
own count is the beginning of its S entries.

The draws of a seed are numbered, and a row holds those from `first` on: more than a row may hold
are asked for in several rows of one seed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.export.graphs import Graph, traced
from tfvae.export.servables.checks import as_specified

# Inputs that say how much work a request is.
COUNTS = ("num_samples", "steps")
# All inputs that are neither fields nor codes, one number a row.
NUMBERS = (*COUNTS, "first", "seed", "temperature")
Tensors = dict[str, tf.Tensor]


@dataclass(frozen=True)
class ServedSignature:
    """A function from named tensors to named tensors, and what it takes.

    Args:
        function: called with the inputs by name, returns a dict of outputs.
        inputs: name -> `tf.TensorSpec`, whose first dimension is free.
        fields: what an input that is a field of an example may hold, by the input's name.
    """

    function: Callable[..., Tensors]
    inputs: dict[str, tf.TensorSpec]
    fields: Mapping[str, Field] = field(default_factory=dict)

    def concrete(self) -> Graph:
        """Traces the function at its input specs, behind a check of what comes in."""

        def checked(**inputs: tf.Tensor) -> Tensors:
            return self.function(**as_specified(inputs, self.inputs))

        return traced(checked, self.inputs)


def per_row(dtype: tf.DType, shape: tuple[int, ...] = ()) -> tf.TensorSpec:
    """The spec of an input with one value of `shape` per row."""
    return tf.TensorSpec([None, *shape], dtype)


def per_rows(fields: Mapping[str, Field]) -> dict[str, tf.TensorSpec]:
    """The specs of fields."""
    return {name: per_row(tf.as_dtype(f.dtype), f.shape) for name, f in fields.items()}


def per_count(**counts: tf.DType) -> dict[str, tf.TensorSpec]:
    """The specs of inputs with one number per row."""
    return {name: per_row(dtype) for name, dtype in counts.items()}


def check_tensor_names(model: Any, kind: str, names: Iterable[str], taken: Collection[str]) -> None:
    """Raises `UserError` for a name that a signature uses for another of its inputs or outputs."""
    for name in names:
        if name in taken:
            raise UserError(
                f"{type(model).__name__} has a {kind} {name!r}, and that is what its signatures "
                "call another input or output: rename it before exporting."
            )


def named_codes(z: Any) -> Tensors:
    """Codes as named tensors: `z`, or the names of a nest's levels."""
    return {"z": z} if tf.is_tensor(z) else dict(z)


def row_first(z: Any) -> Any:
    """Codes `[S, B, ...]` as `[B, S, ...]`."""

    def swapped(level: tf.Tensor) -> tf.Tensor:
        return tf.transpose(level, [1, 0, *range(2, level.shape.rank)])

    return tf.nest.map_structure(swapped, z)
