"""Every member of the catalogue has its page, with all that a page of a member has."""

import re

import pytest

from tests.docs.pages import DOCS, blocks
from tests.docs.test_commands import commands
from tfvae import catalogue

MEMBERS = [(kind, name) for kind, about in catalogue.KINDS.items() for name in about.members]


def page(kind, name):
    return DOCS / "family" / f"{kind}-{name}.md".replace("_", "-")


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_a_member_has_its_page(kind, name):
    path = page(kind, name)
    assert path.is_file(), f"write docs/family/{path.name}: see CONTRIBUTING.md"
    text = path.read_text("utf-8")
    relative = str(path.relative_to(DOCS.parent))
    assert "$$" in text, "no equation"
    for title in ("When to choose it", "Train it", "Its number"):
        assert f"## {title}\n" in text
    assert any(words[0] == "train" for words in commands(relative)), "no command that trains it"
    member = [block for block in blocks(relative) if block.kind == "{member}"]
    checks = re.search(":check: (.+)", member[0].text)[1].split()
    for check in checks:
        assert (DOCS.parent / check).is_file(), f"no outside check {check}"
    pictures = re.findall(r"!\[.+?\]\((\S+)\)", text)
    assert pictures, "no picture"
    for picture in pictures:
        file = (path.parent / picture).resolve()
        assert file.is_file(), picture
        assert file.stat().st_size < 100_000, f"{picture} is large; 800 pixels across do"


def test_a_page_has_its_member():
    known = {page(kind, name).name for kind, name in MEMBERS} | {"index.md"}
    assert {path.name for path in (DOCS / "family").glob("*.md")} == known
