"""The aggregate posterior of a trained model, as a normalizing flow."""

from typing import Any

import keras
import numpy as np

from tfvae.checks import instance_of, positive_int, real
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import Batch
from tfvae.objectives.base import Nats
from tfvae.priors.flow import FlowPrior
from tfvae.priors.real_nvp_prior import RealNVPPrior
from tfvae.uses.aggregate import aggregate_codes, checked_size
from tfvae.uses.table_model import seeded_weights

_HELD_OUT = 0.1  # of the examples, all draws of one together


def fit_aggregate_flow(
    model: Any,
    data: Any,
    prior: FlowPrior | None = None,
    num_draws: int = 10,
    epochs: int = 200,
    patience: int = 10,
    learning_rate: float = 1e-3,
    batch_size: int = 128,
    seed: int = 0,
    verbose: int = 0,
) -> FlowPrior:
    """Fits a flow to the codes of data by maximum likelihood: what `model.with_prior` samples from.

        argmax_p E_q(z)[log p(z)] = argmin_p KL(q(z) || p(z)),   q(z) = 1/N sum_n q(z|x_n)

    The codes are draws from q(z|x) of each example, or, of a model that does not score, such as an
    `Autoencoder`, its code. A tenth of the examples is held out: training ends where their
    log-density no longer rises, and the best epoch's weights stay.

    Choose it over `fit_aggregate`, a mixture, where there are many examples and codes lie on bent
    or thin shapes; it takes longer, and the mixture is hard to beat on few examples. Compare
    `prior().log_prob(codes)` of other data.

    Args:
        model: Trained; its codes are one vector of real numbers, two at least.
        data: What `fit` takes; the training data, mostly.
        prior: The flow, `RealNVPPrior` or `AutoregressivePrior` of as many dimensions. None
            (default): `RealNVPPrior(D)`. One that is not built starts near the codes' own means
            and standard deviations, if it is a RealNVPPrior.
        num_draws: Of each example, at least 1. Default 10: one alone is learned by heart.
        epochs: At most so many.
        patience: Epochs without a gain after which training ends, at least 1.
        learning_rate: Of Adam, above 0.
        batch_size: Draws of a step.
        seed: Of the draws, what is held out, the order and a default prior's weights, from 0 on.
        verbose: 1 shows a progress bar of examples, and then of epochs.

    Returns:
        The prior, built and fitted.

    Raises:
        UserError: for a model that can't, codes that are no vector of two real numbers or more,
            fewer than 10 examples, a prior of another size, or an argument out of range.
        UserTypeError: for a prior that is no flow.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits-autoencoder", latent_size=2, units=(8,))
        >>> x = np.random.default_rng(0).random((64, 8, 8, 1)).astype("float32")
        >>> prior = tfvae.uses.fit_aggregate_flow(model, x, epochs=2)
        >>> model.with_prior(prior).sample(4, seed=1).shape.as_list()
        [4, 8, 8, 1]

    References:
        P. Ghosh et al., 2020, "From Variational to Deterministic Autoencoders", arXiv:1903.12436,
        section 4 ("ex-post density estimation"), there by a mixture. L. Dinh, J. Sohl-Dickstein,
        S. Bengio, 2016, "Density estimation using Real NVP", arXiv:1605.08803.
    """
    positive_int("seed", seed, minimum=0)
    for name, count in (("epochs", epochs), ("patience", patience)):
        positive_int(name, count)
    rate = real("learning_rate", learning_rate, above=0.0)
    if prior is not None:
        instance_of("prior", prior, FlowPrior, "priors.RealNVPPrior(latent_size)")
    size = checked_size(model, "fit_aggregate_flow()")
    if prior is not None and prior.latent_size != size:
        raise UserError(
            f"The codes have {size} dimensions, and the prior {prior.latent_size}. Give it the "
            "model's latent_size."
        )
    codes = aggregate_codes(model, data, positive_int("num_draws", num_draws), seed, verbose)
    order = np.random.default_rng(seed).permutation(codes.shape[1])
    held_out = int(_HELD_OUT * len(order))
    if not held_out:
        raise UserError(
            f"{len(order)} examples; expected 10 at least, of which a tenth is held out. Use "
            "fit_aggregate, a mixture, for so few."
        )
    prior = _started(codes, prior, seed)
    rest, best = (
        np.reshape(codes[:, rows], [-1, codes.shape[-1]]).astype("float32")
        for rows in (order[held_out:], order[:held_out])
    )
    fitted = FittedDensity(prior, seed=seed)
    fitted.compile(keras.optimizers.Adam(rate))
    stop = keras.callbacks.EarlyStopping("val_nll", patience=patience, restore_best_weights=True)
    fitted.fit(
        rest,
        validation_data=best,
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[stop],
        verbose=verbose,
    )
    return prior


class FittedDensity(LatentVariableModel):
    """A prior as a model of vectors z that are seen: loss = -log p(z), logged as `nll`.

    Args:
        prior: That is fitted; it needs nothing of a model.
        **kwargs: Of `LatentVariableModel`.
    """

    def __init__(self, prior: FlowPrior, **kwargs: Any):
        super().__init__(("nll",), **kwargs)
        self.prior = prior

    def fields(self) -> dict[str, Field]:
        """Returns z."""
        return {"z": Field((self.prior.latent_size,), interval=None)}

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns -log p(z) `[B]`."""
        log_prob = self.prior.checked_distribution().log_prob(batch["z"])
        return Nats({"nll": -log_prob}, reconstruction=batch["z"])


def _started(codes: np.ndarray, prior: FlowPrior | None, seed: int) -> FlowPrior:
    """A built prior; a fresh one is near the codes' means and deviations."""
    with seeded_weights(seed):
        if prior is None:
            prior = RealNVPPrior(codes.shape[-1], name="aggregate")
        if not prior.built:
            prior.build()
            prior.start_at(codes.mean(axis=(0, 1)), codes.std(axis=(0, 1)))
    return prior
