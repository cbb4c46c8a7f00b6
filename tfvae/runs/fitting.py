"""Training that goes on from the checkpoint in a run's folder."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from tfvae.errors import UserError
from tfvae.runs.checkpoint import Checkpoint
from tfvae.runs.datasets import Datasets, load_data
from tfvae.runs.folder import RunFolder
from tfvae.runs.progress import Progress
from tfvae.settings import building
from tfvae.settings.settings import Settings
from tfvae.training.averages import swap_averages
from tfvae.uses.batch_statistics import normalising_layers, reread_statistics

_MOVING, _SAMPLES = "moving", "samples"


def check_statistics(model: Any, settings: Settings) -> None:
    """Refuses statistics that could not be read anew after the training.

    Raises:
        UserError: for a model that has none, or does not sample, and a temperature of no samples.
    """
    statistics, temperature = settings["statistics"], settings["statistics_temperature"]
    if statistics != _SAMPLES and temperature != 1:
        raise UserError(
            f"--statistics-temperature {temperature} is of samples, and --statistics is "
            f"{statistics}. Choose --statistics samples, or leave the temperature out."
        )
    if statistics != _MOVING:
        normalising_layers(model, temperature if statistics == _SAMPLES else None)


def fit(
    model: Any,
    settings: Settings,
    folder: RunFolder,
    datasets: Datasets,
    report: Callable[[str], None],
    begun: float | None,
    epochs: Annotated[int, Field(gt=0, le=10**6)] = 100,
    steps_per_execution: Annotated[int, Field(gt=0, le=10**6)] | None = None,
    statistics: Literal["moving", "training", "samples"] = "moving",
    statistics_temperature: Annotated[float, Field(ge=0)] = 1.0,
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
        statistics: Of batch normalisation, in the end: "moving", the averages that training kept;
            read anew from the "training" data, for likelihoods; or from "samples", for those.
        statistics_temperature: Of these samples.
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
    if settings["average_decay"] is not None:
        checkpoint.restore(model)  # Keras has put the averages in the weights' place
        swap_averages(model)  # so that a run that is given more epochs has both
    if statistics != _MOVING:
        report(f"reading the statistics of batch normalisation anew, from {statistics}")
        temperature = statistics_temperature if statistics == _SAMPLES else None
        after = load_data(settings, model, first_epoch=epochs)[0]
        reread_statistics(model, after, temperature, batch_size=settings["batch_size"])
    return checkpoint.rows
