"""The data sets that are known by name. Imports nothing heavy: `--help` reads it."""

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.suggestions import nearest

DYNAMIC, STATIC, NONE = "dynamic", "static", "none"
BINARISATIONS = (DYNAMIC, STATIC, NONE)


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a data set before it is read.

    Attributes:
        name: what `load` is asked for.
        fields: what an example holds, by the name of its column.
        binarisation: the default of `load`: "dynamic", "static" or "none".
        bits: whether its values are 0 and 1 as they are.
        source: module of `tfvae.data.sources` whose `read(spec)` reads it.
        description: one line.
        version: of the TensorFlow Datasets builder, pinned so that a new release does not change
            results; of Python, where the data are its own; None for other sources.
        host: the address from which TensorFlow Datasets downloads; None for other sources.
    """

    name: str
    fields: Mapping[str, Field]
    binarisation: str
    source: str
    description: str
    version: str | None = None
    host: str | None = None
    bits: bool = False


def _labelled(num_classes: int, *shape: int) -> dict[str, Field]:
    return {"x": Field(shape), "label": Field.label(num_classes)}


_SPECS: tuple[DatasetSpec, ...] = (
    DatasetSpec(
        name="digits",
        fields=_labelled(10, 8, 8, 1),
        binarisation=DYNAMIC,
        source="digits",
        description="1,797 handwritten digits, 8x8, 17 grey levels; in scikit-learn, no download",
    ),
    DatasetSpec(
        name="mnist",
        fields=_labelled(10, 28, 28, 1),
        binarisation=DYNAMIC,
        source="prepared",
        description="60,000 + 10,000 handwritten digits, 28x28 bytes",
        version="3.0.1",
        host="https://storage.googleapis.com",
    ),
    DatasetSpec(
        name="fashion_mnist",
        fields=_labelled(10, 28, 28, 1),
        binarisation=DYNAMIC,
        source="prepared",
        description="60,000 + 10,000 pictures of clothes, 28x28 bytes",
        version="3.0.1",
        host="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ),
    DatasetSpec(
        name="binarized_mnist",
        fields={"x": Field((28, 28, 1))},
        binarisation=NONE,
        source="prepared",
        description="MNIST sampled once to 0/1 (Larochelle); 50,000 + 10,000, no labels",
        version="1.0.0",
        host="http://www.cs.toronto.edu",
        bits=True,
    ),
    DatasetSpec(
        name="cifar10",
        fields=_labelled(10, 32, 32, 3),
        binarisation=NONE,
        source="prepared",
        description="50,000 + 10,000 colour photographs of 10 kinds of things, 32x32 bytes",
        version="3.0.2",
        host="https://www.cs.toronto.edu",
    ),
    DatasetSpec(
        name="omniglot",
        fields=_labelled(1623, 28, 28, 1),
        binarisation=DYNAMIC,
        source="omniglot",
        description="1,623 characters x 20 drawings, reduced to 28x28, ink = 1; 24,345 + 8,115",
        version="3.0.0",
        host="https://github.com",
    ),
)
_STYLES = "each drawn by four annotators: thin, thick, filled, and a part left out"
_SPECS += tuple(
    DatasetSpec(
        name=name,
        fields={"x": Field((side, side, 1)), "image": Field((side, side, 1))},
        binarisation=NONE,
        source="annotated_digits",
        description=f"{digits} on textures, {side}x{side}, {_STYLES}; {origin}",
        bits=True,
        version=version,
        host=host,
    )
    for name, side, digits, origin, version, host in (
        ("segmented_digits", 16, "scikit-learn's digits", "no download", None, None),
        ("segmented_mnist", 28, "MNIST", "of mnist", "3.0.1", "https://storage.googleapis.com"),
    )
)
_SPECS += tuple(
    DatasetSpec(
        name=name,
        fields=_labelled(10, side, side, 1),
        binarisation=DYNAMIC,
        source="canvases",
        description=f"canvases of several {digits} of one class in two sizes, {side}x{side}; "
        + origin,
        version=version,
        host=host,
    )
    for name, side, digits, origin, version, host in (
        ("digits_canvases", 32, "scikit-learn's digits", "no download", None, None),
        (
            "mnist_canvases",
            64,
            "MNIST digits",
            "of mnist",
            "3.0.1",
            "https://storage.googleapis.com",
        ),
    )
)
_TABLES = (
    (
        "breast_cancer",
        30,
        {"label": Field.label(2)},
        "569 tumours x 30 measurements of nuclei, 2 classes",
    ),
    ("wine", 13, {"label": Field.label(3)}, "178 wines x 13 chemical measurements, 3 classes"),
    (
        "diabetes",
        10,
        {"progression": Field((), interval=None)},
        "442 patients x 10 measurements, and a year later",
    ),
)
_SPECS += tuple(
    DatasetSpec(
        name=name,
        fields={"x": Field((columns,), interval=None), **target},
        binarisation=NONE,
        source="sklearn_tables",
        description=f"{description}; in scikit-learn, no download",
    )
    for name, columns, target, description in _TABLES
)
_BAG = Field((2000,), interval=(0.0, math.inf), spacing=1.0)
_SPECS += (
    DatasetSpec(
        name="docstrings",
        fields={"x": _BAG},
        binarisation=NONE,
        source="docstrings",
        description="docstrings of Python's standard library, counts of 2,000 words; no download",
        version=platform.python_version(),
    ),
    DatasetSpec(
        name="newsgroups",
        fields={"x": _BAG, "label": Field.label(20)},
        binarisation=NONE,
        source="newsgroups",
        description="20 Newsgroups, counts of 2,000 words; of scikit-learn's data, if it is there",
    ),
)
CATALOGUE: dict[str, DatasetSpec] = {spec.name: spec for spec in _SPECS}


def names() -> list[str]:
    """Names that `load` knows, in alphabetical order."""
    return sorted(CATALOGUE)


def describe(name: str) -> DatasetSpec:
    """The entry of a data set.

    Raises:
        UserError: the name is unknown; the message has the nearest one.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    raise UserError(
        f"Unknown data set {name!r}.{nearest(name, names())} Expected one of {', '.join(names())}, "
        "or the path of a .npy, .npz, .csv or .parquet file or of a folder of images."
    )
