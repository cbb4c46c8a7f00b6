"""One version of a model: a SavedModel on disk, loaded in plain TensorFlow."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

GRAPH = "saved_model.pb"


@dataclass(frozen=True)
class Spec:
    """A tensor's type, and its shape with None for free sizes; None for a free rank."""

    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    def fits(self, array: np.ndarray) -> bool:
        """Whether an array has this shape."""
        if self.shape is None:
            return True
        return len(self.shape) == array.ndim and all(
            size in (None, actual) for size, actual in zip(self.shape, array.shape, strict=True)
        )

    def elements(self, rows: int, repeats: int) -> int:
        """How many elements an output has, where free sizes are rows, then repeats."""
        free = [rows, repeats]
        sizes = [free.pop(0) if size is None and free else size for size in self.shape or ()]
        return math.prod(1 if size is None else size for size in sizes)


@dataclass(frozen=True)
class Signature:
    """A loaded signature: a function of named tensors, and what they are."""

    function: Any
    inputs: dict[str, Spec]
    outputs: dict[str, Spec]


@dataclass(frozen=True)
class Version:
    """A loaded version.

    Args:
        model: the servable's name.
        number: its version.
        signatures: by name.
        definitions: `SignatureDef` messages by name, for metadata.
        keep: what holds the variables while the version is in use.
    """

    model: str
    number: int
    signatures: dict[str, Signature]
    definitions: dict[str, Any]
    keep: Any


def load(model: str, number: int, folder: Path) -> Version:
    """Loads the SavedModel in `folder`.

    Raises:
        Exception: whatever TensorFlow raises for a folder that holds none, or a broken one.
    """
    loaded = tf.saved_model.load(str(folder))
    message = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
    definitions = dict(message.meta_graphs[0].signature_def)
    signatures = {name: _signature(function) for name, function in loaded.signatures.items()}
    return Version(model, number, signatures, definitions, loaded)


def numbers(folder: Path) -> list[int]:
    """The versions that a model's folder holds, rising: numeric names, with a graph inside."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:  # not a folder, or no longer there
        return []
    numeric = [name for name in names if name.isascii() and name.isdigit()]
    return sorted(int(name) for name in numeric if (folder / name / GRAPH).is_file())


def _signature(function: Any) -> Signature:
    inputs = function.structured_input_signature[1]
    outputs = function.structured_outputs
    return Signature(
        function,
        {name: _spec(value) for name, value in inputs.items()},
        {name: _spec(value) for name, value in outputs.items()},
    )


def _spec(value: Any) -> Spec:
    rank = value.shape.rank
    return Spec(value.dtype, None if rank is None else tuple(value.shape.as_list()))
