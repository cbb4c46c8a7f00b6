"""Runs rows of words: a model of documents is trained, and predicts the words of others."""

import numpy as np

from tfvae import evaluation, presets
from tfvae.data.loading import arrays
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.reproduce.trained import datasets_of, trained_model
from tfvae.reproduce.words_table import SAMPLES, UNIGRAM, WordsTask


def run_words(row: MethodRow[WordsTask], seed: int) -> Measured:
    """The perplexity of held-out documents under what a row's method has learned with a seed."""
    task = row.task
    if row.method == UNIGRAM:
        return {row.method: _of_shares(presets.get(task.preset)["dataset"])}
    settings = presets.get(task.preset, seed=seed, epochs=task.epochs, **task.changes(row.method))
    model = trained_model(settings)
    _, test = datasets_of(settings)
    counts = np.concatenate([np.asarray(batch) for batch in test])
    bound = evaluation.elbo(model, test, verbose=0)
    tighter = evaluation.log_likelihood(model, test, SAMPLES, verbose=0)
    found = {
        "perplexity": evaluation.word_perplexity(tighter.per_example, counts),
        "elbo": evaluation.word_perplexity(bound.per_example, counts),
        "kl": float(np.mean(bound.kl)),
    }
    return {row.method: {name: [value] for name, value in found.items()}}


def _of_shares(dataset: str) -> dict[str, list[float]]:
    """Every word by its share of the training words: what knows nothing of a document has this."""
    data = arrays(dataset)
    totals = data.train["x"].sum(axis=0, dtype=np.float64) + 1.0  # one more, for words it lacks
    log_shares = np.log(totals / totals.sum())
    counts = data.test["x"].astype(np.float64)
    a_word = (counts @ log_shares) / counts.sum(axis=1)
    return {"perplexity": [float(np.exp(-np.mean(a_word)))]}
