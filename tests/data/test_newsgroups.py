"""20 Newsgroups of whoever has it: counts of a file, posts of a folder, scikit-learn's copy."""

import dataclasses

import numpy as np
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

from tfvae.data.catalogue import describe
from tfvae.data.fields import Field
from tfvae.data.loading import load
from tfvae.data.sources import newsgroups
from tfvae.errors import UserError, UserFileNotFoundError

SMALL = dataclasses.replace(
    describe("newsgroups"),
    fields={"x": Field((3,), interval=(0.0, np.inf), spacing=1.0), "label": Field.label(20)},
)
FRUIT = "apple pear apple plum pear apple "
POST = """From: apple@apple
Subject: apple

Somebody <pear@pear> writes:
> pear pear pear
| pear
{}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(newsgroups.FOLDER, str(tmp_path))
    return tmp_path


def test_what_is_not_there_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.delenv(newsgroups.FOLDER, raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(UserFileNotFoundError, match=r"run sklearn\.datasets\.fetch_20newsgroups"):
        load("newsgroups")
    with pytest.raises(UserError, match="has its own test set"):
        load("newsgroups", test_fraction=0.5)


def test_scikit_learns_copy_is_read_and_never_fetched(monkeypatch):
    def fetch(subset, download_if_missing):
        assert not download_if_missing
        text = FRUIT * 2 if subset == "train" else FRUIT * 3
        return Bunch(data=[POST.format(text)], target=np.array([7]))

    monkeypatch.delenv(newsgroups.FOLDER, raising=False)
    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", fetch)
    split = newsgroups.read(SMALL)
    np.testing.assert_array_equal(split.train.read()["x"], [[6, 4, 2]])
    np.testing.assert_array_equal(split.test.read()["label"], [7])


def test_a_folder_of_posts_is_read_by_its_groups(folder):
    for part, times in (("train", 2), ("test", 3)):
        for group in ("alt.atheism", "sci.space"):
            path = folder / f"20news-bydate-{part}" / group
            path.mkdir(parents=True)
            post = POST.format(FRUIT * times + group)
            (path / "1").write_text(post.replace("Somebody", "Andr\xe9"), "latin1")
    split = newsgroups.read(SMALL)
    np.testing.assert_array_equal(split.train.read()["x"], [[6, 4, 2]] * 2)
    np.testing.assert_array_equal(split.test.read()["x"], [[9, 6, 3]] * 2)
    np.testing.assert_array_equal(split.test.read()["label"], [0, 1])


def test_files_of_counts_are_read_as_they_are(folder):
    """Words are numbered from 1, and a document without words is left out."""
    (folder / "train.feat").write_text("3 1:2 3:1\n4\n5 2:7\n", "utf-8")
    (folder / "test.feat").write_text("1 3:4\n", "utf-8")
    split = newsgroups.read(SMALL)
    np.testing.assert_array_equal(split.train.read()["x"], [[2, 0, 1], [0, 7, 0]])
    np.testing.assert_array_equal(split.test.read()["x"], [[0, 0, 4]])
    assert set(split.test.read()) == {"x"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has neither train.feat and test.feat nor the folders"),
        ({"train.feat": "1 1:2\n"}, "has neither train.feat and test.feat nor the folders"),
        ({"train.feat": "1 word\n", "test.feat": ""}, r"train\.feat can't be read as counts of 3"),
        ({"train.feat": "1 4:2\n", "test.feat": ""}, r"train\.feat can't be read as counts of 3"),
        ({"train.feat": "1 1:0.5\n", "test.feat": ""}, r"train\.feat holds 0\.5; expected counts"),
        ({"train.feat": "4\n", "test.feat": ""}, r"train\.feat has no document with words"),
    ],
)
def test_a_folder_of_something_else_is_refused(folder, files, message):
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    with pytest.raises(UserError, match=message):
        newsgroups.read(SMALL)
