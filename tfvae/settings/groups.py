"""What a run asks once: the arguments of the functions that it calls, in groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfvae import signatures
from tfvae.signatures import Argument
from tfvae.values import adapter


@dataclass(frozen=True)
class Group:
    """A function of which a run sets arguments.

    Attributes:
        path: "package.module:function".
        given: Arguments that are no settings.
        renamed: Argument -> the setting's name, where it is another.
        defaults: Setting -> a default other than the function's.
    """

    path: str
    given: tuple[str, ...]
    renamed: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Argument]:
        """Setting -> the argument that it is."""
        return {
            name: argument.replace(default=self.defaults.get(name, argument.default))
            for name, argument in self._named().items()
        }

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as arguments of the function: those that differ from its defaults."""
        named = self._named().items()
        return {a.name: values[name] for name, a in named if values[name] != a.default}

    def _named(self) -> dict[str, Argument]:
        return {
            self.renamed.get(name, name): argument
            for name, argument in signatures.read_signature(self.path).arguments.items()
            if name not in self.given and adapter(argument.annotation)
        }


GROUPS = {
    "data": Group(
        "tfvae.data.loading:load",
        ("seed", "first_epoch"),
        {"name_or_path": "dataset", "size": "image_size"},
        {"dataset": "digits"},
    ),
    "model": Group(
        "tfvae.settings.building:build_model", ("settings", "event_shape", "conditions")
    ),
    "optimizer": Group("tfvae.settings.building:optimizer", ("settings", "steps")),
    "training": Group(
        "tfvae.runs.fitting:fit", ("model", "settings", "folder", "datasets", "report", "begun")
    ),
    "evaluation": Group("tfvae.runs.measuring:measure", ("model", "test", "seed")),
}
