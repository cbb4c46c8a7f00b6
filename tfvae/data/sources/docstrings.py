"""The docstrings of Python's own standard library as bags of words: text that every Python has."""

import ast
import functools
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tfvae.data.catalogue import DatasetSpec, describe
from tfvae.data.sources.bags_of_words import Texts, is_held_out, split_texts
from tfvae.data.splits import Split
from tfvae.errors import UserError, UserFileNotFoundError

TEST_FRACTION = 0.1
# Other people's packages, which differ from machine to machine, and what is no library.
_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
# Distributions of Linux package these apart, so that not every Python has them.
_LEFT_OUT |= {"distutils", "idlelib", "lib2to3", "tkinter", "turtle.py", "turtledemo"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Reads the docstrings of modules, classes and functions, and counts their words.

    Which there are depends on the version of Python, which is the data set's version; a docstring
    is held out by its own hash, so that one that both versions have is in the same part of both.
    Nothing is imported: the source files are parsed.

    Args:
        spec: the catalogue's entry.
        test_fraction: the probability that a docstring is held out, 0.1 by default.
    """
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    if not 0 < fraction < 1:
        raise UserError(
            f"test_fraction is {fraction!r}; expected a number above 0 and below 1, such as 0.1."
        )
    return _split(spec, fraction)[0]


def docstring_vocabulary() -> tuple[str, ...]:
    """The words whose counts are x of the data set "docstrings", in order: `[V]`.

    Example:
        >>> "iterator" in docstring_vocabulary()
        True
    """
    return _split(describe("docstrings"), TEST_FRACTION)[1]


def docstrings_under(folder: Path) -> Iterator[str]:
    """The docstrings of all `.py` files of a folder, in the order of their paths and lines.

    Files that this Python can't parse have none.
    """
    for path in sorted(folder.rglob("*.py")):
        if _LEFT_OUT & set(path.relative_to(folder).parts):
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
                yield text


def _split(spec: DatasetSpec, fraction: float) -> tuple[Split, tuple[str, ...]]:
    parts: list[list[str]] = [[], []]
    for text in _of_library():
        parts[is_held_out(text, fraction)].append(text)
    train, test = map(Texts, parts)
    return split_texts(spec, train, test, "Python's standard library")


@functools.cache
def _of_library() -> tuple[str, ...]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    found = tuple(docstrings_under(folder))
    if not found:
        raise UserFileNotFoundError(
            f"{folder} has no .py files: this Python's standard library is compiled or zipped. "
            "Use a Python that comes with its sources, as those of python.org do."
        )
    return found
