"""Directives that write what the catalogue knows, so that no page lists a member twice.

{family}     the index: every member by kind, and the table of contents of their pages
{member}     the head of one member's page, `family/KIND-NAME.md`: how it is chosen, where its
             code and its outside check are, its arguments
{presets}    the table of presets
"""

import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tfvae import catalogue, docstrings, presets, values
from tfvae.settings.known import flag
from tfvae.signatures import REQUIRED

ROOT = Path(__file__).resolve().parents[2]


def page(kind: str, name: str) -> str:
    """The name of a member's page."""
    return f"{kind.replace('_', '-')}-{name.replace('_', '-')}"


def own_members() -> dict[str, tuple[str, str]]:
    """Page -> (kind, name), of tfvae's own members alone: not those of installed packages."""
    return {
        page(kind, name): (kind, name)
        for kind, about in catalogue.KINDS.items()
        for name in about.members
    }


class Family(SphinxDirective):
    """The index of the family."""

    def run(self) -> list[nodes.Node]:
        """Returns a table for each kind, and the hidden table of contents."""
        lines = []
        for kind, about in catalogue.KINDS.items():
            lines += [
                f"## `{flag(kind)}`: {about.text}",
                "",
                "| member | what it is |",
                "| - | - |",
            ]
            for name in about.members:
                summary = docstrings.summary(catalogue.signature(kind, name).doc)
                lines.append(f"| {{doc}}`{name} <{page(kind, name)}>` | {_cell(summary)} |")
            lines.append("")
        lines += ["```{toctree}", ":hidden:", *own_members(), "```"]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class Member(SphinxDirective):
    """The head of a member's page."""

    option_spec: ClassVar[dict[str, Any]] = {"check": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Returns the table and the arguments."""
        kind, name = own_members()[self.env.docname.rpartition("/")[2]]
        signature = catalogue.signature(kind, name)
        module, _, attribute = signature.path.partition(":")
        rows = {
            "chosen by": f"`{flag(kind)} {name}`",
            "in Python": f"{{py:obj}}`~{module}.{attribute}`",
            "code": _file(f"{module.replace('.', '/')}.py"),
            "checked from outside": ", ".join(map(_file, self.options["check"].split())),
        }
        references = docstrings.section(signature.doc, "References")
        if references:
            rows["after"] = _cell(" ".join(references.split()))
        lines = ["| | |", "| - | - |", *(f"| {key} | {value} |" for key, value in rows.items())]
        return self.parse_text_to_nodes("\n".join([*lines, "", *_arguments(kind, name)]))


class Presets(SphinxDirective):
    """The presets."""

    def run(self) -> list[nodes.Node]:
        """Returns their table."""
        rows = [f"| `{name}` | {p.description} |" for name, p in presets.PRESETS.items()]
        return self.parse_text_to_nodes("\n".join(["| preset | what it is |", "| - | - |", *rows]))


def _arguments(kind: str, name: str) -> list[str]:
    rows = []
    for argument in catalogue.arguments(kind, name).values():
        needed = argument.default is REQUIRED
        default = "needed" if needed else f"`{values.default_text(argument.default)}`"
        rows.append(f"| `{argument.name}` | {default} | {_cell(argument.text)} |")
    return ["| argument | default | |", "| - | - | - |", *rows] if rows else []


def _file(path: str) -> str:
    if not (ROOT / path).is_file():
        raise FileNotFoundError(f"no file {path} in {ROOT}")
    return f"{{download}}`{path} </../{path}>`"


def _cell(text: str) -> str:
    """Plain text with `code` in a cell of a Markdown table."""
    parts = text.replace("|", r"\|").split("`")
    parts[::2] = [re.sub(r"[*_~$<]", r"\\\g<0>", part) for part in parts[::2]]
    return "`".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Makes the directives known."""
    for name, directive in (("family", Family), ("member", Member), ("presets", Presets)):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
