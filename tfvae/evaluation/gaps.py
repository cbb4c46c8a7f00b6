"""What a bound loses: to the family that q is of, and to the encoder that finds it."""

from dataclasses import dataclass
from typing import Any

from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.evaluation.estimates import Estimate, LikelihoodEstimate, PerExample
from tfvae.evaluation.likelihood import elbo as elbo_of
from tfvae.evaluation.refinement import refine


@dataclass(frozen=True)
class InferenceGap:
    """log p(x) - ELBO of each example, in two parts that add up.

    Attributes:
        likelihood: log p(x).
        refined: The bound of the best q of each example, from `refine`.
        elbo: The bound of the encoder's q.
    """

    likelihood: LikelihoodEstimate
    refined: Estimate
    elbo: Estimate

    @property
    def gap(self) -> PerExample:
        """log p(x) - ELBO: KL(q(z|x) || p(z|x))."""
        return _difference(self.likelihood, self.elbo)

    @property
    def approximation(self) -> PerExample:
        """log p(x) - ELBO of q*: that the true posterior is none of the family."""
        return _difference(self.likelihood, self.refined)

    @property
    def amortisation(self) -> PerExample:
        """ELBO of q* - ELBO: that one encoder has to serve all examples.

        Below 0 where the optimiser of `refine` ended at a worse q than it began at: then more
        steps, or a lower learning rate.
        """
        return _difference(self.refined, self.elbo)


def inference_gap(
    model: Any,
    data: Any,
    likelihood: LikelihoodEstimate | None = None,
    num_samples: int = 5000,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 1,
    **refining: Any,
) -> InferenceGap:
    """Splits log p(x) - ELBO into approximation and amortisation gaps.

        log p(x) - ELBO(q) = [log p(x) - ELBO(q*)]  +  [ELBO(q*) - ELBO(q)]
                              approximation              amortisation

    with q the encoder's and q* the best of the same family for each example. A large approximation
    gap asks for a richer head, such as `MultivariateNormalTriL`; a large amortisation gap for a
    larger encoder, or more data.

    The encoder's q and q* are of the same noise. log p(x) is an estimate from below, and so are
    the gap and its first part: where the effective sample size is near 1, give a likelihood of
    annealed chains.

    Args:
        model: A built model that scores, whose z is real and its draws differentiable in q.
        data: What `fit` takes, the same whenever it is read: bits are drawn once.
        likelihood: log p(x) of the same examples, from `log_likelihood` or
            `annealed_importance_sampling`. None (default): by importance sampling from q*, with
            the draws that its bound is measured with.
        num_samples: K, draws that each bound is measured with, at least 1.
        seed: Any int32.
        batch_size: Examples of one compiled step.
        verbose: 1 (default) shows a progress bar for each bound, 0 does not.
        **refining: `num_steps`, `learning_rate` and `step_samples` of `refine`.

    Raises:
        ValueError, TypeError, RuntimeError, FloatingPointError: as `refine`.
        UserError: for a likelihood of other examples.

    References:
        C. Cremer, X. Li, D. Duvenaud, 2018, "Inference Suboptimality in Variational Autoencoders",
        arXiv:1801.03558, eq. 3 to 5.
    """
    options = {"num_samples": num_samples, "seed": seed}
    options |= {"batch_size": batch_size, "verbose": verbose}
    refined = refine(model, data, **options, **refining)
    count, given = len(refined.per_example), likelihood and len(likelihood.per_example)
    if likelihood is not None and given != count:
        raise UserError(
            f"likelihood is of {given} examples and data has {count}: estimate it on the same data."
        )
    bound = elbo_of(model, data, **options)
    return InferenceGap(refined.likelihood if likelihood is None else likelihood, refined, bound)


def _difference(above: Estimate, below: Estimate) -> PerExample:
    return PerExample(above.per_example - below.per_example)
