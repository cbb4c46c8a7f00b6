"""All settings of a run. Imports nothing heavy: the command line reads it for `--help`."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfvae.data.catalogue import CATALOGUE
from tfvae.runs.fields import SettingError
from tfvae.runs.groups import Data, Evaluation, Model, Objective, Training
from tfvae.suggestions import nearest


@dataclass(frozen=True)
class Config:
    """Everything that decides a run's result.

    Raises:
        SettingError: a setting of the wrong type, out of range, or without effect.
    """

    data: Data = dataclasses.field(default_factory=Data)
    model: Model = dataclasses.field(default_factory=Model)
    objective: Objective = dataclasses.field(default_factory=Objective)
    training: Training = dataclasses.field(default_factory=Training)
    evaluation: Evaluation = dataclasses.field(default_factory=Evaluation)

    def __post_init__(self):
        """Refuses settings that would have no effect."""
        values = self.flat()
        for group in groups():
            for field in dataclasses.fields(group):
                needed = field.metadata["only"]
                if needed is None or values[field.name] == field.default:
                    continue
                name, value = needed
                if values[name] not in (value, "auto"):
                    raise SettingError(
                        field.name,
                        f"{values[field.name]!r} has no effect with {name}={values[name]!r}. "
                        f"Set {name}={value!r}, or leave it out.",
                    )
        if not self.model.units and self.model.network == "mlp":
            raise SettingError("units", "an mlp needs at least one layer, such as '200,200'.")

    def flat(self) -> dict[str, Any]:
        """All settings by name."""
        return {
            name: value
            for group in dataclasses.fields(self)
            for name, value in vars(getattr(self, group.name)).items()
        }

    def resolve(self) -> "Config":
        """The same settings without "auto": binarisation and likelihood follow from the data set.

        A path becomes absolute: the run may be evaluated from another folder.

        Raises:
            ValueError: an unknown data set, with the nearest name.
        """
        data, model = self.data, self.model
        known = CATALOGUE.get(data.dataset)
        if known is None and os.path.exists(data.dataset):
            data = dataclasses.replace(data, dataset=os.path.abspath(data.dataset))
        if data.binarisation == "auto":
            data = dataclasses.replace(data, binarisation=known.binarisation if known else "none")
        if model.likelihood == "auto":
            binary = data.binarisation != "none" or data.dataset == "binarized_mnist"
            model = dataclasses.replace(model, likelihood="bernoulli" if binary else "normal")
        return dataclasses.replace(self, data=data, model=model)


def groups() -> list[type]:
    """The groups' classes, in order."""
    return [field.default_factory for field in dataclasses.fields(Config)]


def settings() -> dict[str, dataclasses.Field]:
    """All fields by name."""
    return {field.name: field for group in groups() for field in dataclasses.fields(group)}


def from_flat(values: Mapping[str, Any]) -> Config:
    """The settings of these names; those that are absent keep their defaults.

    Raises:
        SettingError: an unknown name, with the nearest one, or a bad value.
    """
    known = settings()
    for name in values:
        if name not in known:
            raise SettingError(name, f"no such setting.{nearest(name, known)}")
    parts = {}
    for part in dataclasses.fields(Config):
        names = [field.name for field in dataclasses.fields(part.default_factory)]
        parts[part.name] = part.default_factory(**{n: values[n] for n in names if n in values})
    return Config(**parts)
