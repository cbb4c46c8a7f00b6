"""Rows of words: a model that learned nothing has the perplexity of shares, by hand."""

import itertools
import string

import numpy as np
import pytest

from tfvae import data, presets
from tfvae.data.loading import arrays
from tfvae.data.sources import docstrings
from tfvae.data.sources.bags_of_words import STOP_WORDS
from tfvae.reproduce import counting
from tfvae.reproduce.words_table import UNIGRAM, WORDS_TABLES

pytestmark = pytest.mark.usefixtures("without_xla")
TABLE = WORDS_TABLES["words"]
SHARES = "docstrings-shares-unigram"


@pytest.fixture(scope="module", autouse=True)
def library():
    """Texts of made-up words, of which some are frequent: reading the library takes seconds."""
    rng = np.random.default_rng(0)
    words = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3)]
    words = [word for word in words if word not in STOP_WORDS][:2500]
    shares = 1.0 / np.arange(1, 2501)
    drawn = rng.choice(words, size=(300, 60), p=shares / shares.sum())
    texts = [" ".join(words), *(" ".join(row) for row in drawn)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docstrings, "_of_library", lambda: tuple(texts))
        yield


def held_out():
    found = arrays("docstrings")
    return found.train["x"].astype("float64"), found.test["x"].astype("float64")


def perplexity(counts, shares):
    """Word by word, in order."""
    each = [np.mean(np.log(np.repeat(shares, row.astype(int)))) for row in counts]
    return np.exp(-np.mean(each))


def test_shares_of_words():
    train, test = held_out()
    totals = train.sum(axis=0) + 1.0
    found = counting.run_words(TABLE.rows[SHARES], 0)[UNIGRAM]
    assert found == {"perplexity": [pytest.approx(perplexity(test, totals / totals.sum()))]}
    assert 100 < found["perplexity"][0] < 2000


def test_a_model_that_ignores_its_latents_has_that_of_its_own_shares(monkeypatch):
    """q is the prior, so that both bounds are log p(x) itself."""
    _, test = held_out()
    kept = {}

    def ignorant(settings):
        model = settings.model((2000,))
        model.adapt(data.mean(counting.datasets_of(settings)[0]))
        for weight in (*model.encoder.head.weights, *model.decoder.head.projection.weights):
            weight.assign(0.0 * weight)
        kept["shares"] = model.decode(np.full((1, 50), 0.5, "float32"))[0].numpy()
        return model

    monkeypatch.setattr(counting, "trained_model", ignorant)
    (found,) = counting.run_words(TABLE.rows["docstrings-piecewise-5"], 1).values()
    expected = pytest.approx([perplexity(test, kept["shares"].astype("float64"))], rel=1e-4)
    assert found["perplexity"] == expected
    assert found["elbo"] == expected
    assert found["kl"] == [pytest.approx(0.0, abs=1e-5)]


def test_rows_differ_by_their_latents_alone():
    chosen = set()
    for row in TABLE.rows.values():
        if row.method != UNIGRAM:
            settings = presets.get(row.task.preset, **row.task.changes(row.method))
            pieces = settings.get("posterior.num_pieces"), settings.get("prior.num_pieces")
            chosen.add((settings["latent_size"], settings["posterior"], *pieces))
    histograms = {(50, "piecewise", count, count) for count in (3, 5, 7)}
    assert chosen == {
        (50, "diag", None, None),
        (50, "normal_and_piecewise", 3, 3),
        *histograms,
    }
    assert len({row.protocol() for row in TABLE.rows.values()}) == len(TABLE.rows)
