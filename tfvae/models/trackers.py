"""What is logged of each term, and in which direction it is better."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.training.keras_private import MetricsList

_FALLS = ("nll", "kl")
_RISES = ("elbo", "log_likelihood", "accuracy")


class TrackedTerms(keras.Model):
    """A model that logs the mean of each of its named terms; NaN where no row counts for one.

    Keras' `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` learn from `metrics` whether a
    value is to rise: `elbo`, and whatever ends in it, in `log_likelihood` or in `accuracy`, does; a
    term of the loss, `nll`, `kl` and `negative_...` fall; of any other name Keras asks for the
    `mode`.

    Args:
        names: Of the terms, in the order they are logged.
        **kwargs: Keras model arguments.
    """

    def __init__(self, names: Sequence[str], **kwargs: Any):
        super().__init__(**kwargs)
        self.trackers = {name: _MeanOfRows(name=name) for name in names}

    def track(self, name: str) -> None:
        """Logs the mean of one more term."""
        self.trackers[name] = _MeanOfRows(name=name)

    def track_codes(self, name: str, num_codes: int) -> None:
        """Logs the perplexity of `num_codes` codes under a name, of what `Nats.tallies` counts."""
        self.trackers[name] = CodePerplexity(num_codes, name=name)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The loss, and the terms as one metric whose result is a dict."""
        own = {id(tracker) for tracker in self.trackers.values()}
        others = [metric for metric in super().metrics if id(metric) not in own]
        return [*others, _Terms(self.trackers, self.term_names)]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` and the like return as a list, in its order."""
        *others, _ = (metric.name for metric in self.metrics)
        return [*others, *sorted(self.trackers)]


class _MeanOfRows(keras.metrics.Mean):
    """Keras says 0 where nothing has counted: an accuracy of 0 where no row has a label."""

    def result(self) -> Any:
        """Returns the mean, or NaN of no rows."""
        return tf.where(tf.equal(self.count, 0.0), float("nan"), super().result())


class CodePerplexity(keras.metrics.Metric):
    """exp(H), H the entropy of how often each of K codes was used: how many are in use, at most K.

    Of an epoch it is that of all its batches together. The mean of their own perplexities would be
    too small: a batch can't use more codes than it has vectors.

    Args:
        num_codes: K.
        **kwargs: Keras metric arguments.

    Example:
        >>> metric = CodePerplexity(4)
        >>> metric.update_state([1.0, 0.0, 0.0, 0.0])
        >>> metric.update_state([0.0, 1.0, 0.0, 0.0])
        >>> round(float(metric.result()), 4)
        2.0
    """

    def __init__(self, num_codes: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.used = self.add_variable(shape=(num_codes,), initializer="zeros", name="used")

    def update_state(self, counts: Any) -> None:
        """Adds how often each code was used, `[K]`."""
        self.used.assign_add(tf.cast(counts, self.used.dtype))

    def result(self) -> Any:
        """Returns the perplexity, or NaN of no codes."""
        return perplexity(tf.convert_to_tensor(self.used))


def perplexity(counts: tf.Tensor) -> tf.Tensor:
    """Returns exp of the entropy of how often each code occurs, `[K]`; NaN of no codes."""
    shares = counts / tf.reduce_sum(counts)  # 0 / 0 is NaN
    return tf.exp(-tf.reduce_sum(tf.math.xlogy(shares, shares)))


class _Terms(MetricsList):
    """Keras looks for directions in a list of metrics only."""

    def __init__(self, trackers: dict[str, keras.metrics.Metric], terms: Sequence[str]):
        for name, tracker in trackers.items():
            if name in terms or name in _FALLS or name.startswith("negative_"):
                tracker._direction = "down"
            elif name.endswith(_RISES):
                tracker._direction = "up"
        super().__init__(list(trackers.values()), name="terms")

    def result(self) -> dict[str, Any]:
        """Returns the mean of each term."""
        return self.get_result()
