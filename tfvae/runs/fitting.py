"""Training that goes on from the checkpoint in a run's folder."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from tfvae.runs.checkpoint import Checkpoint
from tfvae.runs.datasets import Datasets, load_data
from tfvae.runs.folder import RunFolder
from tfvae.runs.progress import Progress
from tfvae.settings import building
from tfvae.settings.settings import Settings


def fit(
    model: Any,
    settings: Settings,
    folder: RunFolder,
    datasets: Datasets,
    report: Callable[[str], None],
    begun: float | None,
    epochs: Annotated[int, Field(gt=0, le=10**6)] = 100,
    steps_per_execution: Annotated[int, Field(gt=0, le=10**6)] | None = None,
) -> list[dict[str, float]]:
    """Trains a model from the beginning or from the folder's checkpoint, and returns the history.

    Args:
        model: Built, with fresh weights.
        settings: Of the run.
        folder: Has the checkpoint.
        datasets: Training and held-out data.
        report: Called with lines that say how it goes.
        begun: `time.perf_counter()` where the elapsed time in them begins; None for now.
        epochs: Passes over the training data.
        steps_per_execution: Steps in one call of the graph; none leaves it to `compile`.
    """
    train_set, test_set = datasets
    steps = epochs * len(train_set)
    optimizer = building.optimizer(settings, steps, **settings.group("optimizer"))
    options = {} if steps_per_execution is None else {"steps_per_execution": steps_per_execution}
    model.compile(optimizer, **options)
    model.optimizer.build(model.trainable_variables)  # before its state is restored
    checkpoint = Checkpoint(folder.checkpoint, folder.history)
    seen = checkpoint.restore(model)
    if not seen and folder.model.is_file():  # of a finished run, which is given more epochs
        seen = checkpoint.take_over(folder.read_first_model(), model)
    if seen:
        report(f"going on after epoch {seen} of {folder.path}")
    if seen < epochs:
        report(f"{model.count_params():,} weights; compiling the training step")
        model.fit(
            load_data(settings, model, first_epoch=seen)[0] if seen else train_set,
            validation_data=test_set,
            epochs=epochs,
            initial_epoch=seen,
            callbacks=[
                *building.callbacks(settings),
                Progress(epochs, report, begun),
                checkpoint,
            ],
            verbose=0,
        )
    return checkpoint.rows
