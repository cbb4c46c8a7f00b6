"""From what is given to all settings of a run, checked as the signatures say.

In what is given, an argument may go by its own name ("num_components" for "prior.num_components")
wherever that can mean one thing only.
"""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tfvae import catalogue, values
from tfvae.data.catalogue import CATALOGUE
from tfvae.errors import UserError
from tfvae.settings.errors import SettingError
from tfvae.settings.known import asked_once, flag, member_arguments, short_names
from tfvae.settings.settings import CODES_OF, FIRST_STAGE, MEANS_OF, Settings
from tfvae.settings.typed import full_name
from tfvae.signatures import COMPUTED, REQUIRED, Argument

DEFAULTS = {
    "model": "vae",
    "network": "mlp",
    "levels": "mlp",
    "conditionals": "gated",
    "posterior": "diag",
    "quantiser": "vq",
    "prior": "standard_normal",
    "objective": "elbo",
    "corruption": None,
    "missing_process": None,
    "schedule": "constant",
    "callback": None,
}
# Which choices there are for what a model's constructor takes.
_PARTS = {
    "encoder": ("network", "posterior"),
    "network": ("network",),
    "quantiser": ("quantiser",),
    "decoder": ("network", "likelihood"),
    "levels": ("levels",),
    "conditionals": ("conditionals",),
    "prior": ("prior",),
    "objective": ("objective",),
    "corruption": ("corruption",),
    "missing_process": ("missing_process",),
}


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
        given: Values by the settings' names or the arguments', "STAGE.NAME" for those of a stage.
        base: Values by the settings' full names, such as a preset's. Those of members that `given`
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
        found = values.as_tuples(base.get(name, argument.default))
        if found is REQUIRED:
            raise SettingError(name, f"is needed: {argument.text or 'it has no default.'}")
        return found

    of_stages = {name: _own(given, name) for name in stages}
    given = {n: v for n, v in given.items() if n.partition(".")[0] not in stages}
    _check_full_names(base)
    found = {name: value(name, argument, name) for name, argument in asked_once().items()}
    known = CATALOGUE.get(found["dataset"])
    if known is None and os.path.exists(found["dataset"]):
        found["dataset"] = os.path.abspath(found["dataset"])
    if found["binarisation"] is None:
        grey = known is None or found["dequantise"] is not None
        found["binarisation"] = "none" if grey else known.binarisation
    bits = found["binarisation"] != "none" or (known is not None and known.bits)
    chosen = _choices({**base, **given}, "bernoulli" if bits else "normal")
    owned = member_arguments(chosen)
    typed = {full_name(name, chosen, owned): name for name in given}
    members = {name: value(name, argument, typed.get(name)) for name, argument in owned.items()}
    members = {name: value for name, value in members.items() if value is not COMPUTED}
    return Settings({**found, **chosen, **members}, _stages(stages, of_stages, read))


def _check_full_names(base: Mapping[str, Any]) -> None:
    """Refuses a key that nothing would read: of no setting, or an argument without its kind."""
    known = [name for name in base if name in asked_once() or name in catalogue.KINDS]
    if len(known) == len(base):
        return
    owned = member_arguments(_choices(base, "bernoulli"))
    for name in base:
        if name in known or name in owned:
            continue
        means = short_names(owned).get(name, [])
        say = f" Say {' or '.join(means)}." if means else ""
        raise SettingError(
            name,
            "is no setting's full name, which a preset gives, nor one of the members that it "
            f"chooses.{say}",
            () if means else [flag(each) for each in (*asked_once(), *catalogue.KINDS, *owned)],
        )


def _own(given: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """What is given for a stage, by the names that it has there."""
    start = f"{stage}."
    return {n.removeprefix(start): v for n, v in given.items() if n.startswith(start)}


def _stages(
    described: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Mapping[str, Any]],
    read: Callable[[str, Any], Any],
) -> dict[str, Settings]:
    made: dict[str, Settings] = {}
    for name, changes in described.items():
        try:
            stage = settings(given[name], settings(changes), read)
        except SettingError as error:
            known = [f"--{name}.{flag.removeprefix('--')}" for flag in error.known]
            raise SettingError(f"{name}.{error.name}", error.reason, known) from None
        stages = (FIRST_STAGE, *made)
        sources = [f"{kind}{known}" for known in stages for kind in (CODES_OF, MEANS_OF)]
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
    defaults |= catalogue.KINDS["model"].choices.get(named.get("model", DEFAULTS["model"]), {})
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
