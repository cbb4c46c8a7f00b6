"""A label's probabilities given x, by a conditional model, and how well they are calibrated."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.special
import tensorflow as tf

from tfvae.data.naming import by_name
from tfvae.errors import UserError, UserTypeError
from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.evaluation.canvas import Picture
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.likelihood import log_likelihood
from tfvae.evaluation.pictures import class_condition
from tfvae.models.capabilities import Batch, Classifies, Scores, require
from tfvae.models.labels import checked_class_prior
from tfvae.training.programs import compiled
from tfvae.uses.calibration import Calibration, calibration


@dataclass(frozen=True)
class Classification:
    """How likely each class of each example is.

    Attributes:
        probabilities: p(y|x), float64 `[N, K]`.
    """

    probabilities: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """The likeliest class of each example, `[N]`."""
        return self.probabilities.argmax(axis=1)

    def error(self, labels: Any) -> float:
        """The share of examples whose likeliest class is another than their label.

        Args:
            labels: `[N]`.
        """
        return float(np.mean(self.classes != checked_labels(labels, self.probabilities)))

    def calibration(self, labels: Any, num_bins: int = 15) -> Calibration:
        """Returns how often the likeliest class is right beside how sure the model is of it.

        Args:
            labels: `[N]`.
            num_bins: Of the confidence, equally wide, at least 1. Default 15, the paper's.
        """
        labels = checked_labels(labels, self.probabilities)
        return calibration(self.probabilities.max(axis=1), self.classes == labels, num_bins)

    def reliability(
        self, labels: Any, num_bins: int = 15, save: str | os.PathLike | None = None
    ) -> Picture:
        """Draws the calibration: accuracy against confidence.

        Args:
            labels: `[N]`.
            num_bins: See `calibration`.
            save: Where to write the figure.
        """
        return self.calibration(labels, num_bins).picture(save)


def classify(
    model: Any,
    data: Any,
    method: Literal["bayes", "classifier"] | None = None,
    num_samples: int = 100,
    class_prior: Sequence[float] | None = None,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> Classification:
    """Finds how likely each class is given x, of a model whose one condition is a label.

        bayes         p(y|x) = p(x|y) p(y) / sum_y' p(x|y') p(y'),  log p(x|y) by importance sampling
        classifier    q(y|x), of a model that has one, such as `SemiSupervisedVAE`

    By Bayes' rule every class costs an estimate of `evaluation.log_likelihood`; all have the same
    noise. An estimate is a lower bound in expectation: what differs between classes is how far it
    has come, so more samples may change the answer.

    Args:
        model: A built model whose one condition is a label, such as `ConditionalVAE`.
        data: x: an array `[N, ...]`, a dict of fields, or batches of either; labels are not looked
            at.
        method: None (default) takes the classifier of a model that has one, else Bayes' rule.
        num_samples: K, draws of z for each class and example, for Bayes' rule.
        class_prior: p(y), for Bayes' rule and a model that has none of its own; all alike by
            default.
        seed: Of these draws, any int32.
        batch_size: Examples of a compiled step.
        verbose: 1 shows progress bars.

    Raises:
        UserError: for a model without a label, a method that it has not, data without x, or an
            argument out of range.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits-conditional", latent_size=2, units=(8,))
        >>> x = np.zeros((4, 8, 8, 1), "float32")
        >>> classify(model, x, num_samples=5).probabilities.shape
        (4, 10)

    References:
        A. Ng and M. Jordan, 2001, "On Discriminative vs. Generative Classifiers", NeurIPS 14, for
        the rule. D. P. Kingma et al., 2014, arXiv:1406.5298, section 3.2, for q(y|x).
    """  # noqa: E501
    found = class_condition(model)
    if found is None:
        raise UserError(
            "classify() needs a model whose one condition is a label, and that of "
            f"{type(model).__name__} is {', '.join(model.conditions()) or 'none'}. Train a "
            "tfvae.ConditionalVAE or a tfvae.SemiSupervisedVAE on x and label."
        )
    label, classes = found
    if method not in (None, "bayes", "classifier"):
        raise UserError(f'method is {method!r}; expected "bayes", "classifier" or None.')
    x = _examples(model, data)
    own = isinstance(model, Classifies)
    if method == "classifier" or (method is None and own):
        require(model, 'classify(method="classifier")', Classifies)
        shares = collected(model, x, _by_classifier(model), batch_size, verbose)
        return Classification(shares.astype(np.float64))
    require(model, 'classify(method="bayes")', Scores)
    if own and class_prior is not None:
        raise UserError(
            f"class_prior is {class_prior!r}, and {type(model).__name__} has a p(y) of its own. "
            "Leave it out."
        )
    options = {"num_samples": num_samples, "seed": seed, "batch_size": batch_size}
    joint = np.empty((len(x), len(classes)))
    for k, value in enumerate(classes):
        given = {next(iter(model.fields())): x, label: np.full(len(x), value, np.int32)}
        joint[:, k] = log_likelihood(model, given, verbose=verbose, **options).per_example
    if not own:
        joint += np.log(checked_class_prior(class_prior, len(classes)))
    return Classification(scipy.special.softmax(joint, axis=1))


def checked_labels(labels: Any, probabilities: np.ndarray) -> np.ndarray:
    """Returns the labels of examples with these probabilities, `[N]`.

    Raises:
        UserTypeError: for anything but whole numbers.
        UserError: for another count, and for labels that are no class of them.
    """
    labels, (count, classes) = np.asarray(labels), probabilities.shape
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserTypeError(f"labels has dtype {labels.dtype}; expected whole numbers.")
    if labels.shape != (count,):
        raise UserError(f"labels has shape {labels.shape}; expected one each of {count} examples.")
    if labels.min() < 0 or labels.max() >= classes:
        raise UserError(
            f"labels has values from {labels.min()} to {labels.max()}; expected known classes from "
            f"0 to {classes - 1}. Leave examples without a label out."
        )
    return labels


def _by_classifier(model: Classifies) -> Any:
    run = compiled(model, _class_probabilities, xla=False)  # a network alone: nothing to fuse
    return lambda batch: run(batch.tensors())


def _class_probabilities(model: Classifies, batch: Batch) -> tf.Tensor:
    return model.class_probabilities(batch)


def _examples(model: Any, data: Any) -> np.ndarray:
    """The modelled field of all examples."""
    name, field = next(iter(model.fields().items()))
    if isinstance(data, tf.data.Dataset):
        parts = [_examples(model, batch) for batch in data.as_numpy_iterator()]
        if not parts:
            raise UserError("The data set is empty; expected at least one batch.")
        return np.concatenate(parts)
    if isinstance(data, Mapping) and name in data:
        return np.asarray(data[name])
    if isinstance(data, tuple | list | Mapping):
        return np.asarray(by_name(data, {name: field}, "data")[name])
    return np.asarray(data)
