"""Installs tfvae."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "tfvae/__init__.py").read_text("utf-8"), re.MULTILINE
).group(1)

setup(
    name="tfvae",
    version=VERSION,
    packages=find_packages(include=["tfvae", "tfvae.*"]),
    python_requires=">=3.10,<3.14",
    install_requires=["click>=8.1,<9"],
    entry_points={"console_scripts": ["tfvae = tfvae.cli.main:main"]},
)
