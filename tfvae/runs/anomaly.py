"""Which examples are strange to a run's model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfvae.data import sources
from tfvae.data.catalogue import CATALOGUE, NONE, STATIC
from tfvae.data.loaded import LoadedSet
from tfvae.data.pipeline import frozen, held_out_set
from tfvae.data.rows import Columns
from tfvae.data.standardising import standardised
from tfvae.errors import UserError
from tfvae.models.capabilities import Scores, require
from tfvae.runs.datasets import load_data
from tfvae.runs.files import write_text
from tfvae.settings.settings import Settings
from tfvae.uses.anomaly import AnomalyDetector


def fitted_detector(
    model: Any, settings: Settings, anomaly_score: str, false_alarm_rate: float, seed: int = 0
) -> AnomalyDetector:
    """Returns a detector of a run's model, its threshold from the run's held-out examples.

    Half of these give the threshold, the other half tell how often it is wrong.

    Args:
        model: Of the run.
        settings: Of the run.
        anomaly_score: One of the names that `AnomalyDetector` knows.
        false_alarm_rate: Above 0 and below 1.
        seed: Of the draws, and of which examples serve which end.

    Raises:
        UserError: for a model that does not score.
    """
    require(model, "tfvae anomaly", Scores)
    _, test = load_data(settings, model)
    detector = AnomalyDetector(model, anomaly_score, false_alarm_rate=false_alarm_rate, seed=seed)
    return detector.fit(test)


def new_examples(
    model: Any, settings: Settings, name_or_path: str, as_it_is: bool = False
) -> tf.data.Dataset:
    """Returns other data as the run's held-out examples are made: batches, in their own order.

    Bits, noise and units are those of the run: columns that it standardises are shifted and scaled
    by its own training rows.

    Args:
        model: Of the run.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`. Of what has a name, or a test set of its own, the
            held-out examples; of any other file or folder all examples, in its order.
        as_it_is: x alone as it is stored: no bits, no columns made of it, of any range.

    Raises:
        UserError: for data that can't be read, or lack a field of the model.
    """
    _, like = load_data(settings, model)
    assert isinstance(like, LoadedSet)
    options, names = settings.group("data"), tuple(like.recipe.columns.rows)
    found = sources.read(name_or_path, None, options.get("size"), options.get("background"), names)
    rows = found.test if found.whole is None or name_or_path in CATALOGUE else found.whole
    columns = _with_fields(rows, names, name_or_path)
    binarisation = NONE if as_it_is else STATIC if like.recipe.drawn else like.recipe.binarisation
    if options.get("standardise"):
        dataset = settings["dataset"]
        train = sources.read(dataset, options.get("test_fraction"), fields=names).train
        _, columns, _ = standardised(_with_fields(train, names, dataset), columns, dataset)
    elif binarisation != NONE and not columns.fields["x"].of_pixels:
        raise UserError(
            f"x of {name_or_path} holds {columns.fields['x'].values}, and the run's has pixels, of "
            "which bits are drawn."
        )
    recipe = replace(like.recipe, columns=columns, binarisation=binarisation, drawn=False)
    if as_it_is:
        recipe = replace(recipe, levels=None, derived=None, made=())
    elif recipe.derived is not None:
        recipe.derived.check(columns.fields.get("x"))
    return held_out_set(frozen(recipe))


def _with_fields(columns: Columns, names: tuple[str, ...], source: str) -> Columns:
    for name in names:
        if name not in columns.rows:
            raise UserError(f"{source} has no column {name!r}, which the run's model takes.")
    return Columns({name: columns.rows[name] for name in names})


def save_verdicts(
    detector: AnomalyDetector, data: Any, path: Path, report: Callable[[str], None] = print
) -> None:
    """Writes `row,score,is_anomaly` of each example as CSV, and reports how many are strange.

    Args:
        detector: Fitted.
        data: What it scores.
        path: Of the `.csv` file.
        report: Called with lines for people.

    Raises:
        UserOSError: if the file can't be written.
    """
    scores = detector.anomaly_scores(data)
    strange = scores > detector.threshold_
    lines = [f"{n},{s:.9g},{int(a)}" for n, (s, a) in enumerate(zip(scores, strange, strict=True))]
    write_text(path, "\n".join(["row,score,is_anomaly", *lines]) + "\n")
    for line in detector_lines(detector):
        report(line)
    report(f"anomalies {int(strange.sum())} of {len(scores)} examples")


def detector_lines(detector: AnomalyDetector) -> list[str]:
    """What a fitted detector is, for people to read."""
    alarms = detector.false_alarms_
    return [
        f"threshold {detector.threshold_:.4f} nats, {type(detector.score_).__name__}, of "
        f"{detector.num_calibration_} held-out examples",
        f"false alarms {alarms.rate:.4f} ({alarms.low:.4f} to {alarms.high:.4f}, 95 %) of "
        f"{alarms.count} others; asked for {detector.false_alarm_rate:g}",
    ]
