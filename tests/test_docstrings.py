"""The examples in the docstrings run, and the classes that users compose have one each."""

import contextlib
import doctest
import importlib
import inspect
import io
import os

import pytest

import tfvae
from tests.test_public_api import modules

FINDER = doctest.DocTestFinder(recurse=True, exclude_empty=True)
# Layers that users compose. Base classes and what only errors are made of need no example.
COMPOSED = ("heads", "networks", "priors", "objectives", "models")
BASES = (
    "Head",
    "LatentHead",
    "LikelihoodHead",
    "Prior",
    "Objective",
    "LatentVariableModel",
    "Nats",
)


def examples():
    for name in modules():
        module = importlib.import_module(name)
        for test in FINDER.find(module, name):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("test", list(examples()))
def test_example(test, tmp_path):
    """In a folder of its own: an example that writes leaves nothing behind."""
    runner = doctest.DocTestRunner(
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, verbose=False
    )
    report = io.StringIO()
    with contextlib.chdir(tmp_path) if hasattr(contextlib, "chdir") else _chdir(tmp_path):
        runner.run(test, out=report.write)
    assert not runner.failures, report.getvalue()


@contextlib.contextmanager
def _chdir(path):
    """`contextlib.chdir`, which Python 3.10 lacks."""
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.mark.parametrize("area", COMPOSED)
def test_what_users_compose_has_an_example(area):
    package = importlib.import_module(f"tfvae.{area}")
    for name in package.__all__:
        if name not in BASES:
            assert ">>>" in inspect.getdoc(getattr(package, name)), f"{area}.{name}"


def test_the_examples_were_found():
    """A finder that finds nothing would pass everything."""
    names = {parameter.id for parameter in examples()}
    assert {
        "tfvae.heads.likelihoods.independent_bernoulli.IndependentBernoulli",
        "tfvae.random.bits",
    } <= names
    assert tfvae.__version__
