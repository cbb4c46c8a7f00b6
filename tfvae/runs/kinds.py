"""Kinds of setting: each checks a value and reads its text form."""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfvae.errors import UserError
from tfvae.suggestions import nearest

DEFAULT = "default"  # the text of None: the library's or the data set's own default


@dataclass(frozen=True)
class Number:
    """A finite number, or a whole one, in a range; None where `optional`."""

    whole: bool = False
    minimum: float = -math.inf
    above: float = -math.inf
    maximum: float = math.inf
    below: float = math.inf
    optional: bool = False

    def parse(self, text: str) -> Any:
        """Reads the text form."""
        if self.optional and text == DEFAULT:
            return None
        try:
            return int(text) if self.whole else float(text)
        except ValueError:
            raise UserError(f"{text!r} is not {self.expected()}.") from None

    def check(self, value: Any) -> Any:
        """Returns the value as an int or float, or raises `ValueError`."""
        if value is None and self.optional:
            return None
        kind = numbers.Integral if self.whole else numbers.Real
        valid = isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
        inside = valid and self.minimum <= value <= self.maximum and self.above < value < self.below
        if not inside:
            raise UserError(f"{value!r} is not {self.expected()}.")
        return int(value) if self.whole else float(value)

    def expected(self) -> str:
        """What is accepted, in words."""
        limits = (
            (self.minimum, "of at least {}"),
            (self.above, "above {}"),
            (self.maximum, "of at most {}"),
            (self.below, "below {}"),
        )
        said = " and ".join(form.format(f"{n:.10g}") for n, form in limits if math.isfinite(n))
        noun = "a whole number" if self.whole else "a number"
        return f"{noun} {said}".rstrip() + (f", or {DEFAULT!r}" if self.optional else "")

    def metavar(self) -> str:
        """The option's value in a help page."""
        return "INTEGER" if self.whole else "NUMBER"


@dataclass(frozen=True)
class Choice:
    """One of some words, or, with `number`, a number instead."""

    words: tuple[str, ...]
    number: Number | None = None

    def parse(self, text: str) -> Any:
        """Reads the text form."""
        if self.number is None or text in self.words:
            return self.check(text)
        try:
            return self.number.parse(text)
        except ValueError:
            return self.check(text)

    def check(self, value: Any) -> Any:
        """Returns the value, or raises `ValueError` with the nearest word."""
        if isinstance(value, str) and value in self.words:
            return value
        if self.number is not None and not isinstance(value, str):
            return self.number.check(value)
        raise UserError(f"{value!r} is not {self.expected()}.{nearest(value, self.words)}")

    def expected(self) -> str:
        """What is accepted, in words."""
        words = ", ".join(self.words)
        words = f"one of {words}" if len(self.words) > 1 else repr(self.words[0])
        return f"{words} or {self.number.expected()}" if self.number else words

    def metavar(self) -> str:
        """The option's value in a help page."""
        return "|".join((*self.words, *(("NUMBER",) if self.number else ())))


@dataclass(frozen=True)
class WholeNumbers:
    """A list of whole numbers of at least 1; `length` fixes how many, `optional` allows None."""

    length: int | None = None
    empty: bool = False
    optional: bool = False

    def parse(self, text: str) -> Any:
        """Reads "200,200"; "none" is the empty list."""
        if self.optional and text == DEFAULT:
            return None
        try:
            return tuple(int(part) for part in text.split(",")) if text != "none" else ()
        except ValueError:
            raise UserError(f"{text!r} is not {self.expected()}.") from None

    def check(self, value: Any) -> Any:
        """Returns a tuple of ints, or raises `ValueError`."""
        if value is None and self.optional:
            return None
        valid = isinstance(value, Sequence) and not isinstance(value, str)
        valid = valid and all(type(number) is int and number >= 1 for number in value)
        if not valid or (not value and not self.empty) or self.length not in (None, len(value)):
            raise UserError(f"{value!r} is not {self.expected()}.")
        return tuple(value)

    def expected(self) -> str:
        """What is accepted, in words."""
        count = f"{self.length} " if self.length else ""
        other = [", or 'none'"] * self.empty + [f", or {DEFAULT!r}"] * self.optional
        return f"{count}whole numbers of at least 1 such as '64,64'{''.join(other)}"

    def metavar(self) -> str:
        """The option's value in a help page."""
        return "N,N" if self.length == 2 else "N,N,..."


@dataclass(frozen=True)
class Text:
    """Any text that is not empty."""

    def parse(self, text: str) -> str:
        """Reads the text form."""
        return self.check(text)

    def check(self, value: Any) -> str:
        """Returns the value, or raises `ValueError`."""
        if not isinstance(value, str) or not value:
            raise UserError(f"{value!r} is not {self.expected()}.")
        return value

    def expected(self) -> str:
        """What is accepted, in words."""
        return "a text"

    def metavar(self) -> str:
        """The option's value in a help page."""
        return "TEXT"
