"""What TensorFlow Serving does: merging requests, the REST row format, running in a session.

The former two are rebuilt from its sources (batching_session.cc, json_tensor.cc), which run nowhere
without a container engine.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import IMAGE_SHAPE
from tests.export.test_signatures import SIGNATURES, call, request
from tfvae.export.limits import MAX_SAMPLES_PER_ROW
from tfvae.export.saved_models.warmup import WARMED_BATCH_SIZES


def run_merged(signature, requests):
    """Concatenates along axis 0, pads with the last task's first row, runs, splits."""
    sizes = []
    for inputs in requests:
        assert all(value.ndim >= 1 for value in inputs.values())
        (rows,) = {len(value) for value in inputs.values()}
        sizes.append(rows)
    padding = min(size for size in WARMED_BATCH_SIZES if size >= sum(sizes)) - sum(sizes)
    merged = {
        name: np.concatenate([r[name] for r in requests] + [requests[-1][name][:1]] * padding)
        for name in requests[0]
    }
    outputs = call(signature, **merged)
    for value in outputs.values():
        assert len(value) == sum(sizes) + padding
    starts = np.cumsum([0, *sizes])
    return [
        {name: value[start : start + size] for name, value in outputs.items()}
        for start, size in zip(starts, sizes, strict=False)
    ]


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
def test_merged_requests_get_what_they_would_have_got_alone(vae, signatures, servable, name):
    signature = signatures[servable][name]
    requests = [request(vae, servable, name, rows, seed=rows) for rows in (2, 1, 3)]
    for inputs, merged in zip(requests, run_merged(signature, requests), strict=True):
        for output, value in call(signature, **inputs).items():
            got = merged[output]
            if got.shape != value.shape:  # a neighbour asked for more per row
                got = got[:, : value.shape[1]]
            np.testing.assert_allclose(got, value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("servable", "name"), SIGNATURES)
def test_the_row_format_can_send_and_receive_it(vae, signatures, servable, name):
    inputs = request(vae, servable, name, 3)
    instances = [{key: value[row] for key, value in inputs.items()} for row in range(3)]
    stacked = {key: np.stack([instance[key] for instance in instances]) for key in inputs}
    outputs = call(signatures[servable][name], **stacked)
    (rows,) = {len(value) for value in outputs.values()}
    predictions = [{key: value[row] for key, value in outputs.items()} for row in range(rows)]
    assert len(predictions) == len(instances)


FULL = [("encoder", "sample"), ("decoder", "sample"), ("vae", "interpolate")]


@pytest.mark.parametrize("rows", [[9], [1, 200], [128, 128]])
@pytest.mark.parametrize(("servable", "name"), FULL)
def test_rows_at_their_limit_survive_merging_and_padding(vae, signatures, servable, name, rows):
    """9 rows are padded to 32, 201 to 256: no limit is one of all rows together."""
    requests = [request(vae, servable, name, count) for count in rows]
    for inputs in requests:
        key = "steps" if name == "interpolate" else "num_samples"
        inputs[key] = np.full_like(inputs[key], MAX_SAMPLES_PER_ROW)
    for count, outputs in zip(rows, run_merged(signatures[servable][name], requests), strict=True):
        for value in outputs.values():
            assert value.shape[:2] == (count, MAX_SAMPLES_PER_ROW)


def test_one_instance_of_sample_is_one_prediction_with_its_images(signatures):
    instance = {"num_samples": 4, "first": 0, "seed": 1, "temperature": 1.0}
    dtypes = dict.fromkeys(instance, "int32") | {"temperature": "float32"}
    stacked = {name: np.array([value], dtypes[name]) for name, value in instance.items()}
    images = call(signatures["decoder"]["sample"], **stacked)["x"]
    assert images.shape == (1, 4, *IMAGE_SHAPE)


@pytest.mark.parametrize("servable", ["encoder", "decoder", "vae"])
def test_a_session_runs_it_as_the_server_does(vae, exported, signatures, servable):
    # TensorFlow Serving restores a SavedModel into a session, and feeds and fetches by tensor name.
    names = [name for found, name in SIGNATURES if found == servable]
    requests = {name: request(vae, servable, name, 3) for name in names}
    expected = {name: call(signatures[servable][name], **requests[name]) for name in names}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(exported.paths[servable]))
        for name in names:
            definition = meta.signature_def[name]
            feeds = {definition.inputs[key].name: value for key, value in requests[name].items()}
            fetches = {key: value.name for key, value in definition.outputs.items()}
            got = session.run(fetches, feeds)
            for key, value in expected[name].items():
                np.testing.assert_allclose(got[key], value, rtol=1e-5, atol=1e-5)
