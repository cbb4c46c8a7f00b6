"""Decoder and encoder, as far as measuring them differs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.saved_models.requests import random_fields
from tfvae.export.servables.decoder import DecoderServable, code_fields
from tfvae.export.servables.signatures import named_codes
from tfvae.export.tflite_files.bound import HeldOutBound, NamedArrays
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.verify import as_arrays, random_conditions
from tfvae.models.capabilities import Generates
from tfvae.noise import Noise

# Of the codes that errors are measured on and int8 is calibrated with.
CALIBRATION_SEED = 20_240_607
ROWS = 256  # to measure errors on
CALIBRATION_ROWS = 1024  # the largest bound the range: what lies beyond is cut off


@dataclass(frozen=True)
class Part:
    """What differs between decoder and encoder."""

    name: str
    convert: Callable[[str], bytes]
    signature: str  # arrays in, arrays out
    inputs: NamedArrays
    expected: NamedArrays
    one_call: Callable[[int], tuple[str, dict[str, Any]]]  # rows -> signature, inputs
    change: Callable[[Callable[[NamedArrays], NamedArrays]], float] | None


def decoder_part(model: Any, bound: HeldOutBound | None) -> Part:
    """The decoder, measured on codes from the prior."""
    calibration = _codes(model, CALIBRATION_ROWS)
    inputs = {name: values[:ROWS] for name, values in calibration.items()}
    live = DecoderServable(model, share=lambda function: function)
    sampler = sampler_file(model)

    def one_call(rows: int) -> tuple[str, dict[str, Any]]:
        if sampler is None:
            return "decode", _resized(inputs, rows)
        return "sample_seeded", {"num_samples": rows, "seed": 1, **random_conditions(model, rows)}

    return Part(
        name="decoder",
        convert=lambda variant: decoder_file(model, variant, calibration, sampler),
        signature="decode",
        inputs=inputs,
        expected=as_arrays(live.decode(**{name: tf.constant(v) for name, v in inputs.items()})),
        one_call=one_call,
        change=None if bound is None else bound.change_with_decoder,
    )


def _codes(model: Any, rows: int) -> dict[str, np.ndarray]:
    """Inputs of `decode`: codes from the prior, or of a model that has none near 0."""
    given = random_conditions(model, rows)
    if isinstance(model, Generates):
        conditions = {name: tf.constant(values) for name, values in given.items()}
        z = model.generate(Noise(CALIBRATION_SEED, row=tf.range(rows)), conditions)
        return {**as_arrays(named_codes(z)), **given}
    return {**random_fields(code_fields(model), rows, CALIBRATION_SEED), **given}


def encoder_part(model: Any, bound: HeldOutBound | None, data: ExportData) -> Part:
    """The encoder, measured on the data, or where there are none on random fields."""
    fields = required(model.fields())  # the file takes no others
    inputs = random_fields(fields, ROWS, CALIBRATION_SEED)
    if data.examples:
        inputs = {name: values for name, values in data.examples.items() if name in fields}
    live = model.encoder_outputs({name: tf.constant(values) for name, values in inputs.items()})
    return Part(
        name="encoder",
        convert=lambda variant: encoder_file(model, variant, data.calibration),
        signature="encode",
        inputs=inputs,
        expected=as_arrays(live),
        one_call=lambda rows: ("encode", _resized(inputs, rows)),
        change=None if bound is None else bound.change_with_encoder,
    )


def _resized(arrays: NamedArrays, rows: int) -> dict[str, np.ndarray]:
    return {name: np.resize(values, (rows, *values.shape[1:])) for name, values in arrays.items()}
