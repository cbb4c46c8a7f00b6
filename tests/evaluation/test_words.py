"""Perplexity against its definition over words in their order."""

import numpy as np
import pytest
import scipy.stats

from tfvae.errors import UserError
from tfvae.evaluation import word_perplexity

PROBS = np.array([0.5, 0.3, 0.15, 0.05])
DOCUMENTS = [[0, 1, 1, 3], [2, 0], [0, 0, 0, 1, 2, 1, 0]]


def test_it_is_that_of_words_one_after_another():
    """SciPy's multinomial of the bags, against the product of the words' probabilities."""
    counts = np.array([np.bincount(words, minlength=4) for words in DOCUMENTS])
    nats = [scipy.stats.multinomial.logpmf(x, x.sum(), PROBS) for x in counts]
    of_words = [np.mean(np.log(PROBS[words])) for words in DOCUMENTS]
    assert word_perplexity(nats, counts) == pytest.approx(np.exp(-np.mean(of_words)), rel=1e-10)


def test_equal_probabilities_have_the_size_of_the_vocabulary():
    counts = np.array([[3, 0, 1, 1, 0], [0, 1, 0, 0, 0]])
    nats = [scipy.stats.multinomial.logpmf(x, x.sum(), np.full(5, 0.2)) for x in counts]
    assert word_perplexity(nats, counts) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("nats", "counts", "message"),
    [
        ([0.0], [[1, 2], [3, 4]], r"nats has the shape \(1,\) and counts \(2, 2\)"),
        ([0.0, 0.0], [[1, 2], [0, 0]], "Document 1 has no words"),
    ],
)
def test_bad_documents_are_refused(nats, counts, message):
    with pytest.raises(UserError, match=message):
        word_perplexity(nats, counts)
