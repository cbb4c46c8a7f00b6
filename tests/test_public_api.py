"""The public names: complete, documented, typed, and cheap to import."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tfvae

PACKAGE = Path(tfvae.__file__).parent
AREAS = ("flows", "heads", "networks", "objectives", "priors", "quantisers", "models")


def modules():
    """Every module of the package, its command line's entry points aside."""
    walked = pkgutil.walk_packages([str(PACKAGE)], "tfvae.")
    return sorted(info.name for info in walked if not info.name.endswith("__main__"))


def public_objects(module):
    """Classes and functions that a module defines for others."""
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None)
        is_code = inspect.isclass(value) or inspect.isfunction(value)
        if is_code and not name.startswith("_") and home == module.__name__:
            yield name, value


@pytest.mark.parametrize("name", tfvae.__all__)
def test_every_name_resolves(name):
    assert getattr(tfvae, name) is not None
    assert name in dir(tfvae)


def test_what_users_type_is_there():
    for name in ("VAE", "Encoder", "Decoder", "data", "export", "evaluation", "callbacks"):
        assert name in tfvae.__all__
    assert callable(tfvae.data.load)
    assert callable(tfvae.export.saved_model)
    assert callable(tfvae.export.tflite)
    assert callable(tfvae.evaluation.log_likelihood)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'tfvae' has no attribute 'GAN'"):
        tfvae.GAN  # noqa: B018
    assert not hasattr(tfvae, "presetz")


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("tensorflow", "keras", "tensorflow_probability", "numpy", "scipy", "matplotlib")
    code = f"import sys, tfvae; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("area", AREAS)
def test_areas_export_what_they_define(area):
    package = importlib.import_module(f"tfvae.{area}")
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        value = getattr(package, name)
        assert value.__doc__, f"{area}.{name} has no docstring"


@pytest.mark.parametrize("module", modules())
def test_public_classes_and_functions_have_docstrings(module):
    for name, value in public_objects(importlib.import_module(module)):
        assert inspect.getdoc(value), f"{module}.{name} has no docstring"


def exported_functions(package, names):
    """The functions that a package exports, and the methods of the classes that it does."""
    for name in names:
        value = getattr(package, name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            for key, member in vars(value).items():
                if inspect.isfunction(member) and not key.startswith("_"):
                    yield f"{name}.{key}", member


@pytest.mark.parametrize(
    "area", [*(name for name, home in tfvae._HOMES.items() if home is None), "models"]
)
def test_exported_functions_have_type_hints(area):
    package = importlib.import_module(f"tfvae.{area}")
    names = getattr(package, "__all__", None) or [name for name, _ in public_objects(package)]
    for name, function in exported_functions(package, names):
        signature = inspect.signature(function)
        named = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
        missing = [p.name for p in named if p.annotation is p.empty and p.kind is not p.VAR_KEYWORD]
        assert not missing, f"tfvae.{area}.{name}: no type hint for {missing}"


@pytest.mark.parametrize("area", AREAS)
def test_layers_are_registered_and_their_arguments_are_their_config(area):
    """`.keras` files find a class by its registered name, and get_config returns every argument."""
    import keras

    package = importlib.import_module(f"tfvae.{area}")
    bases = (
        "Head",
        "LatentHead",
        "LikelihoodHead",
        "FlowStep",
        "Prior",
        "Objective",
        "Quantiser",
        "LatentVariableModel",
    )
    for name in package.__all__:
        value = getattr(package, name)
        if not inspect.isclass(value) or not issubclass(value, keras.layers.Layer):
            continue
        if name in bases:
            continue
        assert keras.saving.get_registered_object(f"tfvae>{name}") is value
