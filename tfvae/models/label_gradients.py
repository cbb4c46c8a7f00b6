"""How the gradient through a label that is not known is estimated, where it is not summed out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.inference.classes import ClassPosterior
from tfvae.noise import Noise
from tfvae.objectives import Nats
from tfvae.objectives.baseline import Baseline, flat_examples

ENUMERATED, SCORE_FUNCTION, GUMBEL_SOFTMAX = "enumerated", "score_function", "gumbel_softmax"
_KNOWN = (ENUMERATED, SCORE_FUNCTION, GUMBEL_SOFTMAX)


def checked_label_gradient(found: Any) -> str:
    """Returns the name of an estimator, if it is one of the known."""
    if found not in _KNOWN:
        raise UserError(f"label_gradient must be one of {_KNOWN}, received {found!r}.")
    return found


def drawn_class(
    classes: ClassPosterior, gradient: str, temperature: float, noise: Noise
) -> tf.Tensor:
    """Returns a class of each example, `[B, K]`: one-hot for its score, or relaxed.

    Args:
        classes: q(y|x).
        gradient: "score_function" or "gumbel_softmax".
        temperature: of the latter.
        noise: of leading shape `[1, B]`.
    """
    if gradient == GUMBEL_SOFTMAX:
        return classes.draw_relaxed(noise, temperature)[0]
    return classes.draw(noise)[0]


def with_score(
    nats: Nats,
    weight: Callable[[str], tf.Tensor | float],
    score: tf.Tensor,
    x: tf.Tensor,
    baseline: Baseline,
) -> Nats:
    """Returns the nats with the score of the drawn classes in the first term's gradient.

        gradient of the loss += -(bound - C(x) - c) d log q(y|x)

    The signal is the whole weighted bound of an example, whatever terms it has.

    Args:
        nats: of an objective.
        weight: term to its factor in the loss.
        score: log q(y|x), `[B]`.
        x: the examples, `[B, ...]`.
        baseline: C and c.
    """
    by_row = {name: value for name, value in nats.terms.items() if value.shape.rank}
    signal = -tf.add_n([weight(name) * value for name, value in by_row.items()])
    found = baseline(flat_examples({"x": x}), signal)
    first = next(iter(by_row))
    # The model multiplies this term with its weight; the signal has all weights already.
    scored = tf.math.divide_no_nan(found.error - found.value * score, weight(first))
    surrogate = nats.surrogates.get(first, nats.terms[first]) + scored
    return replace(nats, surrogates={**nats.surrogates, first: surrogate})
