"""Messages in the words of the command line: flags where Python has arguments."""

import re

from tfvae.settings.groups import GROUPS
from tfvae.settings.known import flag

# argument=value: a word, a quoted text or a tuple.
_ASSIGNED = re.compile(r"\b([a-z_]+)=(\([^()]*\)|\"[^\"]*\"|'[^']*'|[\w.+-]*\w)")


def in_flags(message: str) -> str:
    """A message with `--image-size H,W` for `size=(H, W)`.

    Args:
        message: of an error of the user's, about the argument of a function that a run calls.
    """
    renamed = {a: s for group in GROUPS.values() for a, s in group.renamed.items()}
    known = {s for group in GROUPS.values() for s in group.settings()}

    def said(match: re.Match) -> str:
        argument, value = match.groups()
        name = renamed.get(argument, argument)
        if name not in known:
            return match[0]
        bare = re.sub(r"[()\"' ]", "", value)
        return f"{flag(name)} {bare}"

    return _ASSIGNED.sub(said, message)
