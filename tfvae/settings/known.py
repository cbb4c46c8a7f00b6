"""What settings there are: what a run asks once, and the arguments of chosen members."""

from collections.abc import Iterable, Mapping

from tfvae import catalogue
from tfvae.settings.groups import GROUPS
from tfvae.signatures import Argument


def asked_once() -> dict[str, Argument]:
    """The settings that are of no member."""
    return {n: a for group in GROUPS.values() for n, a in group.settings().items()}


def member_arguments(chosen: Mapping[str, str | None]) -> dict[str, Argument]:
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
