"""The data sets that are known by name. Imports nothing heavy: the command line reads it for `--help`."""

import difflib
from dataclasses import dataclass

DYNAMIC, STATIC, NONE = "dynamic", "static", "none"
BINARISATIONS = (DYNAMIC, STATIC, NONE)


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a data set before it is read.

    Attributes:
        name: what `load` is asked for.
        image_shape: `(H, W, C)`.
        binarisation: the default of `load`: "dynamic", "static" or "none".
        source: module of `tfvae.data.sources` whose `read(spec)` reads it.
        version: of the TensorFlow Datasets builder, pinned so that a new release does not change
            results; None where the data come with a package.
        description: one line.
    """

    name: str
    image_shape: tuple[int, int, int]
    binarisation: str
    source: str
    version: str | None
    description: str


_SPECS = (
    DatasetSpec(
        "digits",
        (8, 8, 1),
        DYNAMIC,
        "digits",
        None,
        "1,797 handwritten digits, 8x8, 17 grey levels; in scikit-learn, no download",
    ),
    DatasetSpec(
        "mnist",
        (28, 28, 1),
        DYNAMIC,
        "prepared",
        "3.0.1",
        "60,000 + 10,000 handwritten digits, 28x28 bytes",
    ),
    DatasetSpec(
        "fashion_mnist",
        (28, 28, 1),
        DYNAMIC,
        "prepared",
        "3.0.1",
        "60,000 + 10,000 pictures of clothes, 28x28 bytes",
    ),
    DatasetSpec(
        "binarized_mnist",
        (28, 28, 1),
        NONE,
        "prepared",
        "1.0.0",
        "MNIST sampled once to 0/1 (Larochelle); 50,000 + 10,000, no labels",
    ),
    DatasetSpec(
        "omniglot",
        (28, 28, 1),
        DYNAMIC,
        "omniglot",
        "3.0.0",
        "1,623 characters x 20 drawings, reduced to 28x28, ink = 1; 24,345 + 8,115",
    ),
)
CATALOGUE: dict[str, DatasetSpec] = {spec.name: spec for spec in _SPECS}


def names() -> list[str]:
    """Names that `load` knows, in alphabetical order."""
    return sorted(CATALOGUE)


def describe(name: str) -> DatasetSpec:
    """The entry of a data set.

    Raises:
        ValueError: the name is unknown; the message has the nearest one.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    raise ValueError(
        f"Unknown data set {name!r}.{nearest(name, names())} Expected one of {', '.join(names())}, "
        "or the path of a .npy or .npz file or of a folder of images."
    )


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """ " Did you mean 'mnist'?", or nothing when no known word resembles `word`."""
    candidate = str(word).lower().replace("-", "_")
    close = difflib.get_close_matches(candidate, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
