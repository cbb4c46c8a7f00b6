"""From the name that was typed to the setting that it means."""

from collections.abc import Mapping
from typing import Any

from tfvae import catalogue
from tfvae.settings.errors import SettingError
from tfvae.settings.known import asked_once, flag, short_names
from tfvae.signatures import Argument


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
