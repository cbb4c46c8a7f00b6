"""Data sets that TensorFlow Datasets prepares."""

import os
from typing import Any

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.splits import Split
from tfvae.errors import UserError, UserFileNotFoundError

_PARTS = ("train", "test")


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Read the data set's own `train` and `test` splits."""
    refuse_fraction(spec, test_fraction)
    builder = prepared_builder(spec)
    return Split(spec, *(_read_part(builder, spec, part) for part in _PARTS))


def refuse_fraction(spec: DatasetSpec, test_fraction: float | None) -> None:
    """A data set that has a test set keeps it, or numbers would not be comparable."""
    if test_fraction is not None:
        raise UserError(
            f"test_fraction is {test_fraction}, but {spec.name} has its own test set. "
            "Leave test_fraction out."
        )


def prepared_builder(spec: DatasetSpec) -> Any:
    """The TFDS builder of a data set, downloaded and prepared where that was not done before.

    Raises:
        FileNotFoundError: it is not prepared and cannot be downloaded; says how to get it.
    """
    import tensorflow_datasets as tfds

    folder = os.environ.get("TFDS_DATA_DIR")
    try:
        builder = tfds.builder(f"{spec.name}:{spec.version}", data_dir=folder)
        if not builder.is_prepared():
            _reach(spec.host)
            builder.download_and_prepare()
    except Exception as error:  # TFDS lets through whatever its downloader, parser or disk raised
        raise UserFileNotFoundError(_how_to_get(spec, folder, error)) from error
    return builder


def _read_part(builder: Any, spec: DatasetSpec, part: str) -> Columns:
    """All images (uint8, 0..255) and labels of a part, in the order in which they were written."""
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(split=part, batch_size=-1, shuffle_files=False)
    found = tfds.as_numpy(dataset)
    images = found["image"]
    if images.size and images.max() <= 1:
        # binarized_mnist is stored as 0/1, unlike every other set, whose bytes are 0..255.
        images = images * np.uint8(255)
    rows = {"x": Rows(images)}
    if "label" in found:
        rows["label"] = Rows(found["label"].astype(np.int32), spec.fields["label"])
    return Columns(rows)


def _how_to_get(spec: DatasetSpec, folder: str | None, error: Exception) -> str:
    where = folder or os.path.join("~", "tensorflow_datasets")
    reason = (str(error).strip().splitlines() or ["no reason given"])[0]
    full_name = f"{spec.name}:{spec.version}"
    return (
        f"The data set {full_name} is not prepared in {where} and could not be downloaded from "
        f"{spec.host} ({type(error).__name__}: {reason}). On a machine with a network run\n"
        f"    python -c \"import tensorflow_datasets as tfds; tfds.load('{full_name}')\"\n"
        f"copy the folder ~/tensorflow_datasets/{spec.name} to this machine, and set TFDS_DATA_DIR "
        'to the folder that holds it. Or use "digits", which needs no download.'
    )


def _reach(host: str) -> None:
    """Fail at once where there is no network; TFDS would retry for minutes and leave litter."""
    import requests  # a requirement of TFDS; it honours proxy settings

    requests.head(host, timeout=10, allow_redirects=False)
