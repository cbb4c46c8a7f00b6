"""Further stages of a run: each a run of its own, on the codes of a stage before it.

The two-stage VAE of B. Dai and D. Wipf, 2019, "Diagnosing and Enhancing VAE Models",
arXiv:1903.05789, section 4: a second VAE learns the first one's aggregate posterior, which the
first one's prior misses.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfvae.evaluation.latents import flat_codes
from tfvae.runs.files import cannot_write, replacing
from tfvae.runs.folder import RunFolder
from tfvae.settings.settings import FIRST_STAGE, Settings


def train_stages(
    settings: Settings, model: Any, folder: RunFolder, report: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Trains the stages after the first, or goes on with them, and returns the metrics of each.

    A stage is a run in `stages/NAME`, and its data are `stages/NAME.npz`: the codes (posterior
    means) of the epoch 0 of the training data, and of the held-out ones.

    Args:
        settings: Of the run.
        model: Of the first stage, trained.
        folder: Of the run.
        report: Called with lines that say how it goes.
    """
    from tfvae.runs.training import load_data, train  # which calls this

    done, results = {FIRST_STAGE: (model, settings)}, {}
    for name, stage in settings.stages.items():
        place = RunFolder(folder.stages / name)
        report(f"stage {name}: {stage['dataset']}")
        source, its_settings = done[stage.source]
        codes = folder.stages / f"{name}.npz"
        stage = stage.on(str(codes.absolute()))
        if place.finished:
            trained = place.read_model()
        else:
            write_codes(source, load_data(its_settings, source), codes)
            trained = train(stage, place.path, report=report).model
        done[name] = trained, stage
        results[name] = place.read_metrics()
    return results


def write_codes(model: Any, datasets: Any, path: Path) -> None:
    """Writes the codes of training and held-out data, float32 `[N, D]`, level after level."""
    parts = ("x_train", "x_test")
    means = [np.float32(flat_codes(model, data)) for data in datasets]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    with replacing(path) as beside:
        arrays: dict[str, Any] = dict(zip(parts, means, strict=True))
        np.savez(beside, **arrays)
