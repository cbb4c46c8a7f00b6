"""Kullback-Leibler divergences, in nats."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.blocks import Blocks
from tfvae.errors import UserError

tfd = tfp.distributions


def closed_form(q: tfd.Distribution, p: tfd.Distribution) -> tf.Tensor | None:
    """KL(q || p) `[B]`, nats, in closed form, or None where TFP's registry has none.

    Args:
        q: Batch shape `[B]`.
        p: Batch shape `[]` or `[B]`.

    Example:
        >>> q = tfd.MultivariateNormalDiag([[1.0, 0.0]], [[1.0, 1.0]])
        >>> float(closed_form(q, tfd.MultivariateNormalDiag([0.0, 0.0], [1.0, 1.0]))[0])
        0.5
    """
    try:
        return q.kl_divergence(p)
    except NotImplementedError:
        return None


def kl_per_dimension(q: tfd.Distribution, p: tfd.Distribution) -> tf.Tensor:
    """KL(q || p) split over the latent dimensions.

    Where the dimensions are independent under both, each has its own KL. With q = N(mu, L L^T), L
    lower triangular, and p = N(m, diag(s^2)):

        KL_i = ((sum_j L_ij^2 + (mu_i - m_i)^2) / s_i^2 - 1) / 2 - log(L_ii / s_i)

    The KL_i are non-negative and sum to KL(q || p). For diagonal L they are the KLs of the
    marginals; otherwise KL_i = E[KL(q(z_i | z_<i) || p(z_i))], the chain rule's term.

    Args:
        q: `MultivariateNormalDiag` or `MultivariateNormalTriL`, independent numbers of a kind that
            has a closed form, such as `PiecewiseConstant`, or `Blocks` of these; batch shape `[B]`.
        p: `MultivariateNormalDiag`, independent numbers, or `Blocks`, batch shape `[]` or `[B]`.

    Returns:
        `[B, D]` nats.

    Raises:
        UserError: for other distributions, whose KL does not split.

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, appendix B, for diagonal L.
    """
    if isinstance(q, Blocks) and isinstance(p, Blocks) and q.sizes == p.sizes:
        pairs = zip(q.distributions, p.distributions, strict=True)
        return tf.concat([kl_per_dimension(of_q, of_p) for of_q, of_p in pairs], axis=-1)
    if _of_numbers(q) and _of_numbers(p):
        split = closed_form(q.distribution, p.distribution)
        if split is not None:
            return split
    if not isinstance(p, tfd.MultivariateNormalDiag) or not isinstance(
        q, tfd.MultivariateNormalDiag | tfd.MultivariateNormalTriL
    ):
        raise UserError(
            "The KL splits over latent dimensions for a MultivariateNormalDiag or TriL posterior "
            "and a diagonal Normal prior (StandardNormal), and for independent numbers, such as "
            "bits or histograms, with a prior of their kind; received "
            f"{type(q).__name__} and {type(p).__name__}."
        )
    variance = q.variance()
    if type(q.scale) is tf.linalg.LinearOperatorLowerTriangular:
        variance = tf.reduce_sum(tf.square(q.scale.to_dense()), axis=-1)  # TFP multiplies L by L'
    ratio = (variance + tf.square(q.mean() - p.mean())) / p.variance()
    return 0.5 * (ratio - 1.0) - tf.math.log(q.scale.diag_part() / p.stddev())


def _of_numbers(distribution: tfd.Distribution) -> bool:
    """Whether it is a vector of independent numbers, of one family."""
    if not isinstance(distribution, tfd.Independent.__base__):  # see `draws`
        return False
    return distribution.event_shape.rank == 1 and distribution.distribution.event_shape.rank == 0


@tfd.RegisterKL(tfd.MultivariateNormalTriL, tfd.MultivariateNormalDiag)
def _kl_of_full_and_diagonal(q: Any, p: Any, name: str | None = None) -> tf.Tensor:
    """Row sums: TFP's own, for any two factors, solves a dense system."""
    return tf.reduce_sum(kl_per_dimension(q, p), axis=-1)
