"""Whether a classifier is as often right as it is sure."""

import os
from dataclasses import dataclass

import numpy as np

from tfvae.checks import positive_int
from tfvae.evaluation.canvas import Picture


@dataclass(frozen=True)
class Calibration:
    """Confidence and accuracy of examples, in bins of their confidence.

    Attributes:
        edges: Of the bins, `[M + 1]`, from 0 to 1; a bin holds its upper edge.
        counts: Examples of each bin, `[M]`.
        confidence: Mean probability of the likeliest class, of each bin; NaN of an empty one.
        accuracy: How often that class is right, likewise.
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def expected_error(self) -> float:
        """The expected calibration error, from 0 to 1.

            ECE = sum_m n_m / N |accuracy_m - confidence_m|

        It depends on the number of bins, and few examples in a bin make it larger.
        """
        used = self.counts > 0
        gaps = np.abs(self.accuracy[used] - self.confidence[used])
        return float(np.sum(self.counts[used] * gaps) / self.counts.sum())

    def picture(self, save: str | os.PathLike | None = None) -> Picture:
        """Draws accuracy against confidence, a bar for each bin, and where a bin's examples are.

        Args:
            save: Where to write the figure.
        """
        figure = Picture(figsize=(4.0, 4.6))
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        width, left = np.diff(self.edges), self.edges[:-1]
        accuracy = np.nan_to_num(self.accuracy)
        above.bar(left, accuracy, width, align="edge", edgecolor="white", label="accuracy")
        above.plot([0, 1], [0, 1], "--", color="grey", label="calibrated")
        used = self.counts > 0
        above.plot(self.confidence[used], self.accuracy[used], "k.", label="mean confidence")
        above.set(ylabel="accuracy", ylim=(0, 1.02), xlim=(0, 1))
        above.set_title(f"Expected calibration error {self.expected_error:.3f}", fontsize=10)
        above.legend(fontsize=8, frameon=False, loc="upper left")
        share = self.counts / self.counts.sum()
        below.bar(left, share, width, align="edge", edgecolor="white", color="grey")
        below.set(xlabel="confidence", ylabel="share")
        return figure.finish(save)


def calibration(confidence: np.ndarray, right: np.ndarray, num_bins: int) -> Calibration:
    """Returns the calibration of N answers.

    Args:
        confidence: Probability of the answer, `[N]`, in [0, 1].
        right: Whether it is right, `[N]`.
        num_bins: M, equally wide.

    References:
        C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, 2017, "On Calibration of Modern Neural
        Networks", arXiv:1706.04599, eq. 2 and 3.
    """
    num_bins = positive_int("num_bins", num_bins)
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, num_bins - 1)
    counts = np.bincount(place, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        means = [
            np.bincount(place, weights=values, minlength=num_bins) / counts
            for values in (confidence, right.astype(float))
        ]
    return Calibration(edges, counts, *means)
