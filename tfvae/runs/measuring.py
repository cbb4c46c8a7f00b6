"""The numbers of a trained model on held-out examples."""

import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import tensorflow as tf
from pydantic import Field

from tfvae import evaluation
from tfvae.data import first_examples, log_jacobian, num_levels
from tfvae.data.fields import HOLE, example_size
from tfvae.models.capabilities import Classifies, Decodes, Encodes, Scores, ScoresExactly, can
from tfvae.models.codes import code_draws, from_draws, vector_size
from tfvae.noise import Noise
from tfvae.runs.code_bounds import bound_lines
from tfvae.settings.settings import FIRST_STAGE
from tfvae.uses.classification import Classification, classify

ELBO_SAMPLES = 10  # draws of z an example: the noise of the mean is then below its third decimal

_FIRST = 100  # held-out examples that tell what a fresh model is worth
_MARGIN = 10.0  # nats: a collapsed posterior can be a little worse than an untrained one


def measure(
    model: Any,
    test: tf.data.Dataset,
    eval_samples: Annotated[int, Field(gt=0, le=10**6)] = 5000,
    eval_examples: Annotated[int, Field(gt=0, lt=2**31)] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """The bound, its parts and the importance-weighted likelihood, in nats an example.

    Of a model that classifies these are of x alone, and the error is that of its labels.

    Of one without latent variables the likelihood is exact, and the bound is equal to it.

    Of data that were standardised they are densities of x in its own units; of dequantised data
    densities in the unit of a level, which bound log-probabilities of levels from below.

    Args:
        model: A built model that scores.
        test: Batches of held-out data, binarised once.
        eval_samples: Draws of z for each example in the importance-weighted likelihood, up to a
            million.
        eval_examples: Only so many of the held-out examples, the first; None for all.
        seed: Of the draws.
    """
    data = test if eval_examples is None else first_examples(test, eval_examples)
    classification = {}
    if isinstance(model, Classifies):
        classification = measure_classification(model, data)
        data = without(data, model.label_name)
    exact = can(model, ScoresExactly)  # nothing to draw
    eval_samples = 1 if exact else eval_samples
    draws = 1 if exact else ELBO_SAMPLES
    bound = evaluation.elbo(model, data, num_samples=draws, seed=seed)
    likelihood = evaluation.log_likelihood(
        model, data, num_samples=eval_samples, seed=seed, verbose=int(sys.stdout.isatty())
    )
    error, change = likelihood.standard_error, log_jacobian(test)
    found = likelihood.mean + change
    size = likelihood.num_discrete
    levels = num_levels(test)
    if levels is not None:
        size = example_size(model.fields())
    return {
        "log_likelihood": found,
        "standard_error": error if math.isfinite(error) else None,  # of a single example
        "effective_sample_size": likelihood.mean_effective_sample_size,
        # Of discrete data, and of dequantised ones at most so many.
        "bits_per_dimension": None if size is None else -found / (size * math.log(2.0)),
        **({} if levels is None else {"dequantised_levels": levels}),
        "elbo": bound.mean + change,
        "nll": float(np.mean(bound.nll)) - change,
        "kl": float(np.mean(bound.kl)),
        "elbo_std": float(np.std(bound.per_example)),  # over the examples
        "nll_std": float(np.std(bound.nll)),
        "kl_std": float(np.std(bound.kl)),
        "num_samples": eval_samples,
        **({"exact": True} if exact else {}),
        "num_examples": len(likelihood.per_example),
        "seed": seed,
        **measured_levels(model, data, seed),
        "code_draws": code_draws(model) if isinstance(model, Encodes) else 0,
        **classification,
    }


def measure_classification(model: Any, data: Any) -> dict[str, Any]:
    """The error of q(y|x) on examples with a label, and its expected calibration error.

    Args:
        model: A built model that classifies.
        data: Batches of dicts by field, or such a dict of arrays. Without labels nothing is found.
    """
    batches = data.as_numpy_iterator() if isinstance(data, tf.data.Dataset) else [data]
    known, found = [], []
    for batch in batches:
        if not isinstance(batch, Mapping) or model.label_name not in batch:
            return {}
        rows = batch[model.label_name] != HOLE
        known.append(batch[model.label_name][rows])
        found.append(classify(model, batch).probabilities[rows])
    labels, classified = np.concatenate(known), Classification(np.concatenate(found))
    if not len(labels):
        return {}
    return {
        "error": classified.error(labels),
        "calibration_error": classified.calibration(labels).expected_error,
        "num_labels": len(labels),
    }


def measured_levels(model: Any, data: Any, seed: int) -> dict[str, Any]:
    """Of a hierarchy the nats of each level, and how many of its dimensions are active.

    Args:
        model: A built model that scores.
        data: Batches of held-out data.
        seed: Of the draws.
    """
    if not evaluation.has_levels(model):
        return {}
    used = evaluation.level_use(model, data, num_samples=ELBO_SAMPLES, seed=seed)
    return {
        "levels": {
            name: {
                "kl": level.kl,
                "active_units": level.active_units.count,
                "size": len(level.active_units.variances),
            }
            for name, level in used.items()
        }
    }


def without(data: Any, name: str) -> Any:
    """The same batches, or dict of arrays, without one of their fields."""

    def rest(batch: Any) -> Any:
        if not isinstance(batch, Mapping):
            return batch
        return {field: values for field, values in batch.items() if field != name}

    return data.map(rest) if isinstance(data, tf.data.Dataset) else rest(data)


def measured_gap(
    model: Any, test: tf.data.Dataset, num_samples: int, num_examples: int | None, seed: int
) -> dict[str, float]:
    """Means of log p(x) - ELBO and of its two parts, in nats; see `evaluation.inference_gap`.

    The arguments are those of `measure`.
    """
    data = test if num_examples is None else first_examples(test, num_examples)
    found = evaluation.inference_gap(
        model, data, num_samples=num_samples, seed=seed, verbose=int(sys.stdout.isatty())
    )
    return {part: getattr(found, part).mean for part in ("gap", "approximation", "amortisation")}


def measure_reconstruction(
    model: Any, train: tf.data.Dataset, test: tf.data.Dataset, num_examples: int | None = None
) -> dict[str, Any]:
    """The squared error of held-out reconstructions, an example, and that of PCA beside it.

    Args:
        model: A built model that encodes, to one vector, and decodes.
        train: Batches, from which the principal components are computed.
        test: Batches of held-out data, binarised once.
        num_examples: Only so many of the held-out examples, the first; None for all.
    """
    data = test if num_examples is None else first_examples(test, num_examples)
    errors = evaluation.reconstruction_errors(model, data)
    beside = evaluation.pca_reconstruction_errors(model, train, data)
    return {
        "squared_error": float(np.mean(errors)),
        "squared_error_std": float(np.std(errors)),  # over the examples
        "pca_squared_error": float(np.mean(beside)),
        "latent_size": vector_size(model),
        "num_examples": len(errors),
    }


def reconstructs_alone(model: Any) -> bool:
    """Whether a model has a code and no p(x): reconstructions are what it is measured by."""
    both = can(model, Encodes) and can(model, Decodes)
    return both and not can(model, Scores) and vector_size(model) is not None


def untrained_elbo(model: Any, test: tf.data.Dataset) -> float | None:
    """The ELBO of a fresh model on the first held-out examples; None if it can't score."""
    if not can(model, Scores):
        return None
    batch = model.named(first_examples(test, _FIRST))
    rows = len(next(iter(batch.values())))
    draws = model.infer(batch).draw_from(Noise(0, row=tf.range(rows)[tf.newaxis]))
    return float(tf.reduce_mean(draws.log_weights)) + log_jacobian(test)


def has_diverged(elbo: float, untrained: float) -> bool:
    """Whether training made a model far worse than it had been, and not merely left it there."""
    return not elbo > untrained - max(_MARGIN, abs(untrained))


def table(tests: Mapping[str, dict[str, Any]]) -> list[str]:
    """The numbers for people to read: those of each stage, by its name."""
    lines = []
    for name, test in tests.items():
        lines += [f"stage {name}"] if len(tests) > 1 else []
        if "squared_error" in test:
            lines.append(_reconstruction_line(test))
            continue
        if "log_likelihood" not in test:
            lines += bound_lines(test)
            continue
        error = test["standard_error"]
        spread = "" if error is None else f" +- {error:.2f}"
        nats = f"log p(x)  {test['log_likelihood']:.2f}{spread} nats an example"
        if test.get("exact"):
            lines.append(f"{nats}, {test['num_examples']} held out, exact")
        else:
            lines += [
                f"{nats}, {test['num_examples']} held out, {test['num_samples']} importance "
                f"samples each (effective {test['effective_sample_size']:.0f})",
                f"ELBO      {test['elbo']:.2f} = -(nll {test['nll']:.2f} + kl {test['kl']:.2f})",
            ]
        if test["bits_per_dimension"] is not None:
            levels = test.get("dequantised_levels")
            bound = f" at most: {levels} levels, dequantised" if levels else ""
            lines.append(f"bits      {test['bits_per_dimension']:.3f} a dimension{bound}")
        lines += [
            f"level {name:<4}kl {level['kl']:.2f}, {level['active_units']} of {level['size']} "
            "dimensions active"
            for name, level in test.get("levels", {}).items()
        ]
        if "error" in test:
            lines.append(
                f"label     {test['error']:.2%} of {test['num_labels']} wrong, expected "
                f"calibration error {test['calibration_error']:.3f}"
            )
        if "inference_gap" in test:
            lines.append(
                "gap       {gap:.2f} = approximation {approximation:.2f} + amortisation "
                "{amortisation:.2f}".format(**test["inference_gap"])
            )
        if test["code_draws"]:
            means = f"posterior means{from_draws(test['code_draws'])}"
            lines.append(f"codes     {means}: they have no closed form")
    return lines


def _reconstruction_line(test: Mapping[str, Any]) -> str:
    return (
        f"error     {test['squared_error']:.4f} squared, an example, {test['num_examples']} held "
        f"out; {test['latent_size']} principal components {test['pca_squared_error']:.4f}"
    )


def tests_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Stage -> its numbers in a run's metrics, of the stages that could be measured."""
    of_stages = {FIRST_STAGE: metrics, **metrics.get("stages", {})}
    return {name: its["test"] for name, its in of_stages.items() if "test" in its}
