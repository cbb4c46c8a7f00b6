"""XLA and bfloat16, over every training graph: both against float32 without XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import BATCH
from tfvae.noise import training_noise

FIT = {"batch_size": BATCH, "verbose": 0}


@pytest.fixture(scope="module")
def plain(trained_graph):
    """Weights and history of one epoch in float32, without XLA."""
    model = trained_graph.built(jit_compile=False)
    history = model.fit(trained_graph.inputs, **FIT).history
    return model, history


def test_xla_trains_as_without(trained_graph, plain):
    model = trained_graph.built(jit_compile=True)
    history = model.fit(trained_graph.inputs, **FIT).history
    for name, value in plain[1].items():
        # The same draws; three steps of float32 in another order, which normalisation magnifies.
        np.testing.assert_allclose(history[name], value, rtol=5e-4, err_msg=name)


def test_xla_is_what_compile_chooses_where_it_pays(case):
    accelerated = bool(tf.config.list_physical_devices("GPU"))
    assert case.built().jit_compile is (accelerated or case.xla_on_cpu)


def test_mixed_bfloat16_fits_near_float32(trained_graph, plain):
    model = trained_graph.built(policy="mixed_bfloat16", jit_compile=False)
    assert model.encoder.network.compute_dtype == "bfloat16", "else this tests nothing"
    history = model.fit(trained_graph.inputs, **FIT).history
    for name in ("nll", "elbo") if trained_graph.scores else ("nll",):
        # bfloat16 rounds to 2^-9 of a value; the features of two narrow networks.
        np.testing.assert_allclose(history[name], plain[1][name], rtol=0.03, err_msg=name)
    for weight in model.trainable_weights:
        assert weight.dtype == "float32", weight.path


def test_mixed_bfloat16_keeps_heads_and_densities_in_float32(trained_graph):
    model = trained_graph.built(policy="mixed_bfloat16")
    batch, given = trained_graph.batch(BATCH), trained_graph.conditions(BATCH)
    posterior = model.posterior_of(batch)
    z = tf.nest.map_structure(lambda c: tf.zeros((2, BATCH, c.shape[-1])), model.zero_code())
    z_given = model.decoder_inputs(z, given)
    likelihood = model.decoder(z_given)
    tensors = [
        *model.encoder.parameters(model.encoder_inputs(batch)).values(),
        *model.decoder.parameters(z_given).values(),
        *posterior.experimental_sample_and_log_prob(seed=(1, 2)),
        likelihood.log_prob(batch["x"]),
        likelihood.mean(),
        model(batch),
        *model.losses,
    ]
    parts = [model.encoder.head, model.decoder.head]
    if trained_graph.scores:
        noise = training_noise(tf.constant([1, 2]), 2, BATCH)
        draws = model.infer(batch).draw_from(noise)
        tensors += [draws.log_posterior, draws.joint.log_prior, draws.joint.log_likelihood]
        parts += [model.prior, model.objective]
    assert {tensor.dtype for tensor in tensors} == {tf.float32}
    for head in parts:
        assert head.compute_dtype == "float32", head.name
        for layer in head._flatten_layers():
            assert layer.compute_dtype == "float32", layer.name
    assert keras.mixed_precision.dtype_policy().name == "float32"
