"""How likely each class of examples is by a run's model, and how often the likeliest is right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfvae import data
from tfvae.data.few_labels import LABEL
from tfvae.data.fields import HOLE
from tfvae.errors import UserError
from tfvae.evaluation.pictures import class_condition
from tfvae.models.capabilities import Classifies, can
from tfvae.runs.datasets import load_data
from tfvae.runs.files import remove, replacing, write_text
from tfvae.runs.other_data import new_examples
from tfvae.runs.restoration import examples_by_field
from tfvae.settings.settings import Settings
from tfvae.uses.classification import Classification, classify
from tfvae.uses.on_codes import CodeClassifier, classify_codes


class _Found(NamedTuple):
    """Classified examples.

    Attributes:
        classification: Of them.
        truth: Their labels, -1 where one is not known; None without a column of labels.
        how: They were classified, for people.
    """

    classification: Classification
    truth: np.ndarray | None
    how: str


def save_classes(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    path: Path,
    labels: int | None = None,
    num_examples: int | None = None,
    report: Callable[[str], None] = print,
    **options: Any,
) -> None:
    """Writes the probabilities of each example's classes as CSV, and reports error and calibration.

    Where labels are known a reliability picture is drawn beside the file; where they are not, one
    that an earlier call left there is removed.

    Args:
        model: Of the run; its one condition is a label, or `labels` is given.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`; None for the run's held-out examples. Labels that
            are lacking or -1 are not held against what is found.
        path: Of the `.csv` file: `row`, `class`, the likeliest, and a column `p0`, `p1`, ... for
            the probability of each.
        labels: Of a model without a label: a logistic regression on its codes learns from so many
            labelled training examples (M1), as many of each class, which the run's seed chooses.
        num_examples: Only so many, the first; None for all.
        report: Called with lines for people.
        **options: `method`, `num_samples` and `seed` of `uses.classify`.

    Raises:
        UserError: for a model without a label, or that can't classify so; labels that are none of
            its classes; or data that are not the model's.
    """
    if labels is None:
        found = _by_model(model, settings, name_or_path, num_examples, options)
    else:
        found = _by_codes(model, settings, name_or_path, num_examples, labels)
    write_text(path, _as_table(found.classification))
    picture = path.with_suffix(".png")
    known = np.zeros(0, bool) if found.truth is None else found.truth != HOLE
    if found.truth is None or not known.any():
        remove(picture)
        count = len(found.classification.classes)
        report(f"{count} examples by {found.how}; their labels are not known")
        return
    judged, truth = Classification(found.classification.probabilities[known]), found.truth[known]
    measured = judged.calibration(truth)
    report(f"error {judged.error(truth):.4f} of {len(truth)} examples, by {found.how}")
    bins = len(measured.counts)
    report(f"expected calibration error {measured.expected_error:.4f}, of {bins} bins")
    with replacing(picture) as beside:
        measured.picture(beside)
    report(str(picture))


def judged_codes(model: Any, settings: Settings, labels: int) -> dict[str, float]:
    """Error and expected calibration error of a classifier of a run's codes, held-out examples.

    Args:
        model: Of the run, without a label.
        settings: Of the run.
        labels: As for `save_classes`.
    """
    classification, truth, _ = _by_codes(model, settings, None, None, labels)
    assert truth is not None  # of the run's own data
    return {
        "error": classification.error(truth),
        "calibration_error": classification.calibration(truth).expected_error,
    }


def _by_model(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    num_examples: int | None,
    options: dict[str, Any],
) -> _Found:
    """By a model that has a label."""
    condition = class_condition(model)
    if condition is None:
        raise UserError(
            "tfvae classify is for runs whose one condition is a label, and this run's model, a "
            f"{type(model).__name__}, is given {', '.join(model.conditions()) or 'nothing'}. Train "
            "one: tfvae train digits-semi-supervised, or digits-conditional; or, given nothing, "
            "have so many training --labels classify its codes."
        )
    label = condition[0]
    if name_or_path is None:
        held_out = load_data(settings, model)[1]
    else:
        held_out = new_examples(model, settings, name_or_path, label=label)
    examples = examples_by_field(held_out, num_examples)
    truth = examples.pop(label, None)
    if truth is not None:
        _check_classes(truth, condition, name_or_path or settings["dataset"])
    own = can(model, Classifies) and options.get("method") != "bayes"
    how = "q(y|x)" if own else f"Bayes' rule, {options['num_samples']} samples of each class"
    return _Found(classify(model, examples, **options), truth, how)


def _by_codes(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    num_examples: int | None,
    labels: int,
) -> _Found:
    """By a classifier of the codes of a model that has no label."""
    if model.conditions():
        raise UserError(
            f"--labels is for a run without a label, whose codes are classified, and this run's "
            f"model, a {type(model).__name__}, is given {', '.join(model.conditions())}. Leave it "
            "out."
        )
    classifier, held_out = _classifier_of_codes(model, settings, labels)
    if name_or_path is not None:
        held_out = examples_by_field(new_examples(model, settings, name_or_path, label=LABEL))
    examples = {name: values[:num_examples] for name, values in held_out.items()}
    truth = examples.pop(LABEL, None)
    if truth is not None:
        classes = range(classifier.num_classes)
        _check_classes(truth, (LABEL, classes), name_or_path or settings["dataset"])
    how = f"logistic regression on codes, {labels} labels"
    return _Found(classifier.classify(examples), truth, how)


def _classifier_of_codes(
    model: Any, settings: Settings, labels: int
) -> tuple[CodeClassifier, dict[str, np.ndarray]]:
    """A classifier of the codes of a run's training examples, and the held-out ones with labels."""
    names = (*model.fields(), LABEL)
    options = {**settings.group("data"), "fields": names, "labels": labels}
    train, test = data.load(**options, seed=settings["seed"])
    learned = examples_by_field(data.at_epoch(train, 0))
    known = learned.pop(LABEL)
    return classify_codes(model, learned, known), examples_by_field(test)


def _check_classes(truth: np.ndarray, condition: tuple[str, range], source: str) -> None:
    """Refuses labels that are neither a class of the model nor unknown, with the first of them."""
    name, classes = condition
    expected = (
        f"a class from {classes[0]} to {classes[-1]}, as the run's own, or {HOLE} for unknown"
    )
    if not np.issubdtype(truth.dtype, np.integer) or truth.ndim != 1:
        raise UserError(
            f"{name} of {source} holds {truth.dtype} of shape {truth.shape[1:]}; expected whole "
            f"numbers, {expected}: label.astype('int32')."
        )
    wrong = np.flatnonzero(~np.isin(truth, [HOLE, *classes]))
    if wrong.size:
        raise UserError(
            f"{name} of {source} is {truth[wrong[0]]} in row {wrong[0]} (counted from 0); expected "
            f"{expected}."
        )


def _as_table(found: Classification) -> str:
    header = ["row", "class", *(f"p{k}" for k in range(found.probabilities.shape[1]))]
    rows = (
        f"{n},{k}," + ",".join(f"{p:.6g}" for p in shares)
        for n, (k, shares) in enumerate(zip(found.classes, found.probabilities, strict=True))
    )
    return "\n".join([",".join(header), *rows]) + "\n"
