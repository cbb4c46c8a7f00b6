"""20 Newsgroups as bags of words, of whoever has it: nothing is fetched."""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.sources.bags_of_words import Texts, split_texts
from tfvae.data.sources.prepared import refuse_fraction
from tfvae.data.splits import Split
from tfvae.errors import UserError, UserFileNotFoundError

FOLDER = "TFVAE_NEWSGROUPS"
"""The environment's variable that names a folder of it."""

_PARTS = ("train", "test")
_COUNTED, _POSTS = "{}.feat", "20news-bydate-{}"
_QUOTING = re.compile(r"^\s*[>|]|\b(writes|wrote|says|said):|^In article")


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Reads the folder that `TFVAE_NEWSGROUPS` names, or else what scikit-learn has downloaded.

    The folder holds `train.feat` and `test.feat`, lines of "label word:count word:count", words
    from 1, which are the counts that papers share; or `20news-bydate-train` and
    `20news-bydate-test`, a folder of posts for each group. Of posts the words are counted as those
    of `bags_of_words`, which are not those of any paper: perplexities of other vocabularies do not
    compare.

    Raises:
        FileNotFoundError: if there is none of them; the message says what to do.
        UserError: for files of something else.
    """
    refuse_fraction(spec, test_fraction)
    named = os.environ.get(FOLDER)
    if not named:
        return _split(spec, [_downloaded(part) for part in _PARTS])
    counted = [Path(named) / _COUNTED.format(part) for part in _PARTS]
    posts = [Path(named) / _POSTS.format(part) for part in _PARTS]
    if all(path.is_file() for path in counted):
        counts_alone = dataclasses.replace(spec, fields={"x": spec.fields["x"]})
        return Split(counts_alone, *(_counts(counts_alone, path) for path in counted))
    if all(path.is_dir() for path in posts):
        return _split(spec, [_posts(path) for path in posts])
    raise UserFileNotFoundError(
        f"{FOLDER} is {named}, which has neither train.feat and test.feat nor the folders "
        "20news-bydate-train and 20news-bydate-test. Name a folder that has, or unset it to read "
        "scikit-learn's copy."
    )


def body_of(post: str) -> str:
    """A post without its headers, and without lines that quote another post or announce that."""
    lines = post.partition("\n\n")[2].splitlines()
    return "\n".join(line for line in lines if not _QUOTING.search(line))


def _split(spec: DatasetSpec, parts: list[Texts]) -> Split:
    train, test = parts
    return split_texts(spec, train, test, "20 Newsgroups")[0]


def _downloaded(part: str) -> Texts:
    from sklearn.datasets import fetch_20newsgroups

    try:
        found = fetch_20newsgroups(subset=part, download_if_missing=False)
    except OSError as error:
        raise UserFileNotFoundError(
            "20 Newsgroups is not among scikit-learn's data (SCIKIT_LEARN_DATA, by default "
            f"~/scikit_learn_data), and {FOLDER} names no folder of it. Where there is a network, "
            "run sklearn.datasets.fetch_20newsgroups(subset='all') once."
        ) from error
    return _texts(found)


def _posts(folder: Path) -> Texts:
    from sklearn.datasets import load_files

    return _texts(load_files(folder, encoding="latin1", shuffle=False))


def _texts(found: "sklearn.utils.Bunch") -> Texts:  # noqa: F821
    return Texts([body_of(post) for post in found.data], [int(label) for label in found.target])


def _counts(spec: DatasetSpec, path: Path) -> Columns:
    """The documents of a file of counts that have words."""
    from sklearn.datasets import load_svmlight_file

    size = spec.fields["x"].shape[0]
    try:
        found, _ = load_svmlight_file(str(path), n_features=size, zero_based=False)
    except ValueError as error:
        raise UserError(
            f"{path} can't be read as counts of {size:,} words: {error} Expected lines such as "
            "'3 1:2 17:1': a label, and of each word its number from 1 and how often it stands."
        ) from error
    counts = found.toarray().astype(np.float32)
    wrong = counts[(counts < 0) | (counts != np.round(counts))]
    if len(wrong):
        raise UserError(f"{path} holds {wrong[0]:g}; expected counts, whole numbers from 0.")
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        raise UserError(f"{path} has no document with words; expected one in each line.")
    return Columns({"x": Rows(counts, spec.fields["x"])})
