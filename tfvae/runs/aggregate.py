"""A run's model with the aggregate posterior of its training data as the prior."""

from typing import Any

from tfvae.runs.datasets import load_data
from tfvae.settings.settings import Settings
from tfvae.uses.aggregate import fit_aggregate


def with_aggregate(model: Any, settings: Settings, num_components: int) -> Any:
    """Returns a run's model with a mixture of full covariances, fitted to the training codes.

    A function of the run and the number alone: the data are loaded from their first epoch, and the
    seed is the run's.

    Args:
        model: Trained.
        settings: Of the run.
        num_components: Of the mixture, at least 1.
    """
    train, _ = load_data(settings, model)
    prior = fit_aggregate(model, train, num_components, seed=settings["seed"])
    return model.with_prior(prior)
