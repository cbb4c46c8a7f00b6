"""From a model to `.tflite` bytes, in four variants, with operations that TFLite has built in."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.publishing import ExportError
from tfvae.export.quiet import quiet_notes
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.tflite_files.join import join
from tfvae.export.tflite_files.quiet import quiet, reason

CALIBRATION_ROWS = 16  # rows of one calibration step

Specs = Mapping[str, tf.TensorSpec]
Endpoint = tuple[Callable[..., Mapping[str, tf.Tensor]], Specs]


def file_name(part: str, variant: str) -> str:
    """The name of a file, such as "decoder.tflite" or "encoder_int8.tflite"."""
    return f"{part}.tflite" if variant == "float32" else f"{part}_{variant}.tflite"


def decoder_file(
    vae: Any, variant: str, latents: np.ndarray, sampler: bytes, rows: int | None = None
) -> bytes:
    """`decode`, `sample` and `sample_seeded` in one file.

    Args:
        vae: a built `tfvae.VAE`.
        variant: one of `VARIANTS`; the sampler stays float32 in all of them.
        latents: `z [N, D]` to calibrate int8 with.
        sampler: `sampler_file(vae, rows)`, which is the same for all variants.
        rows: None leaves the batch size free; a number fixes it.
    """
    servable = DecoderServable(vae, share=_unshared)

    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = servable.decode(z)
        live = {name: outputs[name] for name in parameter_names(outputs)}
        return {**outputs, "mean": vae.decoder.head.distribution(**live).mean()}

    z = {"z": tf.TensorSpec([rows, vae.latent_size], tf.float32)}
    decoder = convert({"decode": (decode, z)}, variant, {"z": latents})
    return join(sampler, decoder, {"images": "mean", "z": "z"}, keep="decode", but="mean")


def encoder_file(vae: Any, variant: str, images: np.ndarray | None) -> bytes:
    """`encode`: images to the posterior's parameters, mean and standard deviation.

    In the int8 variant the network computes in 8 bits and the head in float32, with weights in 8
    bits: softplus and the standard deviation in 8 bits cost 64 nats (full covariance, D = 50).
    """
    encoder = vae.encoder
    x = {"images": tf.TensorSpec([None, *vae.image_shape], tf.float32)}

    def network(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"features": tf.cast(encoder.network(images, training=False), tf.float32)}

    def head(features: tf.Tensor) -> dict[str, tf.Tensor]:
        return moments(encoder, encoder.head.parameters(features))

    if variant != "int8":
        encode = {"encode": (lambda images: moments(encoder, encoder.parameters(images)), x)}
        return convert(encode, variant, {})
    first = convert({"encode": (network, x)}, "int8", {"images": images})
    traced = tf.function(head, autograph=False).get_concrete_function(
        features=_features(network, x)
    )
    second = convert({"head": (head, {"features": _features(network, x)})}, "dynamic", {})
    return join(first, second, {name: name for name in traced.structured_outputs})


def _features(network: Callable, x: Specs) -> tf.TensorSpec:
    shape = (
        tf.function(network, autograph=False)
        .get_concrete_function(**x)
        .structured_outputs["features"]
        .shape
    )
    return tf.TensorSpec(shape, tf.float32)


def moments(encoder: Any, parameters: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Parameters, mean and standard deviation of a posterior, as the SavedModel's `encode`."""
    posterior = encoder.head.distribution(**parameters)
    if "scale_tril" in parameters:
        # TFP takes the diagonal of L L^T by MatrixDiagPart, which TFLite has not built in.
        stddev = tf.norm(parameters["scale_tril"], axis=-1)
    else:
        stddev = posterior.stddev()
    return {**parameters, "mean": posterior.mean(), "stddev": stddev}


def parameter_names(outputs: Mapping[str, Any]) -> list[str]:
    """Which of a servable's outputs are the distribution's parameters, not derived from them."""
    return [name for name in outputs if name not in ("probs", "mean", "stddev")]


def sampler_file(vae: Any, rows: int | None = None) -> bytes:
    """`sample` and `sample_seeded`, both to z; with fixed `rows` they have no `num_samples`."""
    scalar = tf.TensorSpec([], tf.int32)

    def sample_seeded(seed: tf.Tensor, num_samples: Any = rows) -> dict[str, tf.Tensor]:
        return {"z": vae.prior.sample(num_samples, seed, 1.0)}

    def sample(num_samples: Any = rows) -> dict[str, tf.Tensor]:
        # Seeds (0, 0) make TFLite seed itself anew in every process. tf.random.uniform would bake
        # the global seed into the file: the same samples at each start of an app.
        uniform = tf.raw_ops.RandomUniform(shape=[2], dtype=tf.float32, seed=0, seed2=0)
        high, low = tf.unstack(tf.cast(uniform * 32768.0, tf.int32))
        return sample_seeded(high * 32768 + low, num_samples)

    count = {"num_samples": scalar} if rows is None else {}
    seeded = (sample_seeded, {**count, "seed": scalar})
    return convert({"sample": (sample, count), "sample_seeded": seeded}, "float32", {})


def convert(
    endpoints: Mapping[str, Endpoint], variant: str, representative: Mapping[str, np.ndarray]
) -> bytes:
    """Converts tensor functions to one file with a signature for each.

    They go through a SavedModel: straight from concrete functions the converter left out the
    weights. And its variables are tracked one by one, because those inside a Keras layer were left
    out of the file as well, which then returned NaN.
    """
    functions = {
        name: tf.function(function, autograph=False).get_concrete_function(**specs)
        for name, (function, specs) in endpoints.items()
    }
    module = tf.Module()
    module.model_variables = _variables(functions.values())
    with tempfile.TemporaryDirectory() as folder, quiet():
        with quiet_notes():
            tf.saved_model.save(module, folder, signatures=functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(endpoints))
        _configure(converter, variant, next(iter(endpoints)), representative)
        try:
            return converter.convert()
        except Exception as error:  # the converter raises its own, and bare RuntimeErrors
            raise ExportError(reason(variant, error)) from error


def _configure(
    converter: Any, variant: str, signature: str, representative: Mapping[str, np.ndarray]
) -> None:
    builtins = tf.lite.OpsSet.TFLITE_BUILTINS
    converter.target_spec.supported_ops = [builtins]
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, builtins]
        converter.representative_dataset = lambda: _batches(signature, representative)


def _batches(
    signature: str, arrays: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    rows = min(len(values) for values in arrays.values())
    for start in range(0, rows, CALIBRATION_ROWS):
        batch = {name: values[start : start + CALIBRATION_ROWS] for name, values in arrays.items()}
        yield signature, batch


def _unshared(function: Callable) -> Callable:
    """Inlines what signatures share: the converter inlines every call anyway."""
    return function


def _variables(functions: Sequence[Any]) -> list[tf.Variable]:
    return list({id(v): v for function in functions for v in function.graph.variables}.values())
