"""The settings of a run: names and values, all checked, that follow from signatures.

A setting is what a run asks once ("epochs"), a choice among members ("prior") or an argument of
the member that was chosen ("prior.num_components"). In what is given, an argument may go by its
own name ("num_components") wherever that can mean one thing only.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tfvae import catalogue, values
from tfvae.data.catalogue import CATALOGUE, describe
from tfvae.errors import UserError
from tfvae.settings.groups import GROUPS
from tfvae.settings.names import SettingError, arguments, asked_once, flag, full_name
from tfvae.signatures import COMPUTED, REQUIRED, Argument

FIRST_STAGE, CODES_OF = "first", "codes of "
DEFAULTS = {
    "model": "vae",
    "network": "mlp",
    "posterior": "diag",
    "prior": "standard_normal",
    "objective": "elbo",
    "schedule": "constant",
    "callback": None,
}
# Which choices there are for what a model's constructor takes.
_PARTS = {
    "encoder": ("network", "posterior"),
    "decoder": ("network", "likelihood"),
    "prior": ("prior",),
    "objective": ("objective",),
}


class Settings(Mapping):
    """Everything that decides a run's result, by name; `settings` makes it.

    Args:
        values: Setting -> value.
        stages: Name -> the settings of a further stage, whose "dataset" is "codes of STAGE".
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

    @property
    def discrete(self) -> bool:
        """Whether the likelihood that was chosen is of bits or counts, and not a density."""
        if "likelihood" not in self:
            return False
        return getattr(catalogue.constructor("likelihood", self["likelihood"]), "discrete", False)

    @property
    def source(self) -> str:
        """The stage whose codes are the data."""
        return self["dataset"].removeprefix(CODES_OF)

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

    def model(self, event_shape: Sequence[int] | None = None) -> Any:
        """A fresh, built and uncompiled model, with weights from the seed.

        Args:
            event_shape: Of one example. None: that of the data set, if it has a name.

        Example:
            >>> from tfvae import presets
            >>> presets.get("digits", latent_size=2).model().latent_size
            2
        """
        from tfvae.settings.building import build  # TensorFlow, and only where it is needed

        if event_shape is None:
            event_shape = describe(self["dataset"]).fields["x"].shape
        return build(self, event_shape, **self.group("model"))

    def config(self, event_shape: Sequence[int] | None = None) -> dict[str, Any]:
        """The model as `keras.saving.deserialize_keras_object` reads it."""
        import keras

        return keras.saving.serialize_keras_object(self.model(event_shape))


def settings(
    given: Mapping[str, Any],
    base: Mapping[str, Any] = MappingProxyType({}),
    read: Callable[[str, Any], Any] = values.check,
    stages: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Settings:
    """All settings of a run: what is given, what it is based on, and defaults for the others.

    Binarisation and likelihood follow from the data set unless they are given; its path becomes
    absolute, because the run may be evaluated from another folder.

    Args:
        given: Values by the settings' names or the arguments'.
        base: Values by the settings' names, such as a preset's. Those of members that `given`
            replaces by others count where the others take them.
        read: (annotation, what is given) -> value: `values.parse` where texts are given.
        stages: Name -> what is given for a further stage, "dataset" being "codes of STAGE" where
            STAGE is "first" or one before it.

    Raises:
        SettingError: names what is wrong as it was given.
    """

    def value(name: str, argument: Argument, typed: str | None) -> Any:
        if typed in given:
            try:
                return read(argument.annotation, given[typed])
            except UserError as error:
                raise SettingError(typed, str(error)) from None
        found = values.frozen(base.get(name, argument.default))
        if found is REQUIRED:
            raise SettingError(name, f"is needed: {argument.text or 'it has no default.'}")
        return found

    found = {name: value(name, argument, name) for name, argument in asked_once().items()}
    known = CATALOGUE.get(found["dataset"])
    if known is None and os.path.exists(found["dataset"]):
        found["dataset"] = os.path.abspath(found["dataset"])
    if found["binarisation"] is None:
        found["binarisation"] = known.binarisation if known else "none"
    bits = found["binarisation"] != "none" or (known is not None and known.bits)
    chosen = _choices({**base, **given}, "bernoulli" if bits else "normal")
    owned = arguments(chosen)
    typed = {full_name(name, chosen, owned): name for name in given}
    members = {name: value(name, argument, typed.get(name)) for name, argument in owned.items()}
    members = {name: value for name, value in members.items() if value is not COMPUTED}
    return Settings({**found, **chosen, **members}, _stages(stages))


def _stages(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Settings]:
    made: dict[str, Settings] = {}
    for name, changes in given.items():
        stage = settings(changes)
        sources = [f"{CODES_OF}{known}" for known in (FIRST_STAGE, *made)]
        if stage["dataset"] not in sources:
            raise SettingError(
                "dataset",
                f"of stage {name}: expected {' or '.join(sources)}, received {stage['dataset']!r}.",
            )
        made[name] = stage
    return made


def _choices(named: Mapping[str, Any], likelihood: str) -> dict[str, str | None]:
    """Kind -> member, of the kinds that the model has parts of."""
    defaults = {**DEFAULTS, "likelihood": likelihood}
    chosen = {kind: named.get(kind, defaults[kind]) for kind in catalogue.KINDS}
    for kind, member in chosen.items():
        if member in (None, "none") and defaults[kind] is None:
            chosen[kind] = None
            continue
        try:
            catalogue.signature(kind, member)
        except UserError as error:
            raise SettingError(kind, str(error)) from None
    taken = catalogue.signature("model", chosen["model"]).arguments
    wanted = {kind for part, kinds in _PARTS.items() if part in taken for kind in kinds}
    unwanted = {kind for kinds in _PARTS.values() for kind in kinds} - wanted
    return {kind: member for kind, member in chosen.items() if kind not in unwanted}
