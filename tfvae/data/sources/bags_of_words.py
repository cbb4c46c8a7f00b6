"""Texts to bags of words: counts of the words of a vocabulary, and which texts are held out."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.splits import Split
from tfvae.errors import UserError

LEAST_WORDS = 10  # of the vocabulary, in a document
# Words that say nothing of a text's subject, and nothing else: no list from elsewhere.
_STOP_WORDS = """
about after all also and any are because been before being below between both but can could did does
each few for from further had has have having here how into its itself just may might more most must
not now off once one only other our out over own same shall should some such than that the their
them then there these they this those through too two under until use used uses using very was were
what when where whether which while who whom whose why will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True)
class Texts:
    """Documents, and what is known of each.

    Attributes:
        documents: texts.
        labels: a class of each; empty where there are none.
    """

    documents: Sequence[str]
    labels: Sequence[int] = ()


def words_of(text: str) -> list[str]:
    """The words of a text: runs of three or more letters a to z, in lower case, no stop words."""
    return [word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS]


def is_held_out(text: str, fraction: float) -> bool:
    """Whether a text is held out: by its own hash, whatever else there is."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") < fraction * 2**32


def vocabulary(documents: Iterable[Sequence[str]], size: int) -> list[str]:
    """The most frequent words, ties in alphabetical order, in alphabetical order."""
    counts = Counter(word for words in documents for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return sorted(ranked[:size])


def bags(documents: Sequence[Sequence[str]], words: Sequence[str]) -> np.ndarray:
    """How often each word of a vocabulary stands in each document, float32 `[N, V]`."""
    place = {word: number for number, word in enumerate(words)}
    found = np.zeros((len(documents), len(words)), np.float32)
    for row, document in zip(found, documents, strict=True):
        for word in document:
            if word in place:
                row[place[word]] += 1
    return found


def split_texts(
    spec: DatasetSpec, train: Texts, test: Texts, what: str
) -> tuple[Split, tuple[str, ...]]:
    """Returns bags of words of training and held-out texts, and the vocabulary.

    The vocabulary is of the training texts, all of them, so that a word may be in none that is
    kept. Of texts that are equal the first counts; those with
    fewer than `LEAST_WORDS` words of the vocabulary are left out.

    Args:
        spec: says how many words there are, by the shape of x.
        train, test: the texts.
        what: they are, for messages.

    Raises:
        UserError: if there are fewer different words than that, or no texts in a part.
    """
    size = spec.fields["x"].shape[0]
    told = [[words_of(text) for text in part.documents] for part in (train, test)]
    words = vocabulary(told[0], size)
    if len(words) < size:
        raise UserError(
            f"{what} has {len(words)} different words; expected at least {size}. Bring more text."
        )
    parts, seen = [], set()
    for texts, documents in zip((train, test), told, strict=True):
        counts = bags(documents, words)
        kept = []
        for number, text in enumerate(texts.documents):
            if text not in seen and counts[number].sum() >= LEAST_WORDS:
                kept.append(number)
            seen.add(text)
        if not kept:
            raise UserError(f"{what} has no text of {LEAST_WORDS} words or more in a part.")
        rows = {"x": Rows(counts[kept], spec.fields["x"])}
        if texts.labels:
            labels = np.asarray(texts.labels, np.int32)[kept]
            rows["label"] = Rows(labels, spec.fields["label"])
        parts.append(Columns(rows))
    return Split(spec, *parts), tuple(words)
