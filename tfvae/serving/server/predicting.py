"""One version of a model: a SavedModel, loaded in plain TensorFlow, and its signatures run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfvae.export.publishing import WARMUP_FILE
from tfvae.serving.json_tensors import NamedArrays
from tfvae.serving.server.refusals import Limits, RefusedError, invalid

GRAPH = "saved_model.pb"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}  # TensorFlow's, too


@dataclass(frozen=True)
class Version:
    """A version: the model's name, its number, and its `SignatureDef`s by name.

    One that can't be loaded has an error instead; `files` is what it was made of, see `files_of`.
    """

    model: str
    number: int
    files: Any
    loaded: Any = None
    definitions: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def signature(self, name: str) -> Any:
        """The function of a signature, "" for the default one; `RefusedError` if there is none."""
        name = name or "serving_default"
        if name not in self.loaded.signatures:
            raise RefusedError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        return self.loaded.signatures[name]


def files_of(folder: Path) -> list[tuple]:
    """What changes with the files of a folder: their names, sizes and times."""
    found = ((path, path.stat()) for path in sorted(folder.rglob("*")))
    return [(path.name, status.st_size, status.st_mtime_ns) for path, status in found]


def load_servable(folder: Path, files: list[tuple]) -> Version:
    """Loads and warms up `MODEL/NUMBER`.

    Of the recorded requests the first of each signature is replayed: that optimises its graph, and
    larger batches of the same graph need no more than that in TensorFlow on a CPU. A folder that
    holds no model, or a broken one, raises whatever TensorFlow does.
    """
    message = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
    definitions = dict(message.meta_graphs[0].signature_def)
    loaded = tf.saved_model.load(str(folder))
    version = Version(folder.parent.name, int(folder.name), files, loaded, definitions)
    first: dict[Any, Any] = {}
    if (folder / WARMUP_FILE).is_file():
        for record in tf.data.TFRecordDataset(str(folder / WARMUP_FILE)):
            request = PredictionLog.FromString(record.numpy()).predict_log.request
            first.setdefault(request.model_spec.signature_name, request)
    for name, request in first.items():
        inputs = {key: tf.make_ndarray(proto) for key, proto in request.inputs.items()}
        run(version.signature(name), inputs, Limits())
    return version


def run(function: Any, inputs: NamedArrays, limits: Limits) -> NamedArrays:
    """The outputs of a signature; `RefusedError` for what doesn't fit, or the model refuses."""
    specs = function.structured_input_signature[1]
    if inputs.keys() != specs.keys():
        raise invalid(f"expected the inputs {sorted(specs)}, received {sorted(inputs)}")
    for name, array in inputs.items():
        shape, dtype = specs[name].shape, specs[name].dtype
        if array.dtype != dtype.as_numpy_dtype or not shape.is_compatible_with(array.shape):
            raise invalid(
                f"input {name!r} expects {dtype.name} of shape {shape}, received "
                f"{array.dtype.name} of shape {array.shape}"
            )
    try:
        tensors = {name: tf.constant(array, specs[name].dtype) for name, array in inputs.items()}
        outputs = {name: value.numpy() for name, value in function(**tensors).items()}
    except tf.errors.OpError as error:
        # TensorFlow's message without where in the graph it happened.
        reason = error.message.split("\n\t [[")[0].rpartition("<stack traces unavailable>\n")[2]
        raise RefusedError(_CODES[error.error_code], reason) from error
    except MemoryError as error:
        raise RefusedError("RESOURCE_EXHAUSTED", "out of memory") from error
    if (numbers := sum(array.size for array in outputs.values())) > limits.elements:
        reason = f"{numbers} numbers in the answer; this server sends {limits.elements} at most"
        raise RefusedError("RESOURCE_EXHAUSTED", reason)
    return outputs
