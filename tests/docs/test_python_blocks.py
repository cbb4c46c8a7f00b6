"""Every block of Python of every page runs, in order and in one namespace, on less data."""

import re

import matplotlib
import pytest

from tests.docs.pages import NAMES, blocks

# What a page says for people, and what takes seconds: an epoch of digits teaches as little as it
# costs, and the code is the same.
SMALLER = [
    (r'"mnist"', '"digits"'),
    (r"\(28, 28, 1\)", "(8, 8, 1)"),
    (r"\bfit\((.*?)epochs=\d+", r"fit(\1epochs=1"),
    (r"num_samples=\d{3,}", "num_samples=20"),
]


def smaller(code):
    for pattern, replacement in SMALLER:
        code = re.sub(pattern, replacement, code, flags=re.DOTALL)
    return code


RUN = [name for name in NAMES if any(block.kind == "python" for block in blocks(name))]


@pytest.mark.parametrize("name", RUN)
def test_python_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # XLA takes seconds a model, and tests/conformance has it.
    for module in ("compiling", "programs"):
        monkeypatch.setattr(f"tfvae.training.{module}.xla_pays", lambda model: False)
    matplotlib.use("Agg")
    namespace = {"__name__": "page"}
    for block in blocks(name):
        if block.kind == "python":
            code = compile("\n" * block.line + smaller(block.text), name, "exec")
            exec(code, namespace)


def test_blocks_were_found():
    """A search that finds nothing would pass everything."""
    assert {"README.md", "docs/index.md", "docs/guide/members.md"} <= set(RUN)


def test_less_data_is_the_same_code():
    code = 'load("mnist")\nvae.fit(train, epochs=50)\nLinearWeight(epochs=50)'
    assert smaller(code) == 'load("digits")\nvae.fit(train, epochs=1)\nLinearWeight(epochs=50)'
