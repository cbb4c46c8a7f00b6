"""Predict requests and answers in JSON: the row format and the columnar one.

    {"signature_name": ..., "instances": [{"z": [...], ...}, ...]}  ->  {"predictions": [...]}
    {"signature_name": ..., "inputs": {"z": [[...], ...], ...}}     ->  {"outputs": ...}

An only input or output may go, and comes back, without its name.

References:
    https://www.tensorflow.org/tfx/serving/api_rest; tensorflow_serving/util/json_tensor.cc
"""

from typing import Any

from tfvae.errors import UserError
from tfvae.serving.json_tensors import NamedArrays, dumps, from_json, is_base64, loads, to_json
from tfvae.serving.server.refusals import invalid


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body; raises `RefusedError` if it is none."""
    try:
        document = loads(body)
    except UserError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid("JSON Value: Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid("JSON Value not formatted correctly. 'signature_name' key must be a string")
    if ("instances" in document) == ("inputs" in document):
        raise invalid("Expecting one of the keys 'inputs' and 'instances', and only one of them")
    return document


def inputs(document: dict[str, Any], specs: dict[str, Any]) -> NamedArrays:
    """The tensors of a request for a signature whose inputs are `specs`, or `RefusedError`."""
    if "inputs" in document:
        columns = document["inputs"]
        if not isinstance(columns, dict) or is_base64(columns):
            columns = _of_the_only_input(columns, specs)
        missing = ", ".join(sorted(specs.keys() - columns.keys()))
        if missing:  # TensorFlow Serving, too, ignores names that it has no use for
            raise invalid(f"Missing named input: {missing} in 'inputs' object.")
    else:
        columns = _columns_of_rows(document["instances"], specs)
    arrays = {}
    for name, spec in specs.items():
        try:
            arrays[name] = from_json(columns[name], spec.dtype.as_numpy_dtype)
        except UserError as error:
            raise invalid(f"Failed to process input {name!r}: {error}") from None
    return arrays


def answer(document: dict[str, Any], outputs: NamedArrays) -> bytes:
    """The answer in the request's format; `RefusedError` for rows of unequal number."""
    columns = {name: to_json(array, name.endswith("_bytes")) for name, array in outputs.items()}
    only = next(iter(columns.values())) if len(columns) == 1 else None
    if "inputs" in document:
        return dumps({"outputs": columns if only is None else only}, outputs.values())
    shapes = {name: array.shape for name, array in outputs.items()}
    if len({shape[:1] for shape in shapes.values()}) != 1 or () in shapes.values():
        raise invalid(f"Tensors have inconsistent batch sizes ({shapes}); use the 'inputs' format")
    if only is None:
        rows = zip(*columns.values(), strict=True)
        only = [dict(zip(columns, row, strict=True)) for row in rows]
    return dumps({"predictions": only}, outputs.values())


def _of_the_only_input(value: Any, specs: dict[str, Any]) -> dict[str, Any]:
    if len(specs) != 1:
        names = ",".join(sorted(specs))
        raise invalid(f"a plain value/list, but expecting an object with the inputs {names}")
    return dict.fromkeys(specs, value)


def _columns_of_rows(rows: Any, specs: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(rows, list) or not rows:
        raise invalid("Expecting 'instances' to be a list/array with values in it")
    named = [isinstance(row, dict) and not is_base64(row) for row in rows]
    if not any(named):
        return _of_the_only_input(rows, specs)
    for index, row in enumerate(rows):
        if not named[index] or row.keys() != specs.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. "
                f"JSON object keys must be equal to: {','.join(sorted(specs))}"
            )
    return {name: [row[name] for row in rows] for name in specs}
