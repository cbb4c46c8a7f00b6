"""Installs tfvae, its command and what they need; requirements.txt has the versions tested."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "tfvae/__init__.py").read_text("utf-8"), re.MULTILINE
).group(1)

# A lower bound is the oldest version that the tests ran with, unless a reason is given; an upper
# bound is the next release that may break by its own rules of numbering.
REQUIRED = [
    # Keras, TensorFlow and TFP promise little between minor versions, and all three are used in
    # places that changed between the last ones: Keras' trainer and data adapters, TensorFlow's
    # TFLite converter, TFP's gradients. A new one is let in when the tests have run with it.
    "tensorflow>=2.21,<2.22",
    "keras>=3.12,<3.16",
    "tensorflow-probability>=0.25,<0.26",
    # TFP imports it, and it has to be of TensorFlow's own minor version. Nothing here uses it.
    "tf-keras>=2.21,<2.22",
    # The TFLite files are run before they are published, by the runtime that phones have.
    "ai-edge-litert>=2.1,<3",
    "tensorflow-datasets>=4.9.8,<5",
    "importlib-resources>=6",  # TensorFlow Datasets needs it to download, and does not say so
    "requests>=2.31,<3",
    "orjson>=3.11,<4",
    "tenacity>=9,<10",
    "numpy>=2.2,<3",
    "scipy>=1.15,<2",
    "scikit-learn>=1.7,<2",
    "matplotlib>=3.10,<4",
    "pillow>=12,<14",
    "pydantic>=2.14,<3",
    "filelock>=4.1,<5",
    "pyarrow>=25,<27",  # tables
    # From 8.2 on a type is told the context when its help is written.
    "click>=8.2,<9",
]
# The client, and the development server behind `tfvae serve`.
SERVING = [
    "grpcio>=1.76,<2",
    "tensorflow-serving-api>=2.21,<2.22",  # the messages of TensorFlow's own minor version
    "aiohttp>=3.14,<4",  # from here on idle connections are closed before their first request, too
]
# `tfvae verify --public-key`: Ed25519, by which minisign signs.
SIGNING = ["cryptography>=45,<51"]
# The median filter and non-local means beside `tfvae denoise`. From here on it has wheels for 3.13.
IMAGES = ["scikit-image>=0.25,<0.27"]
NOTEBOOK = ["ipykernel>=7,<8", "nbclient>=0.10,<0.12", "nbformat>=5.10,<6"]
TENSORBOARD = ["tensorboard>=2.20,<2.22"]
TEST = [
    *SERVING,
    *SIGNING,
    *IMAGES,
    *NOTEBOOK,
    *TENSORBOARD,
    "pytest>=8.4,<10",
    "pytest-xdist>=3.8,<4",
    "pyyaml>=6,<7",
    "kubernetes-validate>=1.31,<2",  # Kubernetes' schemas, for export/kserve.yaml
    "ruff>=0.14",
    "markdown-it-py>=3,<5",  # reads the pages whose code the tests run
]
# From Python 3.11 on, as Sphinx 9 is.
DOCS = [
    "sphinx>=9,<10",
    "myst-nb>=1.4,<2",  # Markdown, and notebooks as they are stored, without pandoc
    "furo>=2025.12.19",
    "sphinx-copybutton>=0.5,<0.6",
    "latex2mathml>=3.78,<4",  # equations that browsers draw without a script or a network
]
RELEASE = ["build>=1.3,<2", "twine>=6,<8", "mypy>=1.18,<3"]

setup(
    name="tfvae",
    version=VERSION,
    description="Variational autoencoders for TensorFlow and Keras 3, from fit to a served file",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["tfvae", "tfvae.*"]),
    package_data={"tfvae": ["py.typed"]},
    # TensorFlow 2.21 has wheels for 3.10 to 3.13, and for nothing else.
    python_requires=">=3.10,<3.14",
    install_requires=REQUIRED,
    extras_require={
        "serving": SERVING,
        "signing": SIGNING,
        "images": IMAGES,
        "notebook": NOTEBOOK,
        "tensorboard": TENSORBOARD,
        "test": TEST,
        "docs": DOCS,
        "release": RELEASE,
    },
    entry_points={"console_scripts": ["tfvae = tfvae.cli.main:main"]},
)
