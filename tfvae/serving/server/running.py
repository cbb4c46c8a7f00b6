"""Checks a request against a signature, and runs it."""

import numpy as np
import tensorflow as tf

from tfvae.export.servables.signatures import COUNTS
from tfvae.serving import codes
from tfvae.serving.server.limits import Limits
from tfvae.serving.server.refused import RefusedError, invalid
from tfvae.serving.server.versions import Signature, Spec

Arrays = dict[str, np.ndarray]


def run(signature: Signature, inputs: Arrays, limits: Limits) -> Arrays:
    """The outputs of a signature.

    Raises:
        RefusedError: for inputs that don't fit, for too much, and for what the model refuses.
    """
    check(signature, inputs)
    _bound(signature, inputs, limits)
    try:
        tensors = {
            name: tf.constant(array, signature.inputs[name].dtype) for name, array in inputs.items()
        }
        outputs = {name: value.numpy() for name, value in signature.function(**tensors).items()}
    except tf.errors.OpError as error:
        code = codes.NAMES.get(error.error_code, "UNKNOWN")
        raise RefusedError(code, _reason(error.message)) from error
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from error
    except MemoryError as error:
        raise RefusedError("RESOURCE_EXHAUSTED", "out of memory") from error
    total = sum(array.size for array in outputs.values())
    if total > limits.elements:
        raise _too_much("the answer would hold", total, limits.elements, "numbers")
    return outputs


def check(signature: Signature, inputs: Arrays) -> None:
    """Compares names, types and shapes with the signature's.

    Raises:
        RefusedError: if they differ.
    """
    sent, expected = set(inputs), set(signature.inputs)
    if sent != expected:
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_names(sent)}) != len({_names(expected)}). "
            f"Sent extra: {_names(sent - expected)}. "
            f"Missing but required: {_names(expected - sent)}."
        )
    for name, array in inputs.items():
        spec = signature.inputs[name]
        if array.dtype != spec.dtype.as_numpy_dtype:
            raise invalid(
                f"input {name!r} expects type {spec.dtype.name}, received {array.dtype.name}"
            )
        if not spec.fits(array):
            raise invalid(
                f"input {name!r} expects shape {_shape(spec)}, received {list(array.shape)}"
            )


def _bound(signature: Signature, inputs: Arrays, limits: Limits) -> None:
    """Refuses requests whose answer, or whose work, is larger than the limits."""
    rows = max((array.shape[0] for array in inputs.values() if array.ndim), default=1)
    counts = [inputs[name] for name in COUNTS if name in inputs]
    repeats = max([1, *(int(array.max()) for array in counts if array.size)])
    if rows * repeats > limits.draws:
        raise _too_much("rows times samples or steps is", rows * repeats, limits.draws, "")
    elements = sum(spec.elements(rows, repeats) for spec in signature.outputs.values())
    if elements > limits.elements:
        raise _too_much("the answer would hold", elements, limits.elements, "numbers")


def _reason(message: str) -> str:
    """TensorFlow's message without where in the graph it happened."""
    return message.split("\n\t [[")[0].rpartition("<stack traces unavailable>\n")[2]


def _too_much(what: str, received: int, limit: int, unit: str) -> RefusedError:
    return RefusedError(
        "RESOURCE_EXHAUSTED",
        f"{what} {received} {unit}".rstrip() + f"; this server allows {limit}: split the request",
    )


def _names(names: set[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _shape(spec: Spec) -> list[int]:
    return [-1 if size is None else size for size in spec.shape or ()]
