"""Schedules of the learning rate: what a run chooses by name."""

import keras


def constant(learning_rate: float) -> float:
    """The learning rate stays as it is.

    Args:
        learning_rate: Of all steps.
    """
    return learning_rate


def cosine(
    learning_rate: float, steps: int, final_learning_rate: float = 0.01
) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate falls along half a cosine, to a share of itself in the last step.

        rate(t) = learning_rate (f + (1 - f) (1 + cos(pi t / steps)) / 2),  f final_learning_rate

    Args:
        learning_rate: Of the first step.
        steps: Of the whole run.
        final_learning_rate: Share of the learning rate that is left at the end, from 0 to 1.

    References:
        I. Loshchilov and F. Hutter, 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts",
        arXiv:1608.03983, eq. 5.
    """
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_learning_rate)
