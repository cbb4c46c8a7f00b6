"""How good a trained model is, in nats and in pictures.

Importing this package imports neither TensorFlow nor matplotlib; using a name does.
"""

import importlib

_HOMES = {
    "ActiveUnits": "latents",
    "AnnealedEstimate": "ais",
    "ELBOEstimate": "estimates",
    "Estimate": "estimates",
    "LikelihoodEstimate": "estimates",
    "RateDistortion": "latents",
    "active_units": "latents",
    "annealed_importance_sampling": "ais",
    "elbo": "likelihood",
    "kl_per_dimension": "latents",
    "latent_means": "latents",
    "log_likelihood": "likelihood",
    "naive_log_likelihood": "likelihood",
    "pictures": None,
    "rate_and_distortion": "latents",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"{__name__}.{home or name}")
    value = getattr(module, name) if home else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
