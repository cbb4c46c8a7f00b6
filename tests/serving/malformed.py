"""Malformed requests, made from a fixed seed: what is wrong with each, and the request."""

import json
import random

import numpy as np
from tensorflow_serving.apis.predict_pb2 import PredictRequest

IMAGE = np.zeros((5, 4, 1)).tolist()
SIGNATURES = {
    "encoder": ("encode", {"x": [IMAGE]}),
    "decoder": ("decode", {"z": [[0.0, 0.0, 0.0]]}),
    "vae": ("score", {"x": [IMAGE], "num_samples": [2], "seed": [1]}),
}
# None of them is a number, a list of numbers or bytes of the right kind.
JUNK = [None, True, "text", {}, [], [[]], {"b64": "AA=="}, {"b64": 7}, [None], ["x"], [{}], [[[]]]]
NUMBERS = [10**400, 2**40, -1, 0, 1.5, 1e308]
NAMES = ["", "none", "\x00", "ü" * 50, "x" * 5000, "../vae", "serving_default "]


def rest_requests(count: int, seed: int):
    """Yields (kind, model, body) of Predict calls over REST."""
    generator = random.Random(seed)
    kinds = [_mutated_text, _wrong_value, _wrong_keys, _deep, _wrong_signature, _too_much]
    for index in range(count):
        model = generator.choice(list(SIGNATURES))
        kind = kinds[index % len(kinds)]
        yield kind.__name__.strip("_"), model, kind(model, generator)


def _document(model):
    signature, inputs = SIGNATURES[model]
    return {"signature_name": signature, "inputs": json.loads(json.dumps(inputs))}


def _mutated_text(model, generator):
    body = bytearray(json.dumps(_document(model)).encode())
    form = generator.randrange(4)
    if form == 0:
        return bytes(body[: generator.randrange(len(body))])
    if form == 1:
        return generator.randbytes(generator.randrange(200))
    if form == 2:  # bytes that are no UTF-8
        body[generator.randrange(len(body))] = 0xFF
        return bytes(body)
    return bytes(body) + generator.choice([b"}", b"]", b"\x00", b"{}", b",", b"[1"])


def _wrong_value(model, generator):
    document = _document(model)
    name = generator.choice(list(document["inputs"]))
    wrong = generator.choice(JUNK)
    if generator.random() < 0.5 and name in ("x", "z"):
        wrong = [[wrong]]
    document["inputs"][name] = wrong
    return json.dumps(document).encode()


def _wrong_keys(model, generator):
    document = _document(model)
    form = generator.randrange(5)
    if form == 0:
        name = generator.choice(list(document["inputs"]))
        document["inputs"][f"{name}x"] = document["inputs"].pop(name)
    elif form == 1:
        document["instances"] = [1.0]
    elif form == 2:
        del document["inputs"]
    elif form == 3:
        document = generator.choice([[], [document], "inputs", 7, None, True])
    else:
        document["instances"] = [document.pop("inputs"), generator.choice(JUNK)]
    return json.dumps(document).encode()


def _deep(model, generator):
    depth = generator.choice([40, 500, 5_000, 100_000])
    opened, closed = generator.choice([("[", "]"), ('{"inputs":', "}")])
    text = opened * depth + "1" + closed * generator.choice([depth, 0])
    return f'{{"inputs": {text}}}'.encode()


def _wrong_signature(model, generator):
    document = _document(model)
    document["signature_name"] = generator.choice([*NAMES, *(junk for junk in JUNK[:6] if junk)])
    if document["signature_name"] in ("", "text"):
        document["signature_name"] = "absent"
    return json.dumps(document).encode()


def _too_much(model, generator):
    document = _document(model)
    inputs = document["inputs"]
    number = generator.choice(NUMBERS[:4] if model == "vae" else NUMBERS[:2])
    if model == "vae":
        inputs["num_samples"] = [number]
    elif model == "decoder":
        inputs["z"] = [[0.0, 0.0, NUMBERS[0]]]
    else:
        inputs["x"] = [IMAGE] * generator.choice([2, 3])
        inputs["x"][-1] = [number]
    return json.dumps(document).encode()


def protobufs(count: int, seed: int, valid: PredictRequest):
    """Yields messages for Predict over gRPC: cut off, with changed bytes or fields, or random."""
    generator = random.Random(seed)
    for index in range(count):
        body = bytearray(valid.SerializeToString())
        form = index % 4
        if form == 0:
            yield bytes(body[: generator.randrange(1, len(body))])
        elif form == 1:
            for _ in range(generator.choice([1, 1, 2, 8])):
                body[generator.randrange(len(body))] = generator.randrange(256)
            yield bytes(body)
        elif form == 2:
            yield generator.randbytes(generator.randrange(1, 300))
        else:
            yield _changed(valid, generator)


def _changed(valid, generator):
    """A proper message whose tensor or model is wrong."""
    message = PredictRequest()
    message.CopyFrom(valid)
    tensor = message.inputs["z"]
    form = generator.randrange(6)
    if form == 0:
        tensor.dtype = generator.choice([0, 2, 3, 7, 9, 20, 21, 23, 101, 1000, -3])
    elif form == 1:
        tensor.tensor_shape.dim[0].size = generator.choice([-1, 0, 1, 3, 2**31, 2**62])
    elif form == 2:
        tensor.tensor_content = generator.randbytes(generator.choice([0, 1, 7, 23, 25, 400]))
        tensor.tensor_shape.dim.add(size=generator.choice([0, 2, 5]))
    elif form == 3:
        tensor.tensor_shape.unknown_rank = True
    elif form == 4:
        message.inputs[generator.choice(["x", "", "z "])].CopyFrom(tensor)
    else:
        message.model_spec.signature_name = generator.choice([name for name in NAMES if name])
    return message.SerializeToString()
