"""Makes the files of an export and measures each against the live model."""

import platform
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.tflite_files.bound import HeldOutBound, NamedArrays
from tfvae.export.tflite_files.convert import decoder_file, file_name, sampler_file
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.parts import Part, decoder_part, encoder_part
from tfvae.export.tflite_files.report import FileReport, TFLiteReport
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.export.tflite_files.verify import check_sampler, random_conditions, same, sampled
from tfvae.models.capabilities import Decodes, Encodes, Generates, Rebuilds, require

# The output whose errors are reported: the first of these that a part returns.
JUDGED = ("probs", "mean", "loc")


def make(
    model: Any, variants: Sequence[str], data: ExportData, limit: float, allow: Collection[str]
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
        bound = HeldOutBound(model, data.examples)
    elif set(variants) != {"float32"}:
        require(model, "a variant other than float32", Encodes, Decodes, Rebuilds)
    files, rows = {}, []
    with tf.device("CPU"):  # accelerators round differently
        parts = [decoder_part(model, bound)] if isinstance(model, Decodes) else []
        if isinstance(model, Encodes):
            parts.append(encoder_part(model, bound, data))
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


def _measure(
    model: Any, part: Part, variant: str, content: bytes, limit: float, allowed: bool
) -> FileReport:
    file, name = LiteRTFile(content), file_name(part.name, variant)

    def call(inputs: NamedArrays) -> NamedArrays:
        return file.run(part.signature, **inputs)

    outputs = call(part.inputs)
    if variant == "float32":
        same(name, outputs, part.expected)
    if part.name == "decoder" and isinstance(model, Generates):
        check_sampler(model, file, name, variant)
    change = None if part.change is None else part.change(call)
    one, many = part.one_call(1), part.one_call(64)
    judged = next((output for output in JUDGED if output in outputs), next(iter(outputs)))
    mean_error, max_error = _errors(outputs, part.expected, judged)
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


def _errors(outputs: NamedArrays, expected: NamedArrays, name: str) -> tuple[float, float]:
    """Mean and maximal absolute difference of one output."""
    difference = np.abs(np.asarray(outputs[name], np.float64) - np.asarray(expected[name]))
    return float(np.mean(difference)), float(np.max(difference))
