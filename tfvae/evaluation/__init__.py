"""How good a trained model is, in nats and in pictures.

Importing this package imports neither TensorFlow nor matplotlib; using a name does.
"""

from tfvae.lazy import lazy

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
    "latent_codes": "latents",
    "log_likelihood": "likelihood",
    "naive_log_likelihood": "likelihood",
    "pictures": None,
    "rate_and_distortion": "latents",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
