"""A trained model as scikit-learn's outlier detector, with a known rate of false alarms."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from tfvae.checks import int32, positive_int, real
from tfvae.data.fields import Field
from tfvae.data.validate import check_values
from tfvae.errors import UserError, UserTypeError
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.models.capabilities import Batch, Scores, require
from tfvae.suggestions import nearest
from tfvae.uses.anomaly_scores import AnomalyScore
from tfvae.uses.bound_scores import (
    NegativeELBO,
    NegativeLogLikelihood,
    ReconstructionProbability,
)
from tfvae.uses.compared_scores import Typicality
from tfvae.uses.likelihood_regret import LikelihoodRegret
from tfvae.uses.table_model import seeded_weights, table_model
from tfvae.uses.thresholds import FalseAlarms, checked_rate, false_alarms, score_threshold

ANOMALY_SCORES: Mapping[str, type[AnomalyScore]] = {
    "negative_elbo": NegativeELBO,
    "negative_log_likelihood": NegativeLogLikelihood,
    "reconstruction_probability": ReconstructionProbability,
    "likelihood_regret": LikelihoodRegret,
    "typicality": Typicality,
}
"""The scores that need nothing but a model, by name."""

_HELD_OUT = 0.4  # of the examples, where a model has to be trained on the others


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Says which examples are strange to a model: scikit-learn's outlier detectors, for any VAE.

        anomaly  <=>  score(x) > t,   t such that a normal example is one with probability a

    `fit` takes normal examples. Of a model that is trained already all of them are held out: half
    of them give the threshold t (`score_threshold`), the other half tell how often it is wrong. A
    model that is made here is trained on 60 % of them first, and 20 % each serve these two ends.

    Choose it where normal examples abound and anomalies are few or unknown. With labels of both, a
    classifier is better; on small tables IsolationForest is often as good, and needs no training of
    a network: see `tfvae reproduce uses`.

    Args:
        model: A trained model that scores, which `fit` leaves as it is; or a function that returns
            a fresh one, of no argument or of the shape of one example, which `fit` trains (with
            Adam, unless it is compiled). None (default): a small VAE for rows of a table `[N, D]`
            of real numbers, which are standardised by their means and deviations.
        anomaly_score: "negative_elbo" (default), "negative_log_likelihood",
            "reconstruction_probability", "likelihood_regret", "typicality", or an `AnomalyScore`,
            such as `LikelihoodRatio(background)`. (`score` is a method of scikit-learn's.)
        false_alarm_rate: a, above 0 and below 1. Default 0.05.
        epochs: Of a model that is trained here, at least 1.
        batch_size: Examples of a step of training.
        learning_rate: Of Adam, above 0.
        seed: Of weights, draws and of which examples serve which end, from 0 on.
        verbose: 1 shows progress bars.

    Attributes:
        model_: The trained model.
        score_: The score, with what it had to know of normal data.
        threshold_: t, in nats.
        offset_: -t: `decision_function(x) = score_samples(x) - offset_`.
        false_alarms_: `FalseAlarms` of the normal examples that t was not taken from: their rate,
            the ends of its interval of 95 % (Clopper-Pearson), and their number.
        num_calibration_: Of the examples that t was taken from.
        n_features_in_: How many numbers an example has.
        mean_, scale_: By which rows of a table are standardised, `[D]`; None of a given model.

    Raises:
        UserError: in `fit`, for arguments out of range, a model that does not score, too few
            examples, or examples of another shape.
        sklearn.exceptions.NotFittedError: by the other methods, before `fit`.

    Example:
        >>> import numpy as np, tfvae
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> detector = tfvae.uses.AnomalyDetector(epochs=5).fit(x)
        >>> detector.predict([[0.0, 0.0, 0.0], [50.0, 50.0, -50.0]])
        array([ 1, -1])

    References:
        S. Bates et al., 2021, "Testing for Outliers with Conformal p-values", arXiv:2104.08279, for
        the threshold; each score has its own.
    """

    def __init__(
        self,
        model: Any = None,
        anomaly_score: str | AnomalyScore = "negative_elbo",
        false_alarm_rate: float = 0.05,
        epochs: int = 100,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        seed: int = 0,
        verbose: int = 0,
    ):
        self.model = model
        self.anomaly_score = anomaly_score
        self.false_alarm_rate = false_alarm_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed
        self.verbose = verbose

    def __sklearn_clone__(self) -> "AnomalyDetector":
        """The same, not fitted: a given model, which `fit` does not change, is shared."""
        return type(self)(**self.get_params(deep=False))

    def fit(self, X: Any, y: Any = None) -> "AnomalyDetector":
        """Trains the model, if it is not given, and takes the threshold.

        Args:
            X: Normal examples: rows `[N, D]`, arrays `[N, *shape]` of the model's field, or, of a
                trained model, all that its `fit` takes.
            y: Not used.

        Returns:
            The detector itself.
        """
        score = checked_anomaly_score(self.anomaly_score)
        rate = checked_rate("false_alarm_rate", self.false_alarm_rate)
        positive_int("seed", int32("seed", self.seed), minimum=0)
        given = isinstance(self.model, keras.Model)
        examples = self._examples(X, fitting=True)
        columns = examples if isinstance(examples, dict) else {"": examples}
        rest, calibration, check = self._divided(len(next(iter(columns.values()))), given)

        def rows(numbers: np.ndarray) -> Any:
            chosen = {name: values[numbers] for name, values in columns.items()}
            return chosen if isinstance(examples, dict) else chosen[""]

        self.mean_: np.ndarray | None = None
        self.scale_: np.ndarray | None = None
        self.model_ = self.model if given else self._trained(rows(rest))
        score.check(self.model_)
        normal = rows(calibration)
        self.score_ = score.calibrated(self.model_, self._standardised(normal), self.seed)
        self.threshold_ = score_threshold(self._scores(normal), rate)
        self.offset_ = -self.threshold_
        self.num_calibration_ = len(calibration)
        self.false_alarms_: FalseAlarms = false_alarms(self._scores(rows(check)), self.threshold_)
        return self

    def anomaly_scores(self, X: Any) -> np.ndarray:
        """Returns how strange each example is, float64 `[N]`, nats; higher = less normal."""
        check_is_fitted(self)
        return self._scores(self._examples(X, fitting=False))

    def score_samples(self, X: Any) -> np.ndarray:
        """Returns how normal each example is, `[N]`, nats: -`anomaly_scores`."""
        return -self.anomaly_scores(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Returns how far each example is from the threshold, `[N]`, nats; below 0 = anomaly."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Returns -1 for each anomaly and 1 for each normal example, `[N]`."""
        return np.where(self.anomaly_scores(X) > self.threshold_, -1, 1)

    def verdicts(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns `score`, float32, and `is_anomaly`, bool, `[B]` each, within a graph.

        What an exported file holds; of the same float32 numbers as `anomaly_scores` and `predict`.

        Args:
            batch: The model's fields, `[B, ...]` each; rows of a table as they are.
        """
        check_is_fitted(self)
        if self.mean_ is not None and self.scale_ is not None:
            batch = {
                name: (x - tf.constant(self.mean_, tf.float32)) / self.scale_.astype(np.float32)
                for name, x in batch.items()
            }
        score = self.score_.of_batch(self.model_, batch, tf.constant(self.seed, tf.int32))
        return {"score": score, "is_anomaly": score > tf.constant(self.threshold_, tf.float32)}

    def _examples(self, data: Any, fitting: bool) -> Any:
        """What the model takes: an array of its shape, or a dict of arrays."""
        given = self.model if isinstance(self.model, keras.Model) else None
        model = given if fitting else self.model_
        # SciPy has matrices that are dicts, which scikit-learn refuses by their name.
        if isinstance(data, dict | tf.data.Dataset) and not issparse(data):
            if model is None:
                raise UserTypeError(
                    "A detector that trains its model takes arrays, received a "
                    f"{type(data).__name__}. Train the model first, or pass the array of x."
                )
            require(model, "AnomalyDetector", Scores)
            found = _collected_columns(model, data)
            if fitting:
                self.n_features_in_ = int(np.prod(next(iter(found.values())).shape[1:]))
            return found
        return self._of_shape(data, model, fitting)

    def _of_shape(self, data: Any, model: Any, fitting: bool) -> np.ndarray:
        """Arrays through scikit-learn's checks, which are of rows, in the shape of an example."""
        data = data.numpy() if tf.is_tensor(data) else data
        axes = np.ndim(data) if isinstance(data, list) else getattr(data, "ndim", 2)
        if axes < 2:
            raise UserError(
                f"X has shape {np.shape(data)}; expected rows [N, D], or examples of more axes. "
                "Reshape your data: x[None] makes a row of one example."
            )
        shape = tuple(np.shape(data)[1:]) if isinstance(data, np.ndarray) else ()
        field = None
        if model is not None:
            require(model, "AnomalyDetector", Scores)
            field = replace(next(iter(model.fields().values())), interval=None)
            if len(shape) > 1 and shape != field.shape:
                raise UserError(
                    f"X has examples of shape {shape}, and the model's are of shape {field.shape}. "
                    "Pass X of that shape, or its examples as rows of as many numbers."
                )
        flat = data.reshape(len(data), int(np.prod(shape))) if len(shape) > 1 else data
        kind = np.float64 if self.model is None else "numeric"
        rows = validate_data(self, flat, reset=fitting, dtype=kind, ensure_all_finite=False)
        if field is None:
            field = Field(shape or rows.shape[1:], interval=None)
        elif rows.shape[1] != int(np.prod(field.shape)):
            raise UserError(
                f"X has {rows.shape[1]} numbers an example, and the model's x has shape "
                f"{field.shape}."
            )
        found = rows.reshape(len(rows), *field.shape)
        # scikit-learn's own message of NaN is of several lines, and of classifiers.
        check_values(found, field, "X")
        return found

    def _divided(self, count: int, given: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers of the examples to train on, to take the threshold from, and to check it with."""
        least = 2 if given else 4
        if count < least:
            raise UserError(
                f"n_samples={count} normal examples; expected at least {least}: some to take the "
                f"threshold from and others to check it with{'' if given else ', and to train on'}."
            )
        held_out = count if given else max(2, round(_HELD_OUT * count))
        order = np.random.default_rng(self.seed).permutation(count)
        checked = held_out // 2
        return order[held_out:], order[checked:held_out], order[:checked]

    def _trained(self, examples: np.ndarray) -> Any:
        """A fresh model, trained."""
        for name in ("epochs", "batch_size"):
            positive_int(name, getattr(self, name))
        rate = real("learning_rate", self.learning_rate, above=0.0)
        if self.model is None:
            scaler = StandardScaler().fit(examples)  # a constant column stays 0
            self.mean_, self.scale_ = scaler.mean_, scaler.scale_
            model = table_model(examples.shape[1], self.seed)
        else:
            model = _made(self.model, examples.shape[1:], self.seed)
        if not model.compiled:
            model.compile(keras.optimizers.Adam(rate))
        model.fit(
            self._standardised(examples),
            epochs=self.epochs,
            batch_size=self.batch_size,
            verbose=self.verbose,
        )
        return model

    def _standardised(self, examples: Any) -> Any:
        if self.mean_ is None or self.scale_ is None:
            return examples
        rows = examples.astype(np.float32)
        return (rows - self.mean_.astype(np.float32)) / self.scale_.astype(np.float32)

    def _scores(self, examples: Any) -> np.ndarray:
        """The scores, in full batches: one program, and one result for an example, serve all."""
        padded, count = self._standardised(examples), _length(examples)
        missing = -count % BATCH_SIZE
        padded = tf.nest.map_structure(
            lambda values: np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]), padded
        )
        return self.score_(self.model_, padded, self.seed, verbose=self.verbose)[:count]


def checked_anomaly_score(score: str | AnomalyScore) -> AnomalyScore:
    """Returns the score that is meant by a name, or the one that is given.

    Raises:
        UserError: for another name; UserTypeError for anything else.
    """
    if isinstance(score, AnomalyScore):
        return score
    if isinstance(score, type) or not isinstance(score, str):
        raise UserTypeError(
            f"anomaly_score must be one of {', '.join(ANOMALY_SCORES)}, or an AnomalyScore such as "
            f"tfvae.uses.NegativeELBO(), received {score!r}."
        )
    if score not in ANOMALY_SCORES:
        raise UserError(
            f"no such anomaly score {score!r}.{nearest(score, ANOMALY_SCORES)} Expected one of "
            f"{', '.join(ANOMALY_SCORES)}, or an AnomalyScore such as "
            "tfvae.uses.LikelihoodRatio(background)."
        )
    return ANOMALY_SCORES[score]()


def _made(factory: Callable[..., Any], shape: tuple[int, ...], seed: int) -> Any:
    """The model that a function returns."""
    if not callable(factory):
        raise UserTypeError(
            "model must be a trained model, a function that returns a fresh one, or None, received "
            f"{factory!r}. A preset's: lambda: tfvae.presets.model('digits')."
        )
    with seeded_weights(seed):
        model = factory(shape) if inspect.signature(factory).parameters else factory()
        require(model, "AnomalyDetector", Scores)
        if not model.built:
            model.build((None, *shape))
    return model


def _collected_columns(model: Any, data: Any) -> dict[str, np.ndarray]:
    """All examples, by field."""
    found = [
        {name: values[: batch.count] for name, values in batch.fields.items()}
        for batch in batches(model, data)
    ]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _length(examples: Any) -> int:
    return len(tf.nest.flatten(examples)[0])
