"""The pages of the documentation, and the blocks of code in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted(p for p in DOCS.rglob("*.md") if "notebooks" not in p.parts)
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        kind: the word after its fence, such as "python".
        text: the code.
        line: of the page, from 0, where it begins.
    """

    kind: str
    text: str
    line: int


def tokens(name: str) -> list[Token]:
    """A page, parsed: tables too."""
    return MarkdownIt().enable("table").parse((ROOT / name).read_text("utf-8"))


def blocks(name: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    fences = (token for token in tokens(name) if token.type == "fence")
    return [Block(f.info.strip(), f.content, f.map[0] + 1) for f in fences]


def inline_code(name: str) -> Iterator[str]:
    """What stands between single backticks."""
    for token in tokens(name):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content
