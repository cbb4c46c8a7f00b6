"""Settings of a run: dataclass fields that know their kind and their help."""

import dataclasses
from typing import Any


class SettingError(ValueError):
    """A setting that is unknown, of the wrong type, out of range or without effect.

    Args:
        name: The setting.
        reason: What was received and what was expected.
    """

    def __init__(self, name: str, reason: str):
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


def setting(default: Any, kind: Any, help: str, only: tuple[str, str] | None = None) -> Any:
    """A field of a settings dataclass.

    Args:
        default: Its default.
        kind: Checks values and reads their text form.
        help: One line.
        only: (setting, value) without which this one has no effect, and is refused.
    """
    return dataclasses.field(default=default, metadata={"kind": kind, "help": help, "only": only})


def check_group(group: Any) -> None:
    """Checks and normalises every field of a frozen settings dataclass.

    Raises:
        SettingError: names the field.
    """
    for field in dataclasses.fields(group):
        try:
            value = field.metadata["kind"].check(getattr(group, field.name))
        except ValueError as error:
            raise SettingError(field.name, str(error)) from None
        object.__setattr__(group, field.name, value)
