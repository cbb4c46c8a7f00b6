"""Runs that take seconds, for commands that need one."""

from tfvae import presets
from tfvae.runs.folder import RunFolder
from tfvae.runs.training import train

_QUICK = {"epochs": 1, "latent_size": 2, "eval_samples": 2, "eval_examples": 5}


def trained(folder, preset="digits", **changes):
    """A run of one epoch; a network of dense layers has 8 units unless something else is asked."""
    dense = {} if any(name.startswith("network.") for name in changes) else {"network.units": (8,)}
    settings = presets.get(preset, **{**_QUICK, **dense, **changes})
    train(settings, folder, report=lambda line: None)
    return RunFolder(folder)
