"""The peak memory of `log_likelihood` does not grow with the number of samples."""

from pathlib import Path

import pytest

from tests.evaluation.models import bits, digits_model
from tfvae import evaluation

STATUS = Path("/proc/self/status")


def peak_mb_of(action):
    """Peak resident memory while it runs, less that before."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _peak_mb()
    action()
    return _peak_mb() - before


def _peak_mb():
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not STATUS.exists(), reason="reads the peak memory from Linux' /proc")
def test_fifty_times_the_samples_in_the_same_memory():
    """All 19,600 logits of 64 images at once would take 321 MB, their codes 50 MB."""
    model, x = digits_model(10), bits(64)

    def run(num_samples):
        return evaluation.log_likelihood(model, x, num_samples, verbose=0)

    run(392)  # compiles chunks of 392 draws, which 19,600 are cut into as well
    few = peak_mb_of(lambda: run(392))
    many = peak_mb_of(lambda: run(50 * 392))
    assert many < few + 20
