"""Makes the files of an export and measures each against the live model."""

import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, file_name, sampler_file
from tfvae.export.tflite_files.data import TestData
from tfvae.export.tflite_files.quality import TestBound, errors
from tfvae.export.tflite_files.report import FileReport, TFLiteReport
from tfvae.export.tflite_files.runtime import LiteRTFile, arena_bytes
from tfvae.export.tflite_files.verify import arrays, check_sampler, same, sampled

SEED = 20_240_607  # of the latents that errors are measured on and int8 is calibrated with
LATENTS = 256  # to measure errors on
CALIBRATION_LATENTS = 1024  # the largest bound the range: what lies beyond is cut off


@dataclass(frozen=True)
class _Part:
    """What differs between decoder and encoder."""

    name: str
    convert: Callable[[str], bytes]
    signature: str  # arrays in, arrays out
    argument: str
    inputs: np.ndarray
    expected: Mapping[str, np.ndarray]
    judged: str  # the output whose errors are reported
    one_call: Callable[[int], tuple[str, dict[str, Any]]]  # rows -> signature, inputs
    change: Callable[[Callable[[np.ndarray], Mapping[str, np.ndarray]]], float] | None


def make(
    vae: Any, variants: Sequence[str], data: TestData, limit: float, allow: Collection[str]
) -> tuple[dict[str, bytes], TFLiteReport]:
    """Returns the files to publish by name, and the report on all of them.

    Raises:
        ExportError: if a file can't be made, or the sampler or a float32 file drifts.
    """
    bound = None if data.images is None else TestBound(vae, data.images)
    files, rows = {}, []
    with tf.device("CPU"):  # accelerators round differently
        parts = (_decoder(vae, bound), _encoder(vae, bound, data))
    for part in parts:
        for variant in dict.fromkeys(variants):
            content = part.convert(variant)
            row = _measure(vae, part, variant, content, limit, variant in allow)
            rows.append(row)
            if not row.refused:
                files[row.file] = content
    report = TFLiteReport(
        files=rows,
        max_nll_change=limit,
        test_nll=None if bound is None else -bound.live,
        test_images=0 if data.images is None else len(data.images),
        num_samples=0 if bound is None else bound.num_samples,
        runtime=f"ai-edge-litert {version('ai-edge-litert')}, {platform.machine()}, 1 thread",
    )
    return files, report


def browser_file(vae: Any, num_samples: int) -> bytes:
    """The decoder with fixed sizes, compared with the live model."""
    sampler = sampler_file(vae, num_samples)
    content = decoder_file(vae, "float32", np.zeros([0, vae.latent_size]), sampler, num_samples)
    got = LiteRTFile(content).run("sample_seeded", seed=-5)
    same("the browser's decoder", got, sampled(vae, num_samples, -5))
    return content


def _decoder(vae: Any, bound: TestBound | None) -> _Part:
    calibration = vae.prior.sample(CALIBRATION_LATENTS, SEED, 1.0).numpy()
    z = calibration[:LATENTS]
    expected = DecoderServable(vae, share=lambda f: f).decode(tf.constant(z))
    sampler = sampler_file(vae)
    return _Part(
        name="decoder",
        convert=lambda variant: decoder_file(vae, variant, calibration, sampler),
        signature="decode",
        argument="z",
        inputs=z,
        expected=arrays(expected),
        judged="probs" if "probs" in expected else "loc",
        one_call=lambda rows: ("sample_seeded", {"num_samples": rows, "seed": 1}),
        change=None if bound is None else bound.change_with_decoder,
    )


def _encoder(vae: Any, bound: TestBound | None, data: TestData) -> _Part:
    images = data.images
    if images is None:
        images = np.random.default_rng(SEED).random((LATENTS, *vae.image_shape), np.float32)
    expected = EncoderServable(vae, share=lambda f: f).encode(tf.constant(images))
    return _Part(
        name="encoder",
        convert=lambda variant: encoder_file(vae, variant, data.calibration),
        signature="encode",
        argument="images",
        inputs=images,
        expected=arrays(expected),
        judged="mean",
        one_call=lambda rows: ("encode", {"images": np.resize(images, (rows, *vae.image_shape))}),
        change=None if bound is None else bound.change_with_encoder,
    )


def _measure(
    vae: Any, part: _Part, variant: str, content: bytes, limit: float, allowed: bool
) -> FileReport:
    file, name = LiteRTFile(content), file_name(part.name, variant)

    def call(rows: np.ndarray) -> Mapping[str, np.ndarray]:
        return file.run(part.signature, **{part.argument: rows})

    outputs = call(part.inputs)
    if variant == "float32":
        same(name, outputs, part.expected)
    if part.name == "decoder":
        check_sampler(vae, file, name, variant)
    change = None if part.change is None else part.change(call)
    one, many = part.one_call(1), part.one_call(64)
    mean_error, max_error = errors(outputs, part.expected, part.judged)
    return FileReport(
        file=name,
        part=part.name,
        variant=variant,
        size=len(content),
        mean_error=mean_error,
        max_error=max_error,
        nll_change=change,
        latency_1=file.latency(one[0], **one[1]),
        latency_64=file.latency(many[0], **many[1]),
        arena_1=arena_bytes(content, one[0], **one[1]),
        arena_64=arena_bytes(content, many[0], **many[1]),
        refused=change is not None and not (allowed or change <= limit),
    )
