"""The factors of the terms in a model's loss: its own, and those of its objective."""

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.objectives.base import Objective, TermWeights
from tfvae.suggestions import nearest


class ModelTermWeights(TermWeights):
    """A model that weighs the terms of its loss, by itself or through its `objective`."""

    name: str  # of the Keras model beside it
    objective: Objective | None = None

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss: the model's own, or that of its objective."""
        if name in self.term_weights or self.objective is None:
            return super().weight(name)
        return self.objective.weight(name)

    def term_weight(self, name: str) -> keras.Variable:
        """Returns the variable behind the factor of a term, for schedules.

        Raises:
            UserError: if the term has none.
        """
        weights = {} if self.objective is None else dict(self.objective.term_weights)
        weights |= self.term_weights
        return _found(weights, name, f"{self.name} has no weight of a term {name!r} to change.")

    def adjustable_variable(self, name: str) -> keras.Variable:
        """Returns a variable that callbacks may change, by its name, of the model or its objective.

        Raises:
            UserError: if there is none of that name.
        """
        variables = {} if self.objective is None else dict(self.objective.adjustable)
        variables |= self.adjustable
        return _found(variables, name, f"{self.name} has no {name!r} to change over time.")


def _found(variables: dict[str, keras.Variable], name: str, lacking: str) -> keras.Variable:
    if name not in variables:
        known = f"It has those of {', '.join(variables)}." if variables else "It has none."
        raise UserError(f"{lacking}{nearest(name, variables)} {known}")
    return variables[name]
