"""The warm-up file, read with TensorFlow Serving's own messages and replayed."""

import pytest
import tensorflow as tf

from tfvae.export.publishing import WARMUP_FILE
from tfvae.export.saved_models.warmup import WARMED_BATCH_SIZES

prediction_log_pb2 = pytest.importorskip(
    "tensorflow_serving.apis.prediction_log_pb2",
    reason="reading PredictionLog needs tensorflow-serving-api (the serving extra)",
)
MAXIMUM_RECORDS = 1_000  # TensorFlow Serving's limit


def logs(path):
    for record in tf.data.TFRecordDataset(str(path / WARMUP_FILE)).as_numpy_iterator():
        yield prediction_log_pb2.PredictionLog.FromString(record)


@pytest.mark.parametrize("servable", ["encoder", "decoder", "vae"])
def test_every_signature_and_batch_size_is_replayed(exported, signatures, servable):
    seen = set()
    for log in logs(exported.paths[servable]):
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == servable
        signature = signatures[servable][request.model_spec.signature_name]
        tensors = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        (rows,) = {len(value) for value in tensors.values()}
        outputs = signature(**{name: tf.constant(value) for name, value in tensors.items()})
        for value in outputs.values():
            assert value.shape[0] == rows
            assert not value.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(value)))
        seen.add((request.model_spec.signature_name, rows))
    assert seen == {(name, rows) for name in signatures[servable] for rows in WARMED_BATCH_SIZES}
    assert len(seen) <= MAXIMUM_RECORDS


def test_the_file_stays_small(exported):
    for path in exported.paths.values():
        assert (path / WARMUP_FILE).stat().st_size < 30_000  # equal rows are written once
