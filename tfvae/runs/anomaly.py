"""Which examples are strange to a run's model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
