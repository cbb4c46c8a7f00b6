"""What a model with whole numbers for codes comes to: a bound of log p(x) under uniform codes."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import evaluation
from tfvae.data import first_examples, log_jacobian
from tfvae.data.fields import example_size
from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.evaluation.collecting import collected
from tfvae.models.capabilities import Batch, Encodes, Scores, can
from tfvae.models.codes import codes_by_level, has_real_codes
from tfvae.models.trackers import perplexity
from tfvae.training.programs import compiled

_PARTS = ("elbo", "nll", "kl")  # what such a model logs


def measure_bound(
    model: Any, test: tf.data.Dataset, num_examples: int | None = None
) -> dict[str, Any]:
    """The bound that a model logs and does not draw for, and its parts, in nats an example.

    Args:
        model: A built model that logs `elbo`, `nll` and `kl`.
        test: Batches of held-out data, binarised once.
        num_examples: Only so many of the held-out examples, the first; None for all.
    """
    data = test if num_examples is None else first_examples(test, num_examples)
    run, change = compiled(model, _bound_terms), log_jacobian(test)
    found = collected(model, data, lambda batch: run(batch.tensors()), BATCH_SIZE, verbose=0)
    found = {name: values.astype("float64") for name, values in found.items()}
    bound = float(np.mean(found["elbo"])) + change
    size = example_size(model.fields()) if model.discrete else None
    interval = model.code_interval
    levels = codes_by_level(model, evaluation.latent_codes(model, data))
    perplexities = {name: code_perplexity(codes) for name, codes in levels.items()}
    return {
        "elbo": bound,
        "nll": float(np.mean(found["nll"])) - change,
        "kl": float(np.mean(found["kl"])),
        **{f"{name}_std": float(np.std(values)) for name, values in found.items()},
        "bits_per_dimension": None if size is None else -bound / (size * math.log(2.0)),
        "code_perplexity": next(iter(perplexities.values())) if len(levels) == 1 else None,
        "code_perplexities": perplexities if len(levels) > 1 else None,
        "num_codes": None if interval is None else int(interval[1]) + 1,
        "num_examples": len(found["nll"]),
    }


def _bound_terms(model: Any, batch: Batch) -> dict[str, tf.Tensor]:
    nats = model.loss_terms(batch, training=False)
    return {name: {**nats.terms, **nats.watched}[name] for name in _PARTS}


def code_perplexity(codes: Any) -> float:
    """exp of the entropy of how often each code occurs: as many codes are in use."""
    _, counts = np.unique(np.asarray(codes), return_counts=True)
    return float(perplexity(tf.constant(counts, tf.float64)))


def bounds_alone(model: Any) -> bool:
    """Whether a model has integer codes: a bound of log p(x), and no posterior to draw from."""
    integers = isinstance(model, Encodes) and not has_real_codes(model)
    return integers and not can(model, Scores) and set(_PARTS).issubset(model.trackers)


def bound_lines(test: Mapping[str, Any]) -> list[str]:
    """The numbers of `measure_bound` for people to read."""
    bits = test["bits_per_dimension"]
    lines = [
        f"ELBO      {test['elbo']:.2f} = -(nll {test['nll']:.2f} + codes {test['kl']:.2f}) nats an "
        f"example, {test['num_examples']} held out; under a uniform prior of codes"
    ]
    lines += [] if bits is None else [f"bits      {bits:.3f} a dimension at most"]
    most = "" if test["num_codes"] is None else f" of {test['num_codes']}"
    found = test.get("code_perplexities") or {"": test["code_perplexity"]}  # not of older runs
    texts = [f"{name} {value:.1f}".strip() for name, value in found.items()]
    return [*lines, f"codes     perplexity {', '.join(texts)}{most}"]
