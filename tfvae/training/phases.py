"""Who learns from what: groups of variables, each with its terms of the loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.suggestions import nearest


@dataclass(frozen=True)
class Phase:
    """One player of a training.

    Attributes:
        name: what `compile(optimizer={name: ...})` calls it.
        variables: what it trains; phases have none in common.
        terms: names of the terms of the loss that it minimises.
        every: it takes a step in every so many, at least 1.
    """

    name: str
    variables: Sequence[keras.Variable]
    terms: Sequence[str]
    every: int = 1

    def __post_init__(self) -> None:
        """Checks the number."""
        positive_int(f"every of the phase {self.name!r}", self.every)


class Losses(NamedTuple):
    """What a step minimises: scalars.

    Attributes:
        terms: the weighted means of the terms, by name.
        layers: what layers add, such as a regulariser; every phase minimises it.
    """

    terms: Mapping[str, tf.Tensor]
    layers: Sequence[tf.Tensor]

    @property
    def total(self) -> tf.Tensor:
        """The sum of all."""
        return tf.add_n([*self.terms.values(), *self.layers])

    def of(self, phase: Phase) -> tf.Tensor:
        """Returns the sum of those that a phase minimises.

        Raises:
            UserError: if one of its terms is not among them.
        """
        unknown = [term for term in phase.terms if term not in self.terms]
        if unknown:
            raise UserError(
                f"The phase {phase.name!r} minimises {', '.join(unknown)}, which loss_terms() does "
                f"not return.{nearest(unknown[0], self.terms)} It returns {', '.join(self.terms)}."
            )
        return tf.add_n([*(self.terms[term] for term in phase.terms), *self.layers])


def gradients(
    tape: tf.GradientTape,
    phases: Sequence[Phase],
    losses: Mapping[str, tf.Tensor],
    variables: Sequence[keras.Variable],
) -> list[tf.Tensor | None]:
    """Returns the gradient by each variable of the loss of the phase that trains it.

    Args:
        tape: persistent where there are several phases.
        phases: of the model.
        losses: name of a phase -> its loss.
        variables: of the model.
    """
    found: dict[int, tf.Tensor | None] = {}
    for phase in phases:
        sources = [variable.value for variable in phase.variables]
        slopes = tape.gradient(losses[phase.name], sources)
        found.update(zip(map(id, phase.variables), slopes, strict=True))
    return [found.get(id(variable)) for variable in variables]
