"""The nearest known name to a wrong one. Imports nothing heavy."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """ " Did you mean 'mnist'?", or nothing where no known word resembles this one."""
    word = str(word).lower()
    for candidate in (word, word.replace("_", "-"), word.replace("-", "_")):
        close = difflib.get_close_matches(candidate, list(known), n=1, cutoff=0.5)
        if close:
            return f" Did you mean {close[0]!r}?"
    return ""
