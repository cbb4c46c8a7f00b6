"""Who learns from what: groups of variables, each with its terms of the loss and its optimizer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.suggestions import nearest
from tfvae.training.exchanges import clipped


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


@keras.saving.register_keras_serializable("tfvae")
class PhasedOptimizer(keras.optimizers.Optimizer):
    """One optimizer for each phase, in the place of one for all.

    `fit`, checkpoints and the compiled loop see one Keras optimizer: it counts the steps, its
    variables are those of all, and `apply` hands each gradient to the phase that owns its variable.
    A phase that rests in a step leaves its variables and its optimizer's state as they are.

    Args:
        optimizers: name of a phase -> Keras optimizer, or what `keras.optimizers.get` takes.
        **kwargs: `name`.
    """

    def __init__(self, optimizers: Mapping[str, Any], **kwargs: Any):
        kwargs.pop("learning_rate", None)
        super().__init__(learning_rate=0.0, **kwargs)
        # Not `optimizers`: Keras' callbacks take that for a list.
        self.by_phase = {name: keras.optimizers.get(o) for name, o in optimizers.items()}
        self.phases: Callable[[], Sequence[Phase]] | None = None

    def bind(self, phases: Callable[[], Sequence[Phase]]) -> None:
        """Tells it how to find the phases of its model.

        Args:
            phases: called when the variables exist.
        """
        self.phases = phases

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the state of every optimizer, for the variables of its phase.

        Raises:
            UserError: if phases share a variable, or a variable is in none.
        """
        if self.built:  # type: ignore[has-type]  # of Keras, which has no types
            return
        phases = self._checked_phases(variables)
        for phase in phases:
            self.by_phase[phase.name].build(list(phase.variables))
        self.built = True
        self._trainable_variables = list(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Lets each phase whose turn it is apply the gradients of its variables."""
        variables = list(trainable_variables or self._trainable_variables)
        self.build(variables)
        found = {
            id(variable): gradient for variable, gradient in zip(variables, grads, strict=True)
        }
        for phase in self.phases():
            pairs = [(found[id(v)], v) for v in phase.variables if id(v) in found]
            self._step(phase, pairs)
        self._iterations.assign_add(1)

    def _step(self, phase: Phase, pairs: list[tuple[Any, Any]]) -> None:
        optimizer = self.by_phase[phase.name]
        parts = clipped(optimizer, [gradient for gradient, _ in pairs])
        pairs = [(part, variable) for part, (_, variable) in zip(parts, pairs, strict=True)]
        if phase.every == 1:
            optimizer.apply_gradients(pairs)
            return
        now = tf.equal(tf.convert_to_tensor(self._iterations) % phase.every, 0)
        state = [*optimizer.variables, *phase.variables]
        before = [tf.identity(variable.value) for variable in state]
        optimizer.apply_gradients(pairs)
        # Selected, not branched: a step under `tf.cond` makes variables where Keras may not.
        for variable, old in zip(state, before, strict=True):
            variable.assign(tf.where(now, variable.value, old))

    def _checked_phases(self, variables: Sequence[keras.Variable]) -> Sequence[Phase]:
        owners: dict[int, str] = {}
        phases = self.phases()
        for phase in phases:
            for variable in phase.variables:
                if id(variable) in owners:
                    raise UserError(
                        f"The phases {owners[id(variable)]!r} and {phase.name!r} both train "
                        f"{variable.path}; give each variable to one phase."
                    )
                owners[id(variable)] = phase.name
        for variable in variables:
            if id(variable) not in owners:
                raise UserError(
                    f"No phase trains {variable.path}. Add it to one of "
                    f"{', '.join(phase.name for phase in phases)}, or set trainable=False."
                )
        return phases

    @property
    def variables(self) -> list[keras.Variable]:
        """The count of steps, and the variables of every optimizer."""
        own = [variable for o in self.by_phase.values() for variable in o.variables]
        return [self._iterations, *own]

    @property
    def learning_rate(self) -> Any:
        """The first phase's, which Keras' callbacks read and set."""
        return next(iter(self.by_phase.values())).learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        next(iter(self.by_phase.values())).learning_rate = value

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        serialize = keras.optimizers.serialize
        optimizers = {name: serialize(o) for name, o in self.by_phase.items()}
        return {"name": self.name, "optimizers": optimizers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "PhasedOptimizer":
        """Creates one from `get_config`."""
        deserialize = keras.optimizers.deserialize
        optimizers = {n: deserialize(c, custom_objects) for n, c in config["optimizers"].items()}
        return cls(**{**config, "optimizers": optimizers})


def optimizer_of(optimizer: Any, names: Sequence[str]) -> Any:
    """Returns what trains these phases: the optimizer itself for one, else one for each.

    Args:
        optimizer: what `compile` was given: a mapping from phases, or one that each gets a copy of.
        names: of the phases.

    Raises:
        UserError: if the mapping does not have just the phases' names.
    """
    if isinstance(optimizer, PhasedOptimizer):
        optimizer = optimizer.by_phase
    if not isinstance(optimizer, Mapping):
        if len(names) == 1:
            return optimizer
        config = keras.optimizers.serialize(keras.optimizers.get(optimizer))
        optimizer = {name: keras.optimizers.deserialize(config) for name in names}
    for name in optimizer:
        if name not in names:
            raise UserError(
                f"optimizer names {name!r}, which is no phase of this model.{nearest(name, names)} "
                f"Expected {', '.join(names)}."
            )
    missing = [name for name in names if name not in optimizer]
    if missing:
        raise UserError(
            f"optimizer lacks the phases {', '.join(missing)}. Give one for each of "
            f"{', '.join(names)}, or a single optimizer of which each gets a copy."
        )
    if len(names) == 1:
        return optimizer[names[0]]
    return PhasedOptimizer(optimizer)


def gradients(
    tape: tf.GradientTape,
    phases: Sequence[Phase],
    losses: Mapping[str, tf.Tensor],
    variables: Sequence[keras.Variable],
) -> list[tf.Tensor | None]:
    """Returns the gradient by each variable of the loss of the phase that trains it.

    Args:
        tape: persistent.
        phases: of the model.
        losses: name -> scalar: the terms, and by number what layers add (a regulariser), which
            every phase minimises.
        variables: of the model.
    """
    found: dict[int, tf.Tensor | None] = {}
    for phase in phases:
        unknown = [term for term in phase.terms if term not in losses]
        if unknown:
            raise UserError(
                f"The phase {phase.name!r} minimises {', '.join(unknown)}, which loss_terms() does "
                f"not return.{nearest(unknown[0], losses)} It returns {', '.join(losses)}."
            )
        parts = [loss for name, loss in losses.items() if name in phase.terms or name.isdigit()]
        sources = [variable.value for variable in phase.variables]
        pairs = zip(phase.variables, tape.gradient(parts, sources), strict=True)
        found.update({id(variable): gradient for variable, gradient in pairs})
    return [found.get(id(variable)) for variable in variables]
