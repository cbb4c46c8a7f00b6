import subprocess
import sys

import pytest

from tfvae.data.catalogue import BINARISATIONS, CATALOGUE, describe, names, nearest


def test_names():
    images = ["binarized_mnist", "cifar10", "digits", "fashion_mnist", "mnist", "omniglot"]
    images += ["segmented_digits", "segmented_mnist", "digits_canvases", "mnist_canvases"]
    others = ["breast_cancer", "diabetes", "docstrings", "newsgroups", "wine"]
    assert names() == sorted([*images, *others])
    for spec in CATALOGUE.values():
        assert spec.binarisation in BINARISATIONS
        assert len(spec.fields["x"].shape) == (3 if spec.name in images else 1)
        of_python = spec.name == "docstrings"  # whose version is Python's
        assert (spec.version is None) == (spec.host is None and not of_python)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mnsit", "mnist"),
        ("MNIST", "mnist"),
        ("fashion-mnist", "fashion_mnist"),
        ("digit", "digits"),
    ],
)
def test_unknown_names_get_the_nearest(wrong, right):
    with pytest.raises(
        ValueError, match=f"Unknown data set '{wrong}'. Did you mean '{right}'"
    ) as e:
        describe(wrong)
    assert "omniglot" in str(e.value)


def test_nothing_near():
    assert nearest("svhn", names()) == ""


def test_importing_is_cheap():
    code = (
        "import sys, tfvae.data, tfvae.data.catalogue; tfvae.data.names(); "
        "print([m for m in ('tensorflow', 'keras', 'tensorflow_datasets', 'sklearn') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
