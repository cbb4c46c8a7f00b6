"""The `.tflite` files of a model, as bytes, in four variants."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.graphs import traced
from tfvae.export.servables.decoder import code_fields, codes_of
from tfvae.export.servables.signatures import named_codes
from tfvae.export.tflite_files.converter import convert
from tfvae.export.tflite_files.join import join
from tfvae.models.capabilities import EncodesInTwo, Generates, require
from tfvae.noise import Noise

# What one call may ask for: 13 MB of 28 x 28 float32, and some hundred MB of feature maps.
MAX_SAMPLES = 4_096


def file_name(part: str, variant: str) -> str:
    """The name of a file, such as "decoder.tflite" or "encoder_int8.tflite"."""
    return f"{part}.tflite" if variant == "float32" else f"{part}_{variant}.tflite"


def decoder_file(
    model: Any,
    variant: str,
    codes: Mapping[str, np.ndarray],
    sampler: bytes | None,
    rows: int | None = None,
) -> bytes:
    """`decode`, and of a model that generates `sample` and `sample_seeded`, in one file.

    Args:
        model: a built model that decodes.
        variant: one of `VARIANTS`; the sampler stays float32 in all of them.
        codes: inputs of `decode` by name, to calibrate int8 with.
        sampler: `sampler_file(model, rows)`, which is the same for all variants; None for none.
        rows: None leaves the batch size free; a number fixes it.
    """
    fields = {**code_fields(model), **model.conditions()}
    inputs = {n: tf.TensorSpec([rows, *f.shape], f.dtype) for n, f in fields.items()}
    field = next(iter(model.fields()))

    def decode(**named: tf.Tensor) -> dict[str, tf.Tensor]:
        given = {name: named[name] for name in model.conditions()}
        z = codes_of({name: named[name] for name in named if name not in given})
        mean = {} if sampler is None else {_mean(field): model.decode(z, given)}
        return {**model.decoder_outputs(z, given), **mean}

    decoder = convert({"decode": (decode, inputs)}, variant, codes)
    if sampler is None:
        return decoder
    drawn = {name: name for name in code_fields(model)}
    outputs = {field: _mean(field), **drawn}
    return join(sampler, decoder, outputs, keep="decode", but=_mean(field))


def _mean(field: str) -> str:
    """What the mean of x is called until the files are joined: `decode` may return a `mean`."""
    return f"mean_of_{field}"


def encoder_file(model: Any, variant: str, calibration: Mapping[str, np.ndarray] | None) -> bytes:
    """`encode`: examples to what the model's `encoder_outputs` returns.

    In the int8 variant the network computes in 8 bits and the head in float32, with weights in 8
    bits: softplus and the standard deviation in 8 bits cost 64 nats (full covariance, D = 50).

    Raises:
        UserError: for int8, if the model does not split its encoder.
    """
    inputs = {
        n: tf.TensorSpec([None, *f.shape], f.dtype) for n, f in required(model.fields()).items()
    }
    if variant != "int8":
        encode = {"encode": (lambda **batch: model.encoder_outputs(batch), inputs)}
        return convert(encode, variant, {})
    require(model, "an int8 encoder", EncodesInTwo)

    def network(**batch: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"features": model.features(batch)}

    def head(features: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.outputs_of(features)

    first = convert({"encode": (network, inputs)}, "int8", calibration)
    features = traced(network, inputs).structured_outputs["features"]
    spec = {"features": tf.TensorSpec(features.shape, tf.float32)}
    second = convert({"head": (head, spec)}, "dynamic", {})
    return join(first, second, {name: name for name in traced(head, spec).structured_outputs})


def sampler_file(model: Any, rows: int | None = None) -> bytes | None:
    """`sample` and `sample_seeded`, both to codes and the conditions that they were drawn under.

    With fixed `rows` they have no `num_samples`; else it is from 1 to `MAX_SAMPLES`, or LiteRT
    reports that GATHER failed. None for a model that does not generate.
    """
    if not isinstance(model, Generates):
        return None
    scalar = tf.TensorSpec([], tf.int32)
    conditions = model.conditions()  # type: ignore[attr-defined]  # of every model
    given_specs = {n: tf.TensorSpec([rows, *f.shape], f.dtype) for n, f in conditions.items()}

    def sample_seeded(
        seed: tf.Tensor, num_samples: Any = rows, **given: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        count = num_samples if rows is not None else _within_limits(num_samples)
        z = model.generate(Noise(seed, row=tf.range(count)), given)
        passed = {name: tf.identity(value) for name, value in given.items()}
        return {**named_codes(z), **passed}

    def sample(num_samples: Any = rows, **given: tf.Tensor) -> dict[str, tf.Tensor]:
        # Seeds (0, 0) make TFLite seed itself anew in every process. tf.random.uniform would bake
        # the global seed into the file: the same samples at each start of an app.
        uniform = tf.raw_ops.RandomUniform(shape=[2], dtype=tf.float32, seed=0, seed2=0)
        high, low = tf.unstack(tf.cast(uniform * 32768.0, tf.int32))
        return sample_seeded(high * 32768 + low, num_samples, **given)

    counts = {"num_samples": scalar} if rows is None else {}
    seeded = (sample_seeded, {**counts, "seed": scalar, **given_specs})
    return convert(
        {"sample": (sample, {**counts, **given_specs}), "sample_seeded": seeded}, "float32", {}
    )


def _within_limits(num_samples: tf.Tensor) -> tf.Tensor:
    """The count, 1 to `MAX_SAMPLES`; any other ends the call before anything is drawn.

    LiteRT has no assertion among its built-in operations, but refuses to gather from before the
    beginning.
    """
    valid = (num_samples >= 1) & (num_samples <= MAX_SAMPLES)
    return tf.gather([num_samples], tf.where(valid, 0, -1))
