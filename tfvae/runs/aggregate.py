"""A run's model with the aggregate posterior of its training data as the prior."""

from typing import Any

from tfvae.runs.datasets import load_data
from tfvae.settings.settings import Settings
from tfvae.uses.aggregate import fit_aggregate
from tfvae.uses.aggregate_flow import fit_aggregate_flow


def with_aggregate(model: Any, settings: Settings, aggregate: int | str) -> Any:
    """Returns a run's model with a prior that is fitted to the training codes.

    A function of the run and what is asked for alone: the data are loaded from their first epoch,
    and the seed is the run's.

    Args:
        model: Trained.
        settings: Of the run.
        aggregate: How many Gaussians of full covariance, at least 1, or "realnvp" for a flow.
    """
    train, _ = load_data(settings, model)
    seed = settings["seed"]
    if isinstance(aggregate, int):
        return model.with_prior(fit_aggregate(model, train, aggregate, seed=seed))
    return model.with_prior(fit_aggregate_flow(model, train, seed=seed))
