"""The names of settings: what a run asks once, and the arguments of chosen members."""

from collections.abc import Iterable, Mapping
from typing import Any

from tfvae import catalogue
from tfvae.errors import UserError
from tfvae.settings.groups import GROUPS
from tfvae.signatures import Argument
from tfvae.suggestions import nearest


class SettingError(UserError):
    """A setting that is unknown, of the wrong type, or of a member that was not chosen.

    Args:
        name: The setting, as it was given.
        reason: What was received and what was expected.
        known: Of an unknown one, the flags that there are; the nearest is suggested.
    """

    def __init__(self, name: str, reason: str, known: Iterable[str] = ()):
        self.name, self.reason, self.known = name, reason, tuple(known)
        super().__init__(f"{name}: {reason}{nearest(flag(name), self.known)}")


def asked_once() -> dict[str, Argument]:
    """The settings that are of no member."""
    return {n: a for group in GROUPS.values() for n, a in group.settings().items()}


def arguments(chosen: Mapping[str, str | None]) -> dict[str, Argument]:
    """The settings of the members that were chosen: "kind.argument" -> argument."""
    return {
        f"{kind}.{name}": argument
        for kind, member in chosen.items()
        if member is not None
        for name, argument in catalogue.arguments(kind, member).items()
    }


def short_names(owned: Iterable[str]) -> dict[str, list[str]]:
    """Argument -> the settings that it may mean; a name that is asked once means nothing else."""
    shorts: dict[str, list[str]] = {}
    for name in owned:
        short = name.partition(".")[2]
        if short not in asked_once() and short not in catalogue.KINDS:
            shorts.setdefault(short, []).append(name)
    return shorts


def flag(name: str) -> str:
    """A setting as the command line has it."""
    return "--" + name.replace("_", "-")


def full_name(typed: str, chosen: Mapping[str, Any], owned: Mapping[str, Argument]) -> str:
    """The setting that a given name means.

    Args:
        typed: The name, as it was given.
        chosen: Kind -> member.
        owned: The settings of these members.

    Raises:
        SettingError: if it means none, or more than one.
    """
    if typed in asked_once() or typed in chosen or typed in owned:
        return typed
    shorts = short_names(owned)
    means = shorts.get(typed, [])
    if len(means) == 1:
        return means[0]
    if means:
        raise SettingError(typed, f"is ambiguous. Say {' or '.join(map(flag, means))}.")
    if typed in catalogue.KINDS:
        raise SettingError(typed, f"has no effect with --model {chosen['model']}.")
    if owners := _owners(typed):
        raise SettingError(
            typed,
            f"belongs to {' and '.join(f'--{kind} {name}' for kind, name in owners)}, and this run "
            f"has --{owners[0][0]} {chosen.get(owners[0][0])}. Choose that too, or leave it out.",
        )
    known = map(flag, [*asked_once(), *chosen, *owned, *shorts])
    raise SettingError(typed, "no such setting.", known)


def _owners(typed: str) -> list[tuple[str, str]]:
    """The members that were not chosen and have such an argument."""
    return [
        (kind, member)
        for kind in catalogue.KINDS
        for member in catalogue.members(kind)
        for argument in catalogue.arguments(kind, member)
        if typed in (argument, f"{kind}.{argument}")
    ]
