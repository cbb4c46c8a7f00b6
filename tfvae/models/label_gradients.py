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
    """Returns the nats with the score of the drawn classes in the gradient of the terms of q.

        gradient of the loss += -(bound - C(x) - c) d log q(y|x)

    The signal is the weighted sum of an example's terms whose draws are q's. Each of them carries
    its part of the score, so that no weight that is 0 loses it.

    Args:
        nats: of an objective.
        weight: term to its factor in the loss.
        score: log q(y|x), `[B]`.
        x: the examples, `[B, ...]`.
        baseline: C and c.
    """
    by_row = {name: value for name, value in nats.terms.items() if value.shape.rank}
    weights = {
        name: tf.convert_to_tensor(weight(name)) for name in by_row if name not in nats.of_prior
    }
    signal = -tf.add_n([weights[name] * by_row[name] for name in weights])
    found = baseline(flat_examples({"x": x}), signal)
    # The model multiplies each term with its weight: all parts together are the score, once.
    squares = tf.add_n([tf.square(value) for value in weights.values()])
    scored = tf.math.divide_no_nan(found.error - found.value * score, squares)
    surrogates = dict(nats.surrogates)
    for name, value in weights.items():
        surrogates[name] = surrogates.get(name, nats.terms[name]) + value * scored
    return replace(nats, surrogates=surrogates)
