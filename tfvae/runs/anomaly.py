"""Which examples are strange to a run's model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tfvae.errors import UserError
from tfvae.models.capabilities import Scores, require
from tfvae.runs.datasets import load_data
from tfvae.runs.files import write_text
from tfvae.runs.folder import RunFolder
from tfvae.settings.settings import Settings
from tfvae.uses.anomaly import ANOMALY_SCORES, AnomalyDetector
from tfvae.uses.anomaly_scores import AnomalyScore, equal_weights
from tfvae.uses.compared_scores import WAIC, LikelihoodRatio


def score_beside(
    name: str, model: Any, settings: Settings, others: Sequence[RunFolder]
) -> str | AnomalyScore:
    """Returns what is meant by the name of a score, with the models that it compares with.

    Args:
        name: One that `AnomalyDetector` knows, "likelihood_ratio" or "waic".
        model: Of the run.
        settings: Of the run.
        others: The run of the background model, or those of the further models of an ensemble.

    Raises:
        UserError: for a run of other data, whose likelihood is of another kind or unit, or whose
            model has the weights of one that it is compared with.
    """
    if name in ANOMALY_SCORES:
        return name
    compared, models = {"the run's": model}, []
    for run in others:
        its, read = run.read_config(), run.read_model()
        require(read, f"the anomaly score {name} of {run.path}", Scores)
        _check_comparable(run.path, (model, settings), (read, its))
        for which, before in compared.items():
            if equal_weights(read, before):
                raise UserError(
                    f"The model of {run.path} has the weights of {which}: the two score alike, and "
                    "nothing is compared. Train it with another --seed."
                )
        compared[f"that of {run.path}"] = read
        models.append(read)
    return WAIC(models) if name == "waic" else LikelihoodRatio(*models)


def _check_comparable(
    path: Path, of_run: tuple[Any, Settings], of_other: tuple[Any, Settings]
) -> None:
    """Refuses a model, with its settings, whose likelihood is not of what the run's is of."""
    (model, settings), (other, settings_of_other) = of_run, of_other
    own, its = model.fields(), other.fields()
    for name in {**own, **its}:
        has, wanted = (
            f"{name} of shape {fields[name].shape}" if name in fields else f"no {name}"
            for fields in (its, own)
        )
        if has != wanted:
            raise UserError(
                f"{path} has {has}, and the run has {wanted}: their likelihoods do not compare. "
                "Give a run on examples of the same fields and shapes."
            )
    if _units(settings_of_other) != _units(settings):
        raise UserError(
            f"{path} has x in other units: of --standardise and --dequantise it and the run "
            "differ, or it standardises by other rows (--dataset, --test-fraction). Train it as "
            "the run was."
        )
    if other.discrete != model.discrete:
        kinds = {True: "a probability", False: "a density"}
        raise UserError(
            f"p(x) of {path} is {kinds[other.discrete]}, and that of the run is "
            f"{kinds[model.discrete]}: they do not compare. Train it with the run's --likelihood."
        )


def _units(settings: Settings) -> tuple[Any, ...]:
    """What x is measured in: standardised columns are in units of their own training rows."""
    rows = (settings["dataset"], settings["test_fraction"]) if settings["standardise"] else None
    return rows, settings["dequantise"]


def fitted_detector(
    model: Any,
    settings: Settings,
    anomaly_score: str | AnomalyScore,
    false_alarm_rate: float,
    seed: int = 0,
) -> AnomalyDetector:
    """Returns a detector of a run's model, its threshold from the run's held-out examples.

    Half of these give the threshold, the other half tell how often it is wrong.

    Args:
        model: Of the run.
        settings: Of the run.
        anomaly_score: What `AnomalyDetector` takes.
        false_alarm_rate: Above 0 and below 1.
        seed: Of the draws, and of which examples serve which end.

    Raises:
        UserError: for a model that does not score.
    """
    require(model, "tfvae anomaly", Scores)
    _, test = load_data(settings, model)
    detector = AnomalyDetector(model, anomaly_score, false_alarm_rate=false_alarm_rate, seed=seed)
    return detector.fit(test)


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
