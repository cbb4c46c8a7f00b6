"""The examples that an export is judged and calibrated with."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvae.data.fields import Fields
from tfvae.data.naming import by_name
from tfvae.errors import UserError, UserTypeError
from tfvae.export.servables.choice import check_exportable
from tfvae.training.inputs import are_arrays, checked_inputs

NamedArrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class ExportData:
    """Fields of examples to judge and to calibrate with; None where there are none."""

    examples: NamedArrays | None
    calibration: NamedArrays | None

    @classmethod
    def checked(
        cls, model: Any, variants: Collection[str], data: Any, calibration: Any
    ) -> "ExportData":
        """The data, if the model is built and all that the variants need is there and fits."""
        check_exportable(model)
        if data is None and set(variants) != {"float32"}:
            raise UserError(
                "variants other than float32 are judged by the NLL of test data: pass data=, a few "
                "hundred examples"
            )
        if calibration is None and "int8" in variants:
            raise UserError(
                "int8 needs the ranges of the activations: pass calibration=, a few hundred "
                "training examples"
            )
        fields = model.fields()
        return cls(_arrays("data", data, fields), _arrays("calibration", calibration, fields))


def _arrays(what: str, data: Any, fields: Fields) -> NamedArrays | None:
    if data is None:
        return None
    checked = checked_inputs(data, fields, what)
    if not are_arrays(checked):
        raise UserTypeError(
            f"{what} is of type {type(data).__name__}; expected an array, or a dict of arrays by "
            "field, of a few hundred examples."
        )
    return by_name(checked, fields, what)
