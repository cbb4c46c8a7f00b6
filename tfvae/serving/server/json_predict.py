"""Predict requests and answers in JSON: the row format and the columnar one.

    {"signature_name": ..., "instances": [{"z": [...], ...}, ...]}  ->  {"predictions": [...]}
    {"signature_name": ..., "inputs": {"z": [[...], ...], ...}}     ->  {"outputs": ...}

An only input or output may go, and comes back, without its name.

References:
    https://www.tensorflow.org/tfx/serving/api_rest; tensorflow_serving/util/json_tensor.cc, whose
    messages these are
"""

from typing import Any

import numpy as np

from tfvae.serving import json_text
from tfvae.serving.json_tensors import from_json, is_base64, to_json
from tfvae.serving.server.refused import invalid
from tfvae.serving.server.versions import Signature

Arrays = dict[str, np.ndarray]


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        RefusedError: if it is none, or nested deeper than Python's reader goes.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json_text.loads(body)
    except RecursionError:
        raise invalid("JSON Parse error: nested too deeply") from None
    except ValueError as error:  # json's own, bad UTF-8, and integers of thousands of digits
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid("JSON Value: Is not object")
    return document


def signature_name(document: dict[str, Any]) -> str:
    """The signature that a request names, or the default one."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid("JSON Value not formatted correctly. 'signature_name' key must be a string")
    return name or "serving_default"


def inputs(document: dict[str, Any], signature: Signature) -> Arrays:
    """The tensors of a request.

    Raises:
        RefusedError: if they are missing, misnamed, ragged or of another type.
    """
    if "instances" in document and "inputs" in document:
        raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys")
    if "instances" in document:
        columns = _columns_of_rows(document["instances"], list(signature.inputs))
    elif "inputs" in document:
        columns = _columns(document["inputs"], list(signature.inputs))
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    arrays = {}
    for name, value in columns.items():
        try:
            arrays[name] = from_json(value, signature.inputs[name].dtype.as_numpy_dtype)
        except ValueError as error:
            raise invalid(f"Failed to process input {name!r}: {error}") from None
    return arrays


def answer(document: dict[str, Any], outputs: Arrays) -> bytes:
    """The answer in the format that the request was in.

    Raises:
        RefusedError: if rows were asked for and the outputs differ in their number.
    """
    columns = {name: to_json(array, name.endswith("_bytes")) for name, array in outputs.items()}
    only = next(iter(columns.values())) if len(columns) == 1 else None
    if "inputs" in document:
        return json_text.dumps({"outputs": columns if only is None else only}, outputs.values())
    sizes = {name: len(array) if array.ndim else None for name, array in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) != 1:
        listed = ", ".join(f"{name}: {size}" for name, size in sorted(sizes.items()))
        raise invalid(f"Tensors have inconsistent batch sizes ({listed}); use the 'inputs' format")
    if only is not None:
        return json_text.dumps({"predictions": only}, outputs.values())
    rows = zip(*columns.values(), strict=True)
    listed = [dict(zip(columns, row, strict=True)) for row in rows]
    return json_text.dumps({"predictions": listed}, outputs.values())


def _columns(value: Any, names: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or is_base64(value):
        if len(names) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {_listed(names)}"
            )
        return dict.fromkeys(names, value)
    for name in names:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in names}  # TensorFlow Serving, too, ignores other keys


def _columns_of_rows(rows: Any, names: list[str]) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise invalid("Expecting 'instances' to be an list/array")
    if not rows:
        raise invalid("No values in 'instances' array")
    named = isinstance(rows[0], dict) and not is_base64(rows[0])
    if not named and len(names) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            f"required: {_listed(names)}"
        )
    for index, row in enumerate(rows):
        if (isinstance(row, dict) and not is_base64(row)) != named:
            expected = "object" if named else "value/list"
            raise invalid(f"Expecting {expected} but got another at item {index} of input list")
        if named and row.keys() != set(names):
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. "
                f"JSON object keys must be equal to: {_listed(names)}"
            )
    if not named:
        return dict.fromkeys(names, rows)
    return {name: [row[name] for row in rows] for name in names}


def _listed(names: list[str]) -> str:
    return ",".join(sorted(names))
