"""What every score of strangeness shares: nats of each example, the same in Python and served."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.data.fields import example_size
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.importance import NUMBERS_AT_ONCE, chunk_size
from tfvae.inference.importance import inference_estimates
from tfvae.inference.inference import Inference
from tfvae.models.capabilities import Batch, Scores, require
from tfvae.noise import example_noise
from tfvae.training.programs import compiled


@dataclass(frozen=True)
class AnomalyScore(ABC):
    """A function of a model and data: how strange each example is, in nats, higher = less normal.

    Random with a seed, and with the *same* draws for each example: an example's score is a function
    of the example and the seed alone, and neither of its place, nor of its neighbours, nor of the
    batch size. So an exported file gives what Python does, and examples compare without the noise
    of different draws. Memory grows neither with N nor with the number of draws.

    A score of your own is a frozen dataclass that gives `of_batch`.
    """

    @abstractmethod
    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns the scores of a batch, `[B]`, nats; within a graph, where B may be unknown."""

    def calibrated(self, model: Any, normal: Any, seed: int = 0) -> "AnomalyScore":
        """Returns the score with what it has to know of normal data; mostly itself.

        Args:
            model: Trained.
            normal: Normal examples that the model was not trained on, what `fit` takes.
            seed: Of the draws.
        """
        return self

    def others(self) -> tuple[Any, ...]:
        """Returns the further models that the score compares with."""
        return ()

    def __call__(
        self,
        model: Any,
        data: Any,
        seed: int = 0,
        *,
        batch_size: int = BATCH_SIZE,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns the score of each example, float64 `[N]`, in nats; higher = less normal.

        Args:
            model: A built model that scores.
            data: What `fit` takes: an array, a dict of arrays by field, or a `tf.data.Dataset`.
            seed: Any int32.
            batch_size: Examples of one compiled step.
            verbose: 1 shows a progress bar.

        Raises:
            UserError: for a model that does not score, two with equal weights, or data that `fit`
                would refuse.
            FloatingPointError: if a score is not a number.
        """
        self.check(model)
        int32("seed", seed)
        run = compiled(model, self.of_batch)

        def of_batch(batch: PaddedBatch) -> Any:
            return run(batch.tensors(), tf.constant(seed, tf.int32))

        found = collected(model, data, of_batch, batch_size, verbose).astype(np.float64)
        refuse_nan(found)
        return found

    def check(self, model: Any) -> None:
        """Raises `UserError` unless the models score, each with weights of its own."""
        models = (model, *self.others())
        for number, each in enumerate(models):
            require(each, f"the anomaly score {type(self).__name__}", Scores)
            if any(equal_weights(each, before) for before in models[:number]):
                raise UserError(
                    f"{type(self).__name__} compares models, and two of those that it is given "
                    "have equal weights: they score alike. Give models trained with other seeds, "
                    "or on other examples."
                )


def equal_weights(model: Any, other: Any) -> bool:
    """Returns whether two models have the same weights, and so score alike.

    What weighs their training, and the state of their random numbers, does not count.

    Args:
        model: Built.
        other: Built.
    """
    pairs = list(zip_longest(_scoring_weights(model), _scoring_weights(other)))
    return bool(pairs) and all(
        a is not None and b is not None and a.shape == b.shape and np.array_equal(a, b)
        for a, b in pairs
    )


def _scoring_weights(model: Any) -> list[Any]:
    training = getattr(model, "objective", None)
    others = {id(weight) for weight in getattr(training, "weights", ())}
    return [
        weight
        for weight in model.weights
        if id(weight) not in others and tf.as_dtype(weight.dtype).is_floating
    ]


def checked_draws(score: AnomalyScore, *names: str) -> None:
    """Refuses counts of draws or steps that are none."""
    for name in names:
        positive_int(name, getattr(score, name), maximum=MOST_DRAWS)


def same_seeds(batch: Batch, seed: tf.Tensor) -> tf.Tensor:
    """Returns one seed for all examples of a batch, uint32 `[B]`."""
    rows = number_of_rows(batch)
    return tf.fill([rows], tf.cast(seed, tf.uint32))


def number_of_rows(batch: Batch) -> Any:
    """Returns B, a number where it is known."""
    first = next(iter(batch.values()))
    return tf.shape(first)[0] if first.shape[0] is None else first.shape[0]


def sums_over_draws(
    model: Any, inference: Inference, batch: Batch, num_samples: int, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns `inference_estimates` of a batch, from K draws that all examples share.

    Args:
        model: Whose fields the batch has.
        inference: Of the batch.
        batch: Its fields, `[B, ...]` each.
        num_samples: K.
        seed: int32.
    """
    rows, numbers = number_of_rows(batch), example_size(model.fields())
    if isinstance(rows, int):
        chunk: Any = chunk_size(num_samples, rows, numbers)
    else:
        at_once = tf.maximum(NUMBERS_AT_ONCE // numbers, 1)
        chunk = tf.clip_by_value(at_once // tf.maximum(rows, 1), 1, num_samples)
    seeds = same_seeds(batch, seed)
    return inference_estimates(
        inference,
        lambda first: example_noise(seeds, first, chunk),
        tf.constant(num_samples),
        rows,
    )
