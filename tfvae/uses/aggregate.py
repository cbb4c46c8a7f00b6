"""The aggregate posterior of a trained model, as a prior."""

from typing import Any, Literal

import numpy as np
from sklearn.mixture import GaussianMixture

from tfvae.checks import int32, positive_int
from tfvae.errors import UserError
from tfvae.evaluation.latents import latent_codes
from tfvae.evaluation.posteriors import posterior_draws
from tfvae.heads.base import REALS
from tfvae.models.capabilities import Decodes, Encodes, Scores, can, require
from tfvae.models.codes import vector_size, zero_example
from tfvae.priors.mixture_of_gaussians import MixtureOfGaussians

_MOST_STEPS = 500  # of EM; digits take 20 to 60


def fit_aggregate(
    model: Any,
    data: Any,
    num_components: int = 10,
    covariance: Literal["diag", "full"] = "full",
    seed: int = 0,
    verbose: int = 0,
) -> MixtureOfGaussians:
    """Fits a mixture of Gaussians to the codes of data: what `model.with_prior` samples from.

        q(z) = 1/N sum_n q(z|x_n)  ~  sum_k pi_k N(z; loc_k, S_k)

    The codes are a draw from q(z|x) of each example, or, of a model that does not score, such as an
    `Autoencoder`, its code. The fit is scikit-learn's, by expectation maximisation; draws and
    densities are the prior's, the same in Python and in exported files.

    Choose it for samples of a model that is trained already, and of one without a prior. A prior
    that is trained with the decoder (`MixtureOfGaussians`, `VampPrior`) comes first where the
    likelihood matters.

    Args:
        model: Trained; its codes are one vector of real numbers.
        data: What `fit` takes; the training data, mostly.
        num_components: K, at least 1, at most as many as there are examples. Default 10, the
            paper's.
        covariance: Of each component: "full" (default, the paper's) or "diag".
        seed: Of the draws and of the fit's beginning, from 0 on.
        verbose: 1 shows a progress bar of examples.

    Returns:
        A built prior, whose weights are what was fitted.

    Raises:
        UserError: for a model that can't, codes that are no vector of real numbers, fewer examples
            than components, or an argument out of range.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits-autoencoder", latent_size=2, units=(8,))
        >>> x = np.random.default_rng(0).random((64, 8, 8, 1)).astype("float32")
        >>> prior = tfvae.uses.fit_aggregate(model, x, num_components=2)
        >>> model.with_prior(prior).sample(4, seed=1).shape.as_list()
        [4, 8, 8, 1]

    References:
        P. Ghosh et al., 2020, "From Variational to Deterministic Autoencoders", arXiv:1903.12436,
        section 4 ("ex-post density estimation").
    """
    size = checked_size(model, "fit_aggregate()")
    prior = MixtureOfGaussians(size, num_components, covariance=covariance, name="aggregate")
    seed = positive_int("seed", seed, minimum=0)
    codes = aggregate_codes(model, data, 1, seed, verbose)[0]
    if len(codes) < prior.num_components:
        raise UserError(
            f"num_components={num_components} and {len(codes)} examples; expected at least one "
            "example for each component."
        )
    found = GaussianMixture(
        num_components, covariance_type=covariance, max_iter=_MOST_STEPS, random_state=seed
    ).fit(codes)
    prior.build()
    prior.assign(found.weights_, found.means_, found.covariances_)
    return prior


def checked_size(model: Any, what: str) -> int:
    """Returns D of a model that encodes to one vector of D real numbers, and decodes.

    Raises:
        UserError: for any other, in the name of what was asked for.
    """
    require(model, what, Encodes, Decodes)
    size = vector_size(model)
    space = REALS
    if size is not None and can(model, Scores):
        space = model.infer(zero_example(model)).proposal.space
    if size is None or space != REALS:
        raise UserError(
            f"The codes of {type(model).__name__} are "
            f"{'not one vector an example' if size is None else space}, and {what} is for one "
            "vector of real numbers."
        )
    return size


def aggregate_codes(model: Any, data: Any, num_draws: int, seed: int, verbose: int) -> np.ndarray:
    """Returns draws from q(z|x) of each example, float64 `[S, N, D]`.

    Of a model that does not score these are its codes, and S is 1.
    """
    if not can(model, Scores):
        return latent_codes(model, data, verbose=verbose)[np.newaxis]
    drawn = posterior_draws(model, data, num_draws, seed=int32("seed", seed), verbose=verbose)
    return drawn.astype(np.float64)
