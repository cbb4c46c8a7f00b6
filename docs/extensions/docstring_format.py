"""Makes reStructuredText of docstrings before napoleon reads them.

The docstrings are read in a terminal first: formulas stand indented between paragraphs, and a short
section may begin on the line of its title ("Shapes: x `[B, D]` -> ...").
"""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import signature, stringify_signature

_TITLE = re.compile(r"^(Shapes|Weights|Logged): (?=\S)")
_SECTION = re.compile(r"^[A-Z][a-z]+:$")
_ITEM = re.compile(r"^\s*([-*]|\d+\.) ")


def formatted(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText with Google's sections."""
    out: list[str] = []
    in_section = joined = False
    for number, line in enumerate(lines):
        title = _TITLE.match(line)
        if title:
            out += ["", f"**{title[1]}**: {line[title.end() :]}"]
            in_section = joined = True
            continue
        if line and not line.startswith(" "):
            in_section, joined = bool(_SECTION.match(line)), False
        begins = line.startswith("    ") and (number == 0 or not lines[number - 1].strip())
        if begins and not in_section and not _ITEM.match(line):
            out += [".. code-block:: text", ""]
        in_code = (line.startswith("    ") and not in_section) or ">>>" in line
        text = line if in_code else _escaped(line)
        out.append(text.strip() if joined else text)
    return out


def _escaped(line: str) -> str:
    """Bars outside of `code`: two of them would be a substitution."""
    parts = line.split("`")
    parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = formatted(lines)
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")  # else napoleon takes what stands before a colon for the type


def _sign(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, found: str | None, returns: Any
) -> tuple[str, Any] | None:
    """Keras' layers have a `__new__(*args, **kwargs)`, which says nothing of their constructor."""
    if what != "class" or found != "(*args, **kwargs)":
        return None
    told = signature(obj.__init__, bound_method=True)
    return stringify_signature(told, show_return_annotation=False, unqualified_typehints=True), None


def setup(app: Sphinx) -> dict[str, Any]:
    """Runs before napoleon, which has the default priority."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-process-signature", _sign)
    return {"parallel_read_safe": True}
