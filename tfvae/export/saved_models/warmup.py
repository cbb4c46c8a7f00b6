"""Warm-up requests, which TensorFlow Serving replays before it makes a version available.

The file is a TFRecord of `tensorflow.serving.PredictionLog` messages. They are written field by
field here, so that exporting needs no `tensorflow-serving-api`:

    PredictionLog  { predict_log = 6 }      PredictLog { request = 1 }
    PredictRequest { model_spec = 1, map<string, TensorProto> inputs = 2 }
    ModelSpec      { name = 1, signature_name = 3 }

References:
    tensorflow_serving/apis/{prediction_log,predict,model}.proto
    https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.export.limits import MAX_ROWS
from tfvae.export.publishing import WARMUP_FILE
from tfvae.export.saved_models.requests import plain_request
from tfvae.export.servables.signatures import ServedSignature

# `allowed_batch_sizes` of export/batching.config: the sizes a batching server pads requests to.
WARMED_BATCH_SIZES = (1, 8, 32, 128, MAX_ROWS)


def check_warmup(batch_sizes: Sequence[int]) -> None:
    """Raises `UserError` for a size that the exported signatures refuse."""
    for rows in batch_sizes:
        if positive_int("warmup_batch_sizes", rows) > MAX_ROWS:
            raise UserError(
                f"warmup_batch_sizes has {rows}; a request has at most {MAX_ROWS} rows, and "
                "max_batch_size of a batching server must not exceed that either."
            )


def write_warmup(
    folder: Path,
    servable: str,
    signatures: Mapping[str, ServedSignature],
    batch_sizes: Sequence[int] = WARMED_BATCH_SIZES,
) -> Path:
    """Writes one request per signature and batch size below a SavedModel's folder.

    Args:
        folder: the SavedModel's version folder.
        servable: the model's name in the requests.
        signatures: what to call, `serving_default` included.
        batch_sizes: rows of the requests; a batching server refuses to load a version whose
            warm-up exceeds its `max_batch_size`.

    Returns:
        The file's path.
    """
    path = folder / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for rows in batch_sizes:
            for name, signature in signatures.items():
                inputs = plain_request(signature, rows)
                writer.write(_prediction_log(servable, name, inputs))
    return path


def _prediction_log(model: str, signature: str, inputs: Mapping[str, tf.Tensor]) -> bytes:
    spec = _field(1, model.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for name, tensor in inputs.items():
        request += _field(2, _field(1, name.encode()) + _field(2, tensor.SerializeToString()))
    return _field(6, _field(1, request))


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field: its tag, the length as a varint, the payload."""
    size, length = b"", len(payload)
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload
