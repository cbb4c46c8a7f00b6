"""The error of a setting."""

from collections.abc import Iterable

from tfvae.errors import UserError
from tfvae.settings.known import flag
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
