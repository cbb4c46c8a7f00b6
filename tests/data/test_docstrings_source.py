"""Bags of words: counts by hand, what is held out, and the library of this very Python."""

import dataclasses
import platform
import textwrap

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from tfvae.data import fingerprint
from tfvae.data.catalogue import describe
from tfvae.data.fields import Field
from tfvae.data.loading import arrays, load
from tfvae.data.sources import docstrings
from tfvae.data.sources.bags_of_words import (
    LEAST_WORDS,
    STOP_WORDS,
    Texts,
    bags,
    is_held_out,
    split_texts,
    vocabulary,
    words_of,
)
from tfvae.errors import UserError

SMALL = dataclasses.replace(
    describe("newsgroups"),
    fields={"x": Field((3,), interval=(0.0, np.inf), spacing=1.0), "label": Field.label(20)},
)
FRUIT = "apple pear apple plum pear apple "


@pytest.fixture(scope="module")
def library():
    return arrays("docstrings")


def test_words_are_runs_of_letters_without_stop_words():
    assert words_of("The ISO-8601 date's str_name, and a date.") == [
        "iso",
        "date",
        "str",
        "name",
        "date",
    ]
    assert all(len(word) > 2 and word.isalpha() for word in STOP_WORDS)


def test_counts_are_scikit_learns():
    texts = ["file open file", "an object of the class", "open the class file again"]
    documents = [words_of(text) for text in texts]
    words = vocabulary(documents, 4)
    vectorizer = CountVectorizer(vocabulary=words, token_pattern=r"[a-z]{3,}")
    np.testing.assert_array_equal(bags(documents, words), vectorizer.transform(texts).toarray())
    assert words == ["again", "class", "file", "open"], "ties go by the alphabet"


def test_a_docstring_is_one_of_a_module_a_class_or_a_function(tmp_path):
    (tmp_path / "package").mkdir()
    source = '''
        """Of the module."""
        class Thing:
            """Of the class."""
            def method(self):
                "Of the method."
                """no docstring"""
        async def later(): "Of a coroutine."
        raise SystemExit("this module was imported")
    '''
    (tmp_path / "package" / "one.py").write_text(textwrap.dedent(source), "utf-8")
    (tmp_path / "broken.py").write_text('"""Of no Python."""\nprint "2"\n', "utf-8")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "two.py").write_text('"""Of a test."""', "utf-8")
    found = sorted(docstrings.docstrings_under(tmp_path))
    assert found == ["Of a coroutine.", "Of the class.", "Of the method.", "Of the module."]


def test_a_share_is_held_out_by_its_own_hash():
    texts = [f"text number {i}" for i in range(4000)]
    held = [is_held_out(text, 0.1) for text in texts]
    assert np.mean(held) == pytest.approx(0.1, abs=4.5 * np.sqrt(0.09 / 4000))
    assert [is_held_out(text, 0.1) for text in reversed(texts)] == held[::-1]
    assert all(is_held_out(t, 0.2) for t, out in zip(texts, held, strict=True) if out)


def test_repeated_and_short_texts_are_left_out_and_labels_stay_beside_theirs():
    train = Texts([FRUIT * 2, "apple pear", FRUIT * 2, FRUIT * 3], [4, 5, 6, 7])
    test = Texts([FRUIT * 2, FRUIT * 2 + "kiwi"], [8, 9])
    split, words = split_texts(SMALL, train, test, "Fruit")
    assert words == ("apple", "pear", "plum")
    found = split.train.read()
    np.testing.assert_array_equal(found["x"], [[6, 4, 2], [9, 6, 3]])
    np.testing.assert_array_equal(found["label"], [4, 7])
    np.testing.assert_array_equal(split.test.read()["label"], [9])


def test_too_few_words_are_refused():
    with pytest.raises(UserError, match="Fruit has 1 different words; expected at least 3"):
        split_texts(SMALL, Texts(["plum " * 20]), Texts(["plum"]), "Fruit")


def test_the_library_is_counted_and_split(library):
    train, test = library.train["x"], library.test["x"]
    assert train.shape[1:] == test.shape[1:] == (2000,)
    assert len(train) > 1000
    assert 0.05 < len(test) / (len(train) + len(test)) < 0.15
    assert min(train.sum(axis=1).min(), test.sum(axis=1).min()) >= LEAST_WORDS
    words = docstrings.docstring_vocabulary()
    assert len(words) == 2000
    assert {"abstract", "class", "method", "iterator"} <= set(words)
    # The vocabulary counts repeated and short texts as well: some words are in no other.
    assert np.mean(train.sum(axis=0) == 0) < 0.005


def test_it_is_what_a_multinomial_takes(library):
    train, _ = load("docstrings", batch_size=8)
    batch = next(iter(train)).numpy()
    assert batch.shape == (8, 2000)
    np.testing.assert_array_equal(batch, np.round(batch))
    assert batch.min() == 0


def test_its_version_is_pythons():
    assert fingerprint.fingerprint("docstrings") == f"docstrings {platform.python_version()}"
