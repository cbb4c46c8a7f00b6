"""Named settings of runs: each preset lists only what differs from the defaults."""

from dataclasses import dataclass
from typing import Any

from tfvae.runs.config import Config, from_flat
from tfvae.runs.fields import SettingError
from tfvae.suggestions import nearest


@dataclass(frozen=True)
class Preset:
    """A description of one line, and the settings that differ from the defaults."""

    description: str
    changes: dict[str, Any]


_ADAM = {"learning_rate": 2e-3, "schedule": "cosine", "epsilon": 1e-4}
# The network that papers share, after Burda et al. 2016, arXiv:1509.00519, one stochastic layer.
_MNIST = {"dataset": "mnist", "activation": "tanh", "latent_size": 50, "epochs": 800, **_ADAM}
# With relu and gradients of the KL alone, the encoder's units are dead after 60 steps and stay so.
# 500 draws in the evaluation: a draw costs ten times that of the network above.
_MNIST_CONV = {
    "dataset": "mnist",
    "network": "conv",
    "filters": (16, 32),
    "kernel_size": 4,
    "units": (256,),
    "activation": "elu",
    "latent_size": 50,
    "epochs": 60,
    "eval_samples": 500,
    **_ADAM,
}
_DIGITS = {"activation": "tanh", "epochs": 400, "learning_rate": 2e-3, "schedule": "cosine"}

PRESETS = {
    "digits": Preset("8x8 digits, no download; about a minute", _DIGITS),
    "digits-2d": Preset(
        "8x8 digits, two latent dimensions to look at", {**_DIGITS, "latent_size": 2}
    ),
    "mnist": Preset("the network of the literature, 784-200-200-50", _MNIST),
    "mnist-tril": Preset("the same with a full covariance", {**_MNIST, "posterior": "tril"}),
    "mnist-iwae": Preset(
        "the same trained on the importance-weighted bound, 5 draws",
        {**_MNIST, "objective": "importance_weighted", "num_samples": 5},
    ),
    "mnist-conv": Preset("convolutions: a better likelihood, more time a step", _MNIST_CONV),
    "fashion-mnist": Preset(
        "pictures of clothes, the network of mnist", {**_MNIST, "dataset": "fashion_mnist"}
    ),
}
DEFAULT = "digits"


def names() -> list[str]:
    """Names that `get` knows."""
    return list(PRESETS)


def get(name: str = DEFAULT, **changes: Any) -> Config:
    """The settings of a preset.

    Args:
        name: One of `names()`.
        **changes: Settings that replace the preset's, such as `latent_size=2`.

    Raises:
        SettingError: An unknown preset or setting, with the nearest name, or a bad value.

    Example:
        >>> get("mnist", epochs=3).training.epochs
        3
    """
    if name not in PRESETS:
        raise SettingError(
            "preset",
            f"no such preset {name!r}.{nearest(name, PRESETS)} Expected one of "
            f"{', '.join(PRESETS)}.",
        )
    return from_flat({**PRESETS[name].changes, **changes})
