"""From settings to a model, an optimiser and callbacks."""

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import keras
from pydantic import Field, PositiveFloat

from tfvae import catalogue, data
from tfvae.callbacks.averages import AveragedWeights
from tfvae.heads.posteriors.latent_categorical import LatentCategorical
from tfvae.models import Decoder, Encoder

if TYPE_CHECKING:
    from tfvae.settings.settings import Settings


def build_model(
    settings: "Settings",
    event_shape: Sequence[int],
    conditions: Mapping[str, data.Field] = MappingProxyType({}),
    latent_size: Annotated[int, Field(gt=0, le=2**24)] = 10,
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0,
    dtype_policy: Literal["float32", "mixed_bfloat16"] = "float32",
) -> Any:
    """The built model of a run, with fresh weights.

    Args:
        settings: Of the members.
        event_shape: Of one example, such as `(H, W, C)`.
        conditions: The columns that a conditional model is given, by name.
        latent_size: Number of latent dimensions; of integer codes, of the vector that each stands
            for.
        seed: Of weights, order and noise.
        dtype_policy: Precision of the networks.

    Raises:
        UserError: if a member refuses its settings.
    """
    keras.utils.set_random_seed(seed)
    event_shape = tuple(event_shape)
    known = {
        "event_shape": event_shape,
        "conditions": conditions,
        "latent_size": latent_size,
        "vector_size": latent_size,
        "seed": seed,
    }

    def part(kind: str) -> Any:
        return settings.build(kind, name=kind, **known)

    parts = {}
    if "network" in settings:
        down, up = settings.build("network", dtype=dtype_policy, **known)
    if "posterior" in settings:
        parts["encoder"] = Encoder(down, part("posterior"), name="encoder")
    if "quantiser" in settings:
        parts |= {"network": down, "quantiser": part("quantiser")}
    if "likelihood" in settings:
        parts["decoder"] = Decoder(up, part("likelihood"), name="decoder")
    if "levels" in settings:
        if "features_shape" in catalogue.signature("levels", settings["levels"]).arguments:
            known["features_shape"] = down.compute_output_shape((None, *event_shape))[1:]
        own: dict[str, Any] = {}
        if "quantiser" in settings:
            own["quantiser"] = functools.partial(settings.build, "quantiser", **known)
        levels = settings.build("levels", dtype=dtype_policy, **known, **own)
        parts["levels"], known["num_levels"] = levels, 1 + len(levels)
        if "prior" in settings:
            known["latent_size"] = levels[-1].latent_size  # what the prior is over
    if "classifier" in catalogue.signature("model", settings["model"]).arguments:
        own, _ = settings.build("network", dtype=dtype_policy, **known)
        parts["classifier"] = Encoder(own, class_head(conditions), name="classifier")
    if "conditionals" in settings:
        parts["conditionals"] = settings.build(
            "conditionals", name="conditionals", dtype=dtype_policy, **known
        )
    others = ("prior", "objective", "corruption", "missing_process")
    parts |= {kind: part(kind) for kind in others if settings.get(kind) is not None}
    name = settings["model"].rpartition(":")[2]
    model = settings.build("model", name=name, **parts, **known)
    model.build((None, *event_shape))
    return model


def class_head(conditions: Mapping[str, data.Field]) -> LatentCategorical:
    """The head of q(y|x) for the label of a run: of one class where there is no label to count."""
    counts = [len(field.classes) for field in conditions.values()]
    size = max([2, *counts])  # of conditions that are no label the model says what is wrong
    return LatentCategorical(size, num_categories=size, name="class")


def optimizer(
    settings: "Settings",
    steps: int,
    learning_rate: PositiveFloat = 1e-3,
    epsilon: PositiveFloat = 1e-7,
    average_decay: Annotated[float, Field(gt=0, lt=1)] | None = None,
) -> keras.optimizers.Optimizer:
    """Adam as the settings describe it.

    Args:
        settings: Of the schedule.
        steps: Of the whole run.
        learning_rate: Of Adam, at the start.
        epsilon: Of Adam.
        average_decay: Of the moving averages of the weights, such as 0.999: evaluated and saved in
            the weights' place; none unless it is given.
    """
    rate = settings.build("schedule", learning_rate=learning_rate, steps=steps)
    averages = {} if average_decay is None else {"use_ema": True, "ema_momentum": average_decay}
    return keras.optimizers.Adam(rate, epsilon=epsilon, **averages)


def callbacks(settings: "Settings") -> list[keras.callbacks.Callback]:
    """What changes while training; a schedule ends at what the objective was given."""
    averaged = [] if settings["average_decay"] is None else [AveragedWeights()]
    if settings["callback"] is None:
        return averaged
    ends = {"end": "objective.kl_weight", "capacity": "objective.capacity"}
    given = {name: settings[key] for name, key in ends.items() if key in settings}
    return [settings.build("callback", **given), *averaged]
