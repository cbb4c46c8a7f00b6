"""How well a model of bags of words predicts a word."""

from typing import Any

import numpy as np
from scipy.special import gammaln

from tfvae.errors import UserError


def word_perplexity(nats: Any, counts: Any) -> float:
    """exp of the mean over the documents of -(nats of a word): the lower, the better.

        exp(-1/N sum_n (log p(x_n) - log c(x_n)) / |x_n|),   c(x) = |x|! / prod_i x_i!

    log p(x) is that of the bag; without the coefficient c, in how many orders its words can stand,
    it is that of the words one after another, which papers report. The mean is over documents,
    each of which counts once, however long it is. Of a lower bound it is an upper bound. A model
    that knew only the vocabulary of V words would have V.

    Args:
        nats: log p(x) of each document or a lower bound, such as `elbo(...).per_example`, `[N]`.
        counts: x, `[N, V]`, at least one word each.

    Raises:
        UserError: for shapes that do not belong together, or a document without words.

    Example:
        >>> word_perplexity([np.log(2 / 4**2)], [[1, 1, 0, 0]])
        4.0

    References:
        Y. Miao, L. Yu, P. Blunsom, 2016, "Neural Variational Inference for Text Processing",
        arXiv:1511.06038, section 5.1; as in I. V. Serban et al., 2017, arXiv:1612.00377.
    """
    nats, counts = np.asarray(nats, np.float64), np.asarray(counts, np.float64)
    if counts.ndim != 2 or nats.shape != counts.shape[:1] or not len(nats):
        raise UserError(
            f"nats has the shape {nats.shape} and counts {counts.shape}; expected [N] and [N, V], "
            "a number for each bag of words."
        )
    totals = counts.sum(axis=1)
    if not np.all(totals > 0):
        raise UserError(
            f"Document {int(np.argmin(totals))} has no words; expected at least one in each. Leave "
            "it out."
        )
    log_orders = gammaln(totals + 1.0) - gammaln(counts + 1.0).sum(axis=1)
    return float(np.exp(-np.mean((nats - log_orders) / totals)))
