"""The catalogue: what is read of a constructor is what Python says; strangers' members count."""

import importlib
import inspect
import re
import sys

import keras
import pytest

from tfvae import catalogue, docstrings, presets, signatures, values
from tfvae.runs.folder import RunFolder
from tfvae.settings.reading import settings
from tfvae.signatures import COMPUTED, REQUIRED

MEMBERS = [(kind, name) for kind in catalogue.KINDS for name in catalogue.members(kind)]

STRANGER = '''
import keras
from tfvae.heads import MultivariateNormalDiag

LIMITS = (1, 2)


class Wide(MultivariateNormalDiag):
    """q(z|x), wider.

        scale = widen(x)

    Args:
        widening: Factor of the scale,
            above 0.
        limits: Of it.
    """

    def __init__(self, latent_size, widening: float = 2.0, limits=LIMITS, **kwargs):
        super().__init__(latent_size, **kwargs)
        self.widening, self.limits = widening, limits

    def get_config(self):
        mine = {"widening": self.widening, "limits": self.limits}
        return {**super().get_config(), **mine}


class Wider(Wide):
    """The same, without arguments of its own."""
'''


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    (tmp_path / "strangers").mkdir()
    (tmp_path / "strangers" / "__init__.py").write_text("from strangers.heads import Wide", "utf-8")
    (tmp_path / "strangers" / "heads.py").write_text(STRANGER, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("strangers", "strangers.heads"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_what_is_read_of_a_member_is_what_python_says(kind, name):
    read = catalogue.signature(kind, name)
    module, _, attribute = read.path.partition(":")
    constructor = getattr(importlib.import_module(module), attribute)
    told = inspect.signature(constructor).parameters.values()
    for parameter in told:
        if parameter.kind is not parameter.VAR_KEYWORD:
            argument = read.arguments[parameter.name]
            default = REQUIRED if parameter.default is parameter.empty else parameter.default
            assert argument.default in (default, COMPUTED)
    assert read.doc == inspect.getdoc(constructor)
    settings = catalogue.arguments(kind, name)
    assert all(a.text for a in settings.values()), "an argument without a text"
    assert not {"latent_size", "event_shape", "name", "dtype"} & set(settings)
    assert docstrings.summary(read.doc)


@pytest.mark.parametrize("name", ["strangers.heads:Wide", "strangers:Wide"])
def test_a_strangers_member_is_chosen_by_its_path(stranger, name):
    settings = presets.get("digits", posterior=name, widening=3.0, units=(8,))
    assert settings["posterior.widening"] == 3.0
    assert settings["posterior.limits"] == (1, 2)
    head = settings.model().encoder.head
    assert (type(head).__name__, head.widening, head.name) == ("Wide", 3.0, "posterior")
    assert isinstance(head, keras.layers.Layer)


def test_a_run_of_a_strangers_member_is_read_where_nobody_imported_it(stranger, tmp_path):
    settings = presets.get("digits", posterior="strangers.heads:Wide", units=(8,))
    folder = RunFolder(tmp_path / "run")
    with folder.locked():
        folder.prepare(settings, {}, overwrite=False)
    settings.model().save(folder.model)
    del sys.modules["strangers.heads"]
    head = folder.read_model().encoder.head
    assert type(head) is sys.modules["strangers.heads"].Wide


def test_arguments_of_a_base_class_are_read_with_their_texts(stranger):
    read = signatures.read_signature("strangers.heads:Wider")
    assert list(read.arguments) == ["latent_size", "widening", "limits"]
    assert read.arguments["widening"].text == "Factor of the scale, above 0."
    assert (
        docstrings.equation(signatures.read_signature("strangers:Wide").doc) == "scale = widen(x)"
    )


def test_reading_imports_nothing(stranger):
    signatures.read_signature("strangers.heads:Wide")
    assert "strangers.heads" not in sys.modules


def test_an_installed_package_gives_its_members_names(tmp_path, monkeypatch):
    info = tmp_path / "strangers-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[tfvae.members]\nprior.flow = strangers.priors:Flow\n")
    monkeypatch.syspath_prepend(tmp_path)
    catalogue.members.cache_clear()
    assert catalogue.path("prior", "flow") == "strangers.priors:Flow"
    assert "flow" not in catalogue.members("posterior")
    catalogue.members.cache_clear()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trill", "no such posterior 'trill'. Did you mean 'tril'?"),
        ("tfvae.nowhere:Head", "No module 'tfvae.nowhere'"),
        ("tfvae.heads.base:Haed", "defines no 'Haed'. Did you mean 'Head'?"),
    ],
)
def test_wrong_names_are_refused_with_the_nearest(name, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        catalogue.signature("posterior", name)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "3", 3),
        ("float", "3", 3.0),
        ("float | str", "0.5", 0.5),
        ("float | str", "learned", "learned"),
        ("str | None", "none", "none"),
        ("int | None", "none", None),
        ("bool | None", "true", True),
        ("Sequence[int]", "200,100", (200, 100)),
        ("Sequence[int]", "200", (200,)),
        ("Sequence[int]", "none", ()),
        ("Sequence[str] | None", "x,label", ("x", "label")),
        ("Sequence[str] | None", "x", ("x",)),
        ("Sequence[Sequence[int]]", "[[1, 2], [3]]", ((1, 2), (3,))),
        ("Any", "relu", "relu"),
    ],
)
def test_texts_are_read_as_the_annotation_says(annotation, text, value):
    read = values.parse(annotation, text)
    assert read == value
    assert type(read) is type(value)
    assert values.parse(annotation, values.as_text(read)) == read


@pytest.mark.parametrize(
    ("annotation", "text"),
    [("int", "2.5"), ("int", "true"), ("float", "nan"), ("float", "NaN"), ("bool", "2")],
)
def test_texts_of_another_type_are_refused(annotation, text):
    with pytest.raises(ValueError, match=r"received .* expected"):
        values.parse(annotation, text)


@pytest.mark.parametrize("annotation", ["Encoder", "keras.layers.Layer | None", "Prior | None"])
def test_objects_are_no_settings(annotation):
    assert values.adapter(annotation) is None


def test_whether_a_likelihood_is_of_bits_is_asked_of_it():
    chosen = {"bernoulli": True, "normal": False, "tests.extension.members.likelihood:Gamma": False}
    for likelihood, discrete in chosen.items():
        given = {"dataset": "digits", "likelihood": likelihood}
        assert settings(given).discrete == discrete
    assert settings({"dataset": "binarized_mnist"})["likelihood"] == "bernoulli"
    assert settings({"dataset": "mnist", "binarisation": "none"})["likelihood"] == "normal"
