"""What the sections of a docstring say; see STYLE: summary, formulas, Args, References."""

import inspect
import re


def summary(doc: str) -> str:
    """The first line."""
    return doc.partition("\n")[0]


def section(doc: str, name: str) -> str:
    """The text of a section such as "References", without its indentation; "" if there is none."""
    found = re.search(rf"^{name}:\n((?:(?: .*)?\n?)*)", doc, re.MULTILINE)
    return inspect.cleandoc("\n" + found[1]) if found else ""


def argument_texts(doc: str) -> dict[str, str]:
    """Argument -> its text on one line, of the section "Args"."""
    parts = re.split(r"^(\*{0,2}\w+(?:, \w+)*): ", section(doc, "Args"), flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split())
        for names, text in zip(parts[::2], parts[1::2], strict=True)
        for name in names.split(", ")
    }


def equation(doc: str) -> str:
    """The indented formulas before the first section; the first line where that is the formula."""
    prose = re.split(r"^[A-Z]\w+:(?:\n| )", doc, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"(?:^ {4}.*\n?)+", prose, re.MULTILINE)
    first = [summary(doc)] if "=" in summary(doc) else []
    return "\n".join([*first, *(inspect.cleandoc("\n" + block) for block in blocks)])


def first_sentence(text: str) -> str:
    """The text up to its first full stop or semicolon, those after a number apart."""
    return re.split(r"(?<=[^.\d])[.;](?:\s|$)", text, maxsplit=1)[0].rstrip(".")
