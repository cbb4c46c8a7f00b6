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
NAMES = ["none", "\x00", "ü" * 50, "x" * 5000, "../vae", "serving_default "]


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
    body = json.dumps(_document(model)).encode()
    at = generator.randrange(len(body))
    more = generator.choice([b"}", b"]", b"\x00", b"{}", b",", b"[1"])
    no_utf8 = body[:at] + b"\xff" + body[at + 1 :]
    return generator.choice([body[:at], generator.randbytes(at), no_utf8, body + more])


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
    inputs, signature = document["inputs"], {"signature_name": document["signature_name"]}
    name = generator.choice(list(inputs))
    renamed = {other + "x" * (other == name): value for other, value in inputs.items()}
    forms = [
        signature,
        document | {"inputs": renamed},
        document | {"instances": [1.0]},
        signature | {"instances": [inputs, generator.choice(JUNK)]},
        generator.choice([[], [document], "inputs", 7, None, True]),
    ]
    return json.dumps(generator.choice(forms)).encode()


def _deep(model, generator):
    depth = generator.choice([40, 500, 5_000, 100_000])
    opened, closed = generator.choice([("[", "]"), ('{"inputs":', "}")])
    text = opened * depth + "1" + closed * generator.choice([depth, 0])
    return f'{{"inputs": {text}}}'.encode()


def _wrong_signature(model, generator):
    wrong = generator.choice([*NAMES, True, [[]]])
    return json.dumps(_document(model) | {"signature_name": wrong}).encode()


def _too_much(model, generator):
    document = _document(model)
    inputs = document["inputs"]
    if model == "vae":
        inputs["num_samples"] = [generator.choice(NUMBERS[:4])]
    elif model == "decoder":
        inputs["z"] = [[0.0, 0.0, NUMBERS[0]]]
    else:
        inputs["x"] = [IMAGE, [generator.choice(NUMBERS)]]
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
        message.model_spec.signature_name = generator.choice(NAMES)
    return message.SerializeToString()
