"""What a run asks once: the arguments of the functions that it calls, in groups."""

from dataclasses import dataclass, field
from typing import Any

from tfvae import signatures
from tfvae.signatures import Argument


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
        found = {}
        for argument in signatures.read(self.path).arguments.values():
            name = self.renamed.get(argument.name, argument.name)
            if argument.name not in self.given:
                default = self.defaults.get(name, argument.default)
                found[name] = argument.replace(default=default)
        return found

    def arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """The settings as arguments of the function: those that differ from its defaults."""
        known = signatures.read(self.path).arguments
        named = {a: values[self.renamed.get(a, a)] for a in known if a not in self.given}
        return {a: value for a, value in named.items() if value != known[a].default}


GROUPS = {
    "data": Group(
        "tfvae.data.loading:load",
        ("seed", "first_epoch"),
        {"name_or_path": "dataset", "size": "image_size"},
        {"dataset": "digits"},
    ),
    "model": Group("tfvae.runs.building:build", ("settings", "event_shape")),
    "optimizer": Group("tfvae.runs.building:optimizer", ("settings", "steps")),
    "training": Group(
        "tfvae.runs.training:fit", ("model", "settings", "folder", "datasets", "report", "begun")
    ),
    "evaluation": Group("tfvae.runs.measuring:measure", ("vae", "images", "seed")),
}
