"""The settings of a run: names and values, all checked, and what is made of them.

A setting is what a run asks once ("epochs"), a choice among members ("prior") or an argument of
the member that was chosen ("prior.num_components").
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfvae import catalogue
from tfvae.data.catalogue import describe
from tfvae.data.fields import Field
from tfvae.settings.groups import GROUPS
from tfvae.settings.known import flag

FIRST_STAGE, CODES_OF, MEANS_OF = "first", "codes of ", "means of "


class Settings(Mapping):
    """Everything that decides a run's result, by name; `settings` makes it.

    Args:
        values: Setting -> value.
        stages: Name -> the settings of a further stage, whose "dataset" is "codes of STAGE" or
            "means of STAGE".
    """

    def __init__(self, values: Mapping[str, Any], stages: Mapping[str, "Settings"]):
        self._values, self.stages = dict(values), dict(stages)

    def __getitem__(self, name: str) -> Any:
        """The value of a setting."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.flat() == other.flat()

    def flat(self) -> dict[str, Any]:
        """All settings by their flags, those of further stages included."""
        found = {flag(name): value for name, value in self.items()}
        for stage, its in self.stages.items():
            found |= {f"stage {stage}: {name}": value for name, value in its.flat().items()}
        return found

    def chain(self) -> list[str]:
        """The last stage and those that it stands on, from the first on."""
        names = [*self.stages][-1:]
        while names and names[0] != FIRST_STAGE:
            names.insert(0, self.stages[names[0]].source)
        return names or [FIRST_STAGE]

    @property
    def discrete(self) -> bool:
        """Whether the likelihood that was chosen is of bits or counts, and not a density."""
        if "likelihood" not in self:
            return False
        return getattr(catalogue.constructor("likelihood", self["likelihood"]), "discrete", False)

    @property
    def source(self) -> str:
        """The stage whose codes are the data."""
        return self["dataset"].removeprefix(CODES_OF).removeprefix(MEANS_OF)

    @property
    def of_means(self) -> bool:
        """Whether the data are posterior means of a stage, and not draws."""
        return self["dataset"].startswith(MEANS_OF)

    def on(self, dataset: str) -> "Settings":
        """The same on another data set."""
        return Settings({**self, "dataset": dataset}, self.stages)

    def group(self, name: str) -> dict[str, Any]:
        """What differs from the defaults of a group's function, as its arguments."""
        return GROUPS[name].arguments(self)

    def build(self, kind: str, **given: Any) -> Any:
        """The member of a kind that was chosen, made of its settings and what the run knows."""
        start = f"{kind}."
        own = {n.removeprefix(start): v for n, v in self.items() if n.startswith(start)}
        return catalogue.build(kind, self[kind], own, given)

    def members(self) -> list[Any]:
        """The chosen members of other packages, imported."""
        return [
            catalogue.constructor(kind, self[kind])
            for kind, described in catalogue.KINDS.items()
            if self.get(kind) is not None and self[kind] not in described.members
        ]

    def model(
        self,
        event_shape: Sequence[int] | None = None,
        conditions: Mapping[str, Field] | None = None,
    ) -> Any:
        """A fresh, built and uncompiled model, with weights from the seed.

        Args:
            event_shape: Of one example. None: that of the data set, if it has a name.
            conditions: The columns beside x that are loaded, by name. None: as the data set, if it
                has a name, describes those that the settings name.

        Example:
            >>> from tfvae import presets
            >>> presets.get("digits", latent_size=2).model().latent_size
            2
        """
        # TensorFlow, and only where it is needed.
        from tfvae.data.hiding import derived_columns
        from tfvae.settings.building import build_model

        if event_shape is None:
            event_shape = describe(self["dataset"]).fields["x"].shape
        if conditions is None:
            names = self["fields"] or ()
            known = dict(describe(self["dataset"]).fields) if names else {}
            derived = derived_columns(self["quadrants"], self["low_resolution"])
            if derived is not None:
                derived.check(known["x"])
                known |= derived.fields(known["x"])
            conditions = {name: known[name] for name in names if name in known and name != "x"}
        return build_model(self, event_shape, conditions, **self.group("model"))

    def config(self, event_shape: Sequence[int] | None = None) -> dict[str, Any]:
        """The model as `keras.saving.deserialize_keras_object` reads it."""
        import keras

        return keras.saving.serialize_keras_object(self.model(event_shape))
