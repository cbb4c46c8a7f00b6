"""Replays a version's own warm-up requests before it answers any, as TensorFlow Serving does."""

from pathlib import Path

import tensorflow as tf

from tfvae.export.publishing import WARMUP_FILE
from tfvae.serving.server.limits import Limits
from tfvae.serving.server.running import run
from tfvae.serving.server.versions import Version


def warm_up(version: Version, folder: Path) -> int:
    """Runs the first recorded request of each signature: that optimises its graph.

    Larger batches of the same graph need no more than that in TensorFlow on a CPU.

    Returns:
        How many were run; 0 where nothing is recorded.

    Raises:
        Exception: if the file is broken or the model fails on its own requests.
    """
    if not (folder / WARMUP_FILE).is_file():
        return 0
    from tensorflow_serving.apis import prediction_log_pb2

    done = set()
    for record in tf.data.TFRecordDataset(str(folder / WARMUP_FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name or "serving_default"
        if name in done:
            continue
        done.add(name)
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        run(version.signatures[name], inputs, Limits())
    return len(done)
