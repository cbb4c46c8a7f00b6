"""The data of a run, as its settings and its model say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import data
from tfvae.data.validate import check_shape
from tfvae.errors import UserError
from tfvae.models.stages import check_learns, stage_codes
from tfvae.settings.settings import CODES_OF, MEANS_OF, Settings

Datasets = tuple[tf.data.Dataset, tf.data.Dataset]  # to train on, and held out


def load_data(settings: Settings, model: Any = None, first_epoch: int = 0) -> Datasets:
    """Training and held-out data of a run.

    Args:
        settings: Of the run.
        model: The fields that it declares are loaded, unless the settings say which.
        first_epoch: The epoch that the first iteration over the training data shows.
    """
    if settings["dequantise"] is not None and settings.discrete:
        raise UserError(
            f"--dequantise makes real numbers of levels, and --likelihood {settings['likelihood']} "
            "is of whole numbers. Leave --dequantise out, or choose a density such as --likelihood "
            "normal."
        )
    if settings["dataset"].startswith((CODES_OF, MEANS_OF)):
        raise UserError(
            f"--dataset '{settings['dataset']}': {settings['dataset']} is a stage of a run, which "
            "trains the stage before it first. Train a preset with stages, such as "
            "digits-two-stage, or name a file of codes."
        )
    options = settings.group("data")
    if (declared := _declared(model)) is not None:
        options.setdefault("fields", declared)
    return data.load(seed=settings["seed"], first_epoch=first_epoch, **options)


def load_beside(settings: Settings, stage: Settings) -> list[dict[str, np.ndarray]]:
    """The columns that a further stage has beside the codes of a run's examples, in their order.

    Args:
        settings: Of the run whose codes these are.
        stage: Of the further one; columns that it names are read from the run's data.

    Returns:
        Name -> values `[N, ...]`, of the training data's epoch 0 and of the held-out data.

    Raises:
        UserError: if the data lack such a column, or the labels that the stage keeps.
    """
    names = [name for name in stage["fields"] or () if name != "x"]
    if not names:
        return [{}, {}]
    own = settings.group("data")
    options = {**own, "fields": ("x", *names), "seed": settings["seed"]}
    if stage["labels"] is not None:  # refused here, and not after the run has been trained
        data.load(**{**options, "labels": stage["labels"]})
    return [
        {
            name: np.concatenate([batch[name] for batch in part.as_numpy_iterator()])
            for name in names
        }
        for part in data.load(**options)
    ]


def check_stage(model: Any, settings: Settings, stage: Settings) -> None:
    """Refuses a further stage that could not learn a model's codes, before that is trained.

    Args:
        model: Of the run's first stage, built.
        settings: Of the run.
        stage: Of the further one, on codes of the first.

    Raises:
        UserError: if its columns are lacking, it is no model of the codes, or they have no means.
    """
    beside = load_beside(settings, stage)[0]
    codes = stage_codes(model)
    if codes.whole and stage.of_means:
        raise UserError(
            f"--dataset '{stage['dataset']}': codes of {type(model).__name__} are whole numbers "
            f"and have no means. Choose '{CODES_OF}{stage.source}'."
        )
    if not codes.whole:
        return  # of any vector there is a model
    names = ("x", *beside)
    fields = data.fields_of(data.load(**{**settings.group("data"), "fields": names})[0])
    check_learns(stage.model(codes.shape, {name: fields[name] for name in beside}), model)


def model_and_data(settings: Settings) -> tuple[Any, Datasets]:
    """A fresh, built model of the shape that the data have, and the data with its fields.

    Raises:
        UserError: for codes, and a model of anything else; for a column of another shape than the
            model's, such as a mask.
    """
    datasets = load_data(settings)
    fields = data.fields_of(datasets[0])
    beside = {name: field for name, field in fields.items() if name != "x"}
    model = settings.model(fields["x"].shape, beside)
    if fields["x"].whole and not model.fields()["x"].whole:
        raise UserError(
            f"--dataset {settings['dataset']}: x are whole numbers of int32 with three axes, which "
            f"are taken for codes, and {type(model).__name__} is no model of codes. For those, "
            "choose --model pixel_cnn; images are uint8 (0..255): x.astype('uint8')."
        )
    if _declared(model) is not None:
        datasets = load_data(settings, model)
        loaded = data.fields_of(datasets[0])
        for name, field in model.fields().items():
            if name in loaded:
                check_shape((None, *loaded[name].shape), field, f"{name} of the data")
    return model, datasets


def _declared(model: Any) -> tuple[str, ...] | None:
    """The fields that a model declares; None for x alone, which is loaded bare."""
    names = tuple(model.fields()) if hasattr(model, "fields") else ("x",)
    return None if names == ("x",) else names


def report_bits(
    settings: Settings, model: Any, test_set: tf.data.Dataset, report: Callable[[str], None]
) -> None:
    """Reports bits under a density, which has no bound there, or under a mass of many levels.

    And grey levels under one of bits.
    """
    if "likelihood" not in settings:
        return
    batch = next(iter(test_set))
    x = batch["x"] if isinstance(batch, dict) else batch
    bits, likelihood = bool(tf.reduce_all((x == 0) | (x == 1))), settings["likelihood"]
    if bits and not settings.discrete:
        report(
            "Note: all entries of the first held-out examples are 0 or 1, and --likelihood "
            f"{likelihood} is a density. For bits, choose --likelihood bernoulli."
        )
    spacing = model.fields()["x"].spacing
    if bits and spacing is not None and spacing < 1:
        report(
            "Note: all entries of the first held-out examples are 0 or 1, and --likelihood "
            f"{likelihood} is of grey levels. For those, choose --binarisation none."
        )
    if not bits and settings.discrete and spacing is None:
        report(
            "Note: the first held-out examples hold more than 0 and 1, and --likelihood "
            f"{likelihood} is of whole numbers: what is reported is no likelihood. Choose "
            "--binarisation dynamic, or a density such as --likelihood normal."
        )
