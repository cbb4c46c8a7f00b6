"""Makes the files of an export and measures each against the live model."""

import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.saved_models.requests import random_fields
from tfvae.export.servables.decoder import DecoderServable, code_fields
from tfvae.export.servables.signatures import named_codes
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, file_name, sampler_file
from tfvae.export.tflite_files.data import TestData
from tfvae.export.tflite_files.quality import Arrays, TestBound, errors
from tfvae.export.tflite_files.report import FileReport, TFLiteReport
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.export.tflite_files.verify import (
    arrays,
    check_sampler,
    random_conditions,
    same,
    sampled,
)
from tfvae.models.capabilities import Decodes, Encodes, Generates, Rebuilds, require
from tfvae.noise import Noise

SEED = 20_240_607  # of the codes that errors are measured on and int8 is calibrated with
ROWS = 256  # to measure errors on
CALIBRATION_ROWS = 1024  # the largest bound the range: what lies beyond is cut off
# The output whose errors are reported: the first of these that a part returns.
JUDGED = ("probs", "mean", "loc")


@dataclass(frozen=True)
class _Part:
    """What differs between decoder and encoder."""

    name: str
    convert: Callable[[str], bytes]
    signature: str  # arrays in, arrays out
    inputs: Arrays
    expected: Arrays
    one_call: Callable[[int], tuple[str, dict[str, Any]]]  # rows -> signature, inputs
    change: Callable[[Callable[[Arrays], Arrays]], float] | None


def make(
    model: Any, variants: Sequence[str], data: TestData, limit: float, allow: Collection[str]
) -> tuple[dict[str, bytes], TFLiteReport]:
    """Returns the files to publish by name, and the report on all of them.

    Raises:
        ExportError: if a file can't be made, or the sampler or a float32 file drifts.
        UserError: for variants that can't be judged.
    """
    bound = None
    if data.examples is not None and all(
        isinstance(model, needed) for needed in (Encodes, Decodes, Rebuilds)
    ):
        bound = TestBound(model, data.examples)
    elif set(variants) != {"float32"}:
        require(model, "a variant other than float32", Encodes, Decodes, Rebuilds)
    files, rows = {}, []
    with tf.device("CPU"):  # accelerators round differently
        parts = [_decoder(model, bound)] if isinstance(model, Decodes) else []
        if isinstance(model, Encodes):
            parts.append(_encoder(model, bound, data))
    for part in parts:
        for variant in dict.fromkeys(variants):
            content = part.convert(variant)
            row = _measure(model, part, variant, content, limit, variant in allow)
            rows.append(row)
            if not row.refused:
                files[row.file] = content
    examples = data.examples
    report = TFLiteReport(
        files=rows,
        max_nll_change=limit,
        test_nll=None if bound is None else -bound.live,
        test_examples=0 if examples is None else len(next(iter(examples.values()))),
        num_samples=0 if bound is None else bound.num_samples,
        runtime=f"ai-edge-litert {version('ai-edge-litert')}, {platform.machine()}, 1 thread",
    )
    return files, report


def browser_file(model: Any, num_samples: int) -> bytes:
    """The decoder with fixed sizes, compared with the live model."""
    require(model, "the browser's decoder", Decodes, Generates)
    content = decoder_file(model, "float32", {}, sampler_file(model, num_samples), num_samples)
    given = random_conditions(model, num_samples)
    got = LiteRTFile(content).run("sample_seeded", seed=-5, **given)
    same("the browser's decoder", got, sampled(model, num_samples, -5, given))
    return content


def _decoder(model: Any, bound: TestBound | None) -> _Part:
    calibration = _codes(model, CALIBRATION_ROWS)
    inputs = {name: values[:ROWS] for name, values in calibration.items()}
    live = DecoderServable(model, share=lambda function: function)
    sampler = sampler_file(model)

    def one_call(rows: int) -> tuple[str, dict[str, Any]]:
        if sampler is None:
            return "decode", _resized(inputs, rows)
        return "sample_seeded", {"num_samples": rows, "seed": 1, **random_conditions(model, rows)}

    return _Part(
        name="decoder",
        convert=lambda variant: decoder_file(model, variant, calibration, sampler),
        signature="decode",
        inputs=inputs,
        expected=arrays(live.decode(**{name: tf.constant(v) for name, v in inputs.items()})),
        one_call=one_call,
        change=None if bound is None else bound.change_with_decoder,
    )


def _codes(model: Any, rows: int) -> dict[str, np.ndarray]:
    """Inputs of `decode`: codes from the prior, or of a model that has none near 0."""
    given = random_conditions(model, rows)
    if isinstance(model, Generates):
        conditions = {name: tf.constant(values) for name, values in given.items()}
        z = model.generate(Noise(SEED, row=tf.range(rows)), conditions)
        return {**arrays(named_codes(z)), **given}
    fields = code_fields(model)
    return {**random_fields(fields, rows, SEED), **given}


def _encoder(model: Any, bound: TestBound | None, data: TestData) -> _Part:
    inputs, fields = data.examples, model.fields()
    if inputs is None:
        inputs = random_fields(fields, ROWS, SEED)
    live = model.encoder_outputs({name: tf.constant(values) for name, values in inputs.items()})
    return _Part(
        name="encoder",
        convert=lambda variant: encoder_file(model, variant, data.calibration),
        signature="encode",
        inputs=inputs,
        expected=arrays(live),
        one_call=lambda rows: ("encode", _resized(inputs, rows)),
        change=None if bound is None else bound.change_with_encoder,
    )


def _resized(arrays: Arrays, rows: int) -> dict[str, np.ndarray]:
    return {name: np.resize(values, (rows, *values.shape[1:])) for name, values in arrays.items()}


def _measure(
    model: Any, part: _Part, variant: str, content: bytes, limit: float, allowed: bool
) -> FileReport:
    file, name = LiteRTFile(content), file_name(part.name, variant)

    def call(inputs: Arrays) -> Arrays:
        return file.run(part.signature, **inputs)

    outputs = call(part.inputs)
    if variant == "float32":
        same(name, outputs, part.expected)
    if part.name == "decoder" and isinstance(model, Generates):
        check_sampler(model, file, name, variant)
    change = None if part.change is None else part.change(call)
    one, many = part.one_call(1), part.one_call(64)
    judged = next((output for output in JUDGED if output in outputs), next(iter(outputs)))
    mean_error, max_error = errors(outputs, part.expected, judged)
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
        refused=change is not None and not (allowed or change <= limit),
    )
