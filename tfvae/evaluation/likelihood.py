"""log p(x) and its lower bounds on a data set."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.data.fields import example_size
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.evaluation.estimates import ELBOEstimate, LikelihoodEstimate, refuse_nan
from tfvae.evaluation.importance import chunk_size, discrete_size, from_posterior, from_prior
from tfvae.models.capabilities import Generates, Scores, require
from tfvae.training.programs import compiled


def log_likelihood(
    model: Any,
    data: Any,
    num_samples: int = 5000,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 1,
) -> LikelihoodEstimate:
    """Estimates log p(x) of each example by importance sampling from the posterior.

        log p(x) ~ log 1/K sum_k w_k,   w_k = p(x, z_k) / q(z_k|x),   z_k ~ q(z|x)

    The number that papers call IW-K or "NLL" (with the other sign). A lower bound in expectation,
    the ELBO at K = 1, rising with K to log p(x); look at `effective_sample_size` to see how far it
    has come, and at `annealed_importance_sampling` where the posterior is too poor a proposal.

    Random, with exactly K draws for each example. The result is a function of the seed: for Normal
    posteriors draw k of example n does not depend on `batch_size` or K, so results with different
    batch sizes agree up to rounding. Memory does not grow with K or with a data set that streams.

    Args:
        model: A built model that scores.
        data: What `fit` takes: an array, a dict of arrays by field, or a `tf.data.Dataset`.
            Binarise a test set once: dynamic bits would differ from run to run.
        num_samples: K, at least 1. Default 5000, as in the literature.
        seed: Any int32.
        batch_size: Examples a compiled step works on, at least 1.
        verbose: 1 (default) shows a progress bar, 0 does not.

    Returns:
        A `LikelihoodEstimate`, nats per example.

    Raises:
        ValueError, UserTypeError: for data that `fit` would refuse, or an argument out of range.
        UserRuntimeError: if the model is not built.
        FloatingPointError: if an estimate is not a number.

    Example:
        >>> import tfvae
        >>> train, test = tfvae.data.load("digits")
        >>> from tfvae import heads, networks
        >>> vae = tfvae.VAE(
        ...     tfvae.Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     tfvae.Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ... )
        >>> vae.build((None, 8, 8, 1))
        >>> result = log_likelihood(vae, test.take(1), num_samples=10, verbose=0)
        >>> result.per_example.shape
        (128,)

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, "Importance Weighted Autoencoders",
        arXiv:1509.00519, eq. 8 and section 5. D. J. Rezende, S. Mohamed, D. Wierstra, 2014,
        arXiv:1401.4082, appendix E.
    """
    values = _estimates(model, data, from_posterior, num_samples, seed, batch_size, verbose)
    return _likelihood(model, values, num_samples)


def naive_log_likelihood(
    model: Any,
    data: Any,
    num_samples: int = 5000,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 1,
) -> LikelihoodEstimate:
    """Estimates log p(x) of each example by sampling the prior.

        log p(x) ~ log 1/K sum_k p(x|z_k),   z_k ~ p(z)

    Unbiased before the logarithm, and hopeless beyond a few latent dimensions, where no draw is
    near the example's posterior: here for comparison, and as a check that needs no encoder. The
    draws of different examples are independent. Arguments, result and errors are those of
    `log_likelihood`.
    """
    require(model, "naive_log_likelihood()", Scores, Generates)
    values = _estimates(model, data, from_prior, num_samples, seed, batch_size, verbose)
    return _likelihood(model, values, num_samples)


def elbo(
    model: Any,
    data: Any,
    num_samples: int = 1,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> ELBOEstimate:
    """Computes the evidence lower bound of each example, whatever objective the model trains on.

        ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z))

    The KL is the closed form where TFP has one, otherwise estimated from the same draws. Random,
    with S draws of z for each example; more make each value less noisy, and leave the expectation
    as it is. Arguments and errors are those of `log_likelihood`, with S = `num_samples`.

    Returns:
        An `ELBOEstimate`, nats per example, with `nll` and `kl`.

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, eq. 3.
    """
    values = _estimates(model, data, from_posterior, num_samples, seed, batch_size, verbose)
    bound = -values["nll"] - values["kl"]
    refuse_nan(bound)
    discrete = discrete_size(model)
    return ELBOEstimate(bound, num_samples, values["nll"], values["kl"], num_discrete=discrete)


def _estimates(
    model: Any,
    data: Any,
    sampling: Callable[..., dict[str, tf.Tensor]],
    num_samples: int,
    seed: int,
    batch_size: int,
    verbose: int,
) -> dict[str, np.ndarray]:
    """Runs the compiled loop over all batches: name -> float64 `[N]`."""
    require(model, "an estimate of the likelihood", Scores)
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    int32("seed", seed)
    run, collected = compiled(model, sampling), []
    for batch in batches(model, data, batch_size, verbose):
        examples, numbers = len(next(iter(batch.fields.values()))), example_size(model.fields())
        chunk = chunk_size(num_samples, examples, numbers)
        scalars = (tf.constant(number, tf.int32) for number in (batch.first, seed, num_samples))
        values = run(batch.tensors(), *scalars, chunk)
        collected.append({name: value.numpy()[: batch.count] for name, value in values.items()})
    return {
        name: np.concatenate([batch[name] for batch in collected]).astype(np.float64)
        for name in collected[0]
    }


def _likelihood(model: Any, values: dict[str, np.ndarray], num_samples: int) -> LikelihoodEstimate:
    refuse_nan(values["log_likelihood"])
    return LikelihoodEstimate(
        values["log_likelihood"],
        num_samples,
        values["effective_sample_size"],
        num_discrete=discrete_size(model),
    )
